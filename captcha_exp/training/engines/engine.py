"""Says what every engine does."""

from typing import Protocol

import numpy as np


class Engine(Protocol):
    """Trains one model in place, step by step. After each step the model has the new weights.

    Attributes:
        name: name of the library that computes.
    """

    name: str

    def step(
        self, images: np.ndarray, labels: np.ndarray, seed: np.ndarray | None, learning_rate: float
    ) -> tuple[float, float]:
        """Learn from one batch.

        Args:
            images: float32 (B, H, W, C) in [0, 1].
            labels: int32 (B, L) class ids, padded with the blank.
            seed: int32 (2,), drawn by NumPy. It decides how the images are altered; see `draws.draw`. None does not
                alter them.
            learning_rate: the rate of this step.

        Returns:
            The mean CTC loss before the step, in nats, without the auxiliary one, and the Euclidean norm of the whole
            gradient before clipping.
        """

    def averaged_weights(self) -> list[np.ndarray] | None:
        """Return the averages of the model's weights, as `get_weights` does. None if `training.ema_decay` is null."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that a later `restore` needs, except the weights."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from the present weights of the model and from a `state` of an engine of this name."""
