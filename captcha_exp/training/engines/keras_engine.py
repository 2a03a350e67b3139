"""Trains with any backend of Keras, through Keras alone."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from captcha_exp.config import AdamWConfig, AugmentationConfig, CustomOptimizerConfig, OptimizerConfig, TrainingConfig
from captcha_exp.model import ctc_loss
from captcha_exp.model.distillation import distillation_loss
from captcha_exp.training.augmentation import augment
from captcha_exp.training.draws import Draws, draw
from captcha_exp.training.engines.auxiliary_head import HEAD, head_state, restore_head, with_auxiliary_head
from captcha_exp.training.engines.own_optimizer import own_optimizer
from captcha_exp.training.engines.weight_average import WeightAverage

# Keras reports the loss of each output by its name.
_LOGITS, _TAUGHT = "logits", "distillation"


class KerasEngine:
    """See `Engine`. A step is a call of Keras' `train_on_batch`, which compiles it for the backend."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: OptimizerConfig,
        augmentation: AugmentationConfig,
        training: TrainingConfig,
        teacher: keras.Model | None = None,
    ) -> None:
        """See `build_engine`."""
        self.name = keras.backend.backend()
        self._augmentation = augmentation
        weight = training.auxiliary_ctc
        trained = with_auxiliary_head(model, training.seed) if weight else model
        self._head = trained.get_layer(HEAD) if weight else None
        self._optimizer = _optimizer(trained.trainable_variables, optimizer)
        self._optimizer.build(trained.trainable_variables)
        self._gradient_norm = _watch(self._optimizer, optimizer.clip_norm)
        self._trained = AlteredImages(trained, augmentation, teacher)
        self._losses = {_LOGITS: 1.0} | ({HEAD: weight} if weight else {})
        self._losses |= {_TAUGHT: training.distil_weight} if teacher is not None else {}
        if len(self._losses) > 1:
            functions = {name: _as_computed if name == _TAUGHT else ctc_loss for name in self._losses}
            self._trained.compile(self._optimizer, functions, self._losses)
        else:
            self._trained.compile(self._optimizer, ctc_loss)
        self._average = WeightAverage(model, training.ema_decay) if training.ema_decay is not None else None

    def step(
        self, images: np.ndarray, labels: np.ndarray, seed: np.ndarray | None, learning_rate: float
    ) -> tuple[float, float]:
        """See `Engine`."""
        self._optimizer.learning_rate = learning_rate
        drawn = _drawn(seed, images.shape, self._augmentation)
        if len(self._losses) == 1:
            loss = self._trained.train_on_batch([images, *drawn], labels)
        else:
            targets = dict.fromkeys(self._losses, labels)
            loss = self._trained.train_on_batch([images, *drawn], targets, return_dict=True)[f"{_LOGITS}_loss"]
        if self._average is not None:
            self._average.update()
        return float(loss), float(ops.convert_to_numpy(self._gradient_norm))

    def averaged_weights(self) -> list[np.ndarray] | None:
        """See `Engine`."""
        return self._average.weights() if self._average is not None else None

    def state(self) -> dict[str, np.ndarray]:
        """See `Engine`."""
        variables = enumerate(self._optimizer.variables)
        state = {str(index): np.array(ops.convert_to_numpy(variable)) for index, variable in variables}
        average = self._average.state() if self._average is not None else {}
        return state | average | head_state(self._head)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Engine`."""
        restore_head(self._head, state)
        for index, variable in enumerate(self._optimizer.variables):
            variable.assign(state[str(index)])
        if self._average is not None:
            self._average.restore(state)


def _drawn(seed: np.ndarray | None, shape: tuple[int, ...], augmentation: AugmentationConfig) -> list[np.ndarray]:
    """What is drawn for images of a shape. Without a seed, zeros: they alter nothing, and need no other graph."""
    drawn = draw(np.zeros(2, np.int32) if seed is None else seed, shape, augmentation)
    parts = [part for part in drawn if part is not None]
    return [np.zeros_like(part) for part in parts] if seed is None else parts


def _optimizer(weights: Sequence[keras.Variable], config: OptimizerConfig) -> keras.optimizers.Optimizer:
    if isinstance(config, CustomOptimizerConfig):
        return own_optimizer(config)
    optimizer = keras.optimizers.AdamW(weight_decay=config.weight_decay if isinstance(config, AdamWConfig) else 0.0)
    optimizer.exclude_from_weight_decay([weight for weight in weights if len(weight.shape) < 2])
    return optimizer


def _watch(optimizer: keras.optimizers.Optimizer, clip_norm: float | None) -> keras.Variable:
    """Make the optimizer clip each gradient. The returned variable keeps the last norm before clipping."""
    last: keras.Variable = optimizer.add_variable((), name="gradient_norm")
    apply = optimizer.apply

    def clip_and_apply(grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        # The gradient of an embedding is sparse. The conversion makes it dense.
        gradients = [ops.convert_to_tensor(gradient) for gradient in grads]
        norm = ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(gradient)) for gradient in gradients])))
        last.assign(norm)
        if clip_norm is not None:
            gradients = [gradient * (clip_norm / ops.maximum(norm, clip_norm)) for gradient in gradients]
        apply(gradients, trainable_variables)

    # All trainers of Keras call this method to apply gradients.
    optimizer.apply = clip_and_apply
    return last


class AlteredImages(keras.Model):
    """Alters images by what was drawn for them, and gives them to a model and its teacher."""

    def __init__(self, model: keras.Model, augmentation: AugmentationConfig, teacher: keras.Model | None) -> None:
        super().__init__()
        self._model, self._augmentation, self._teacher = model, augmentation, teacher
        if teacher is not None:
            teacher.trainable = False  # it is a part of this model, and Keras would train it

    def call(self, inputs: Sequence[Any], training: bool | None = None) -> Any:
        """See Keras. `inputs` are images and the parts of `Draws` that are not None."""
        images, numbers, *rest = inputs
        noise = rest.pop(0) if self._augmentation.noise_stddev else None
        draws = Draws(numbers, noise, rest.pop(0) if rest else None)
        altered = augment(images, draws, self._augmentation)
        outputs = self._model(altered, training=training)
        if self._teacher is None and not isinstance(outputs, list):
            return outputs
        logits, *auxiliary = outputs if isinstance(outputs, list) else [outputs]
        named = {_LOGITS: logits, **dict(zip((HEAD,), auxiliary, strict=False))}
        if self._teacher is not None:
            named[_TAUGHT] = distillation_loss(self._teacher(altered, training=False), logits)
        return named


def _as_computed(_: Any, loss: Any) -> Any:
    """The loss of an output that is a loss itself: float32 (B,)."""
    return loss
