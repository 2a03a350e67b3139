"""Makes a faster twin of a model, for training only."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf


def fused_twin(model: keras.Model) -> keras.Model:
    """Build the same network on the same weights, with TensorFlow's fused kernel for batch normalisation.

    Keras computes batch normalisation in a dozen operations, and each walks through memory. The twin gives the same
    numbers except for rounding. The model itself keeps its stock layers, and is the one that is saved.
    """

    def twin(layer: keras.layers.Layer) -> keras.layers.Layer:
        return _FusedNormalisation(layer) if isinstance(layer, keras.layers.BatchNormalization) else layer

    return keras.models.clone_model(model, clone_function=twin)


class _FusedNormalisation(keras.layers.Layer):
    """Normalises (B, H, W, C) in training mode, with the weights of a stock layer."""

    def __init__(self, stock: keras.layers.BatchNormalization) -> None:
        super().__init__(name=stock.name)
        self.stock = stock

    def compute_output_spec(self, inputs: keras.KerasTensor, **_: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        if not training:
            return self.stock(inputs, training=False)
        stock = self.stock
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, stock.gamma.value, stock.beta.value, epsilon=stock.epsilon, is_training=True
        )
        # The kernel returns the unbiased variance, but Keras averages the biased one.
        count = float(np.prod(inputs.shape[:-1]))
        self._average(stock.moving_mean, mean)
        self._average(stock.moving_variance, variance * ((count - 1) / count))
        return outputs

    def _average(self, moving: keras.Variable, value: tf.Tensor) -> None:
        moving.assign(moving * self.stock.momentum + value * (1 - self.stock.momentum))
