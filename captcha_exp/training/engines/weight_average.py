"""Averages the weights of a model over the steps of its training."""

from collections.abc import Sequence

import keras
import numpy as np


class WeightAverage:
    """The exponential moving average of all weights of a model, also of the averages of batch normalisation.

    Source:
        Polyak & Juditsky 1992. The decay `min(ema_decay, (1 + t) / (10 + t))` of step t is from TensorFlow's
        `ExponentialMovingAverage`. With it the first steps forget the initial weights, also in a short training.
    """

    def __init__(self, model: keras.Model, ema_decay: float) -> None:
        """Start at the present weights. `ema_decay` is the share of the average that a late step keeps."""
        self._model, self._ema_decay, self._steps = model, ema_decay, 0
        self._vector = _joined(model.get_weights())

    def update(self) -> None:
        """Move the average towards the present weights."""
        self._vector += self.next_share() * (_joined(self._model.get_weights()) - self._vector)

    def next_share(self) -> np.float32:
        """Count one step, and return the share of its way to the present weights that the average goes."""
        decay = min(self._ema_decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        return np.float32(1 - decay)

    def weights(self) -> list[np.ndarray]:
        """Return the averages in the form of `keras.Model.get_weights`."""
        parts = np.split(self.vector(), np.cumsum([weight.size for weight in self._model.get_weights()])[:-1])
        weights = zip(parts, self._model.get_weights(), strict=True)
        return [part.reshape(weight.shape).astype(weight.dtype) for part, weight in weights]

    def vector(self) -> np.ndarray:
        """Return the averages of all weights, joined: float32 (P,)."""
        return self._vector

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that a later `restore` needs."""
        return {"average": self.vector(), "average_steps": np.array(self._steps)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""
        self._vector = state["average"]
        self._steps = int(state["average_steps"])


def _joined(weights: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([weight.reshape(-1) for weight in weights]).astype(np.float32)
