"""Fits the user's own optimizer into the step that TensorFlow compiles."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import CustomOptimizerConfig
from captcha_exp.training.engines.own_optimizer import own_optimizer


class KerasOptimizer:
    """Wraps the `keras.optimizers.Optimizer` that `optimizer.builder` makes, and sets its rate at each step."""

    def __init__(self, weights: Sequence[keras.Variable], config: CustomOptimizerConfig) -> None:
        """Build the optimizer. Each step changes the trainable weights in place.

        Raises:
            InputError: the builder does not return an optimizer, or its learning rate cannot be set.
        """
        optimizer = own_optimizer(config)
        optimizer.build(list(weights))
        self._optimizer, self._variables, self._clip_norm = optimizer, list(weights), config.clip_norm

    @property
    def weights(self) -> list[tf.Variable]:
        """Return the variables to take gradients of, in the order that `apply` wants."""
        return [weight.value for weight in self._variables]

    def next_rates(self, learning_rate: float) -> np.ndarray:
        """Return the numbers that `apply` needs for one step: float32 (3,). Only the first is used."""
        return np.array([learning_rate, 0.0, 0.0], np.float32)

    def apply(self, gradients: Sequence[tf.Tensor], rates: tf.Tensor) -> tf.Tensor:
        """Change the weights, as part of a graph. Return the norm of the whole gradient before clipping."""
        norm = tf.linalg.global_norm(gradients)
        if self._clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm, norm)
        self._optimizer.learning_rate.assign(rates[0])
        self._optimizer.apply(gradients, self._variables)
        return norm

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that a later `restore` needs, except the weights."""
        return {str(index): variable.numpy() for index, variable in enumerate(self._optimizer.variables)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from the present weights and from a `state`."""
        for index, variable in enumerate(self._optimizer.variables):
            variable.assign(state[str(index)])
