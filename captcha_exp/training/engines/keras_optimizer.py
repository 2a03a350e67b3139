"""An optimizer of the user's own, made to fit the step that TensorFlow compiles."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import CustomOptimizerConfig
from captcha_exp.training.engines.own_optimizer import own_optimizer


class KerasOptimizer:
    """A `keras.optimizers.Optimizer` that `optimizer.builder` makes; its learning rate is set at each step."""

    def __init__(self, weights: Sequence[keras.Variable], config: CustomOptimizerConfig) -> None:
        """Build the optimizer for trainable weights, which each step changes in place.

        Raises:
            InputError: the builder does not return an optimizer whose learning rate can be set.
        """
        optimizer = own_optimizer(config)
        optimizer.build(list(weights))
        self._optimizer, self._variables, self._clip_norm = optimizer, list(weights), config.clip_norm

    @property
    def weights(self) -> list[tf.Variable]:
        """The variables to take gradients of, in the order that `apply` wants them."""
        return [weight.value for weight in self._variables]

    def next_rates(self, learning_rate: float) -> np.ndarray:
        """The numbers of one step that `apply` needs: float32 (3,), of which the first is used."""
        return np.array([learning_rate, 0.0, 0.0], np.float32)

    def apply(self, gradients: Sequence[tf.Tensor], rates: tf.Tensor) -> tf.Tensor:
        """Change the weights; part of a graph. Returns the Euclidean norm of the whole gradient before clipping."""
        norm = tf.linalg.global_norm(gradients)
        if self._clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm, norm)
        self._optimizer.learning_rate.assign(rates[0])
        self._optimizer.apply(gradients, self._variables)
        return norm

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the weights that a later `restore` needs."""
        return {str(index): variable.numpy() for index, variable in enumerate(self._optimizer.variables)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` and from the weights' present values."""
        for index, variable in enumerate(self._optimizer.variables):
            variable.assign(state[str(index)])
