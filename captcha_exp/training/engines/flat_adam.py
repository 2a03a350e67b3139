"""Builds the optimizer of a configuration: Adam on all weights as one vector, or the user's own."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import AdamWConfig, CustomOptimizerConfig, OptimizerConfig
from captcha_exp.training.engines.keras_optimizer import KerasOptimizer

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


class FlatAdam:
    """Runs Adam or AdamW on the trainable weights of a model, joined into one vector.

    Keras' own optimizer makes a dozen graph operations for each weight. To trace them takes longer than the first
    epoch of a short trial. This optimizer makes two for each weight and takes the same steps. Its state is two vectors.

    Source:
        Loshchilov & Hutter 2019.
    """

    def __init__(self, weights: Sequence[keras.Variable], weight_decay: float, clip_norm: float | None) -> None:
        """Start at the weights' present values.

        Args:
            weights: trainable weights. Each step changes them in place.
            weight_decay: a step at learning rate 1 takes this share of a weight away, but nothing of biases and gains.
            clip_norm: the largest Euclidean norm of the whole gradient. None does not clip.
        """
        self._weights: list[tf.Variable] = [weight.value for weight in weights]
        self._sizes = [int(np.prod(weight.shape)) for weight in weights]
        self._clip_norm = clip_norm
        self._decay = None
        if weight_decay:
            decays = [weight_decay if len(weight.shape) > 1 else 0.0 for weight in weights]
            self._decay = tf.constant(np.repeat(decays, self._sizes).astype(np.float32))
        self._flat = tf.Variable(self._joined(self._weights), trainable=False)
        self._mean = tf.Variable(tf.zeros_like(self._flat), trainable=False)
        self._variance = tf.Variable(tf.zeros_like(self._flat), trainable=False)
        self._steps = 0

    @property
    def weights(self) -> list[tf.Variable]:
        """Return the variables to take gradients of, in the order that `apply` wants."""
        return self._weights

    def next_rates(self, learning_rate: float) -> np.ndarray:
        """Count one step, and return the numbers that `apply` needs for it: float32 (3,)."""
        self._steps += 1
        return np.array([learning_rate, _BETA_1**self._steps, _BETA_2**self._steps], np.float32)

    def apply(self, gradients: Sequence[tf.Tensor], rates: tf.Tensor) -> tf.Tensor:
        """Change the weights, as part of a graph.

        Args:
            gradients: one gradient for each of `weights`.
            rates: what `next_rates` returned.

        Returns:
            float32 (), the Euclidean norm of the whole gradient before clipping.
        """
        gradient = self._joined(gradients)
        norm = tf.norm(gradient)
        if self._clip_norm is not None:
            gradient *= self._clip_norm / tf.maximum(norm, self._clip_norm)
        if self._decay is not None:
            self._flat.assign_sub(rates[0] * self._decay * self._flat)
        tf.raw_ops.ResourceApplyAdam(
            var=self._flat.handle,
            m=self._mean.handle,
            v=self._variance.handle,
            beta1_power=rates[1],
            beta2_power=rates[2],
            lr=rates[0],
            beta1=_BETA_1,
            beta2=_BETA_2,
            epsilon=_EPSILON,
            grad=gradient,
        )
        for weight, values in zip(self._weights, tf.split(self._flat, self._sizes), strict=True):
            weight.assign(tf.reshape(values, weight.shape))
        return norm

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that a later `restore` needs, except the weights."""
        return {"mean": self._mean.numpy(), "variance": self._variance.numpy(), "steps": np.array(self._steps)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from the present weights and from a `state`."""
        self._mean.assign(state["mean"])
        self._variance.assign(state["variance"])
        self._steps = int(state["steps"])
        self._flat.assign(self._joined(self._weights))

    @staticmethod
    def _joined(tensors: Sequence[tf.Tensor]) -> tf.Tensor:
        # The gradient of an embedding is sparse. The conversion makes it dense.
        return tf.concat([tf.reshape(tf.convert_to_tensor(tensor), [-1]) for tensor in tensors], axis=0)


StepOptimizer = FlatAdam | KerasOptimizer


def build_optimizer(weights: Sequence[keras.Variable], config: OptimizerConfig) -> StepOptimizer:
    """Build the optimizer of `config`. It changes the trainable weights in place.

    Raises:
        InputError: `optimizer.builder` cannot be used.
    """
    if isinstance(config, CustomOptimizerConfig):
        return KerasOptimizer(weights, config)
    weight_decay = config.weight_decay if isinstance(config, AdamWConfig) else 0.0
    return FlatAdam(weights, weight_decay, config.clip_norm)
