"""Small parts of the network that several modules use."""

import math

import keras
import numpy as np
from keras import ops

from captcha_exp.config import Activation


def activate(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Apply an activation of the configuration. The shape stays the same."""
    if activation is Activation.gelu:
        # Keras has the approximate form only as an operation, not as a layer. ONNX cannot express the exact form.
        return ops.gelu(x, approximate=True)
    if activation is Activation.swish:
        # TensorFlow's swish has a custom gradient. The gradient would keep every graph that uses it in memory.
        return ops.multiply(x, ops.sigmoid(x))
    return keras.layers.Activation(activation.value)(x)


def drop(x: keras.KerasTensor, rate: float) -> keras.KerasTensor:
    """Apply dropout. Rate 0 adds no layer."""
    return keras.layers.Dropout(rate)(x) if rate > 0 else x


def add_positions(x: keras.KerasTensor, *, learned: bool) -> keras.KerasTensor:
    """Add an embedding of each position to (B, T, D). The embedding is learned or sinusoidal.

    The table is Keras' own `Embedding` layer, which is read at 0 to T-1. So a saved model loads without our code.
    """
    _, time_steps, dimension = x.shape
    # One image is enough, because all images have the same positions. The sum below repeats them for the batch.
    first = ops.ones_like(x[:1, :, 0], dtype="int32")
    positions = ops.subtract(ops.cumsum(first, axis=1), 1)  # (1, T)
    embedding = keras.layers.Embedding(time_steps, dimension, trainable=learned, name="position_embedding")
    table = embedding(positions)  # (1, T, D)
    if not learned:
        embedding.set_weights([sinusoidal_positions(time_steps, dimension)])
    return keras.layers.Add()([x, table])


def sinusoidal_positions(time_steps: int, dimension: int) -> np.ndarray:
    """A fixed embedding of positions: sines in the first half of the columns, cosines in the second half.

    Args:
        time_steps: number of positions T.
        dimension: number of columns D, an even number.

    Returns:
        float32 (T, D) in [-1, 1].

    Source:
        Vaswani et al. 2017, section 3.5.
    """
    frequencies = np.exp(-math.log(10_000.0) * np.arange(0, dimension, 2) / dimension)
    angles = np.arange(time_steps)[:, None] * frequencies[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
