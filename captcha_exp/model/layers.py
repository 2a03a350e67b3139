"""Small pieces of graph that several parts of the model share."""

import math

import keras
import numpy as np
from keras import ops

from captcha_exp.config import Activation


def activate(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Apply an activation of the configuration; the shape stays."""
    if activation is Activation.gelu:
        # As a layer's activation, Keras offers the exact form only, which ONNX cannot hold.
        return ops.gelu(x, approximate=True)
    if activation is Activation.swish:
        # TensorFlow's own swish has a custom gradient, which keeps every graph it was traced in for good.
        return ops.multiply(x, ops.sigmoid(x))
    return keras.layers.Activation(activation.value)(x)


def drop(x: keras.KerasTensor, rate: float) -> keras.KerasTensor:
    """Dropout, left out of the graph altogether at rate 0."""
    return keras.layers.Dropout(rate)(x) if rate > 0 else x


def add_positions(x: keras.KerasTensor, *, learned: bool) -> keras.KerasTensor:
    """Add an embedding of each time step's position to (B, T, D), learned or sinusoidal.

    The table is a stock `Embedding` looked up at 0..T-1, so that a saved model needs no class of ours to load.
    """
    _, time_steps, dimension = x.shape
    # Of the first image only: all images have the same positions, and the sum below broadcasts.
    first = ops.ones_like(x[:1, :, 0], dtype="int32")
    positions = ops.subtract(ops.cumsum(first, axis=1), 1)  # (1, T)
    embedding = keras.layers.Embedding(time_steps, dimension, trainable=learned, name="position_embedding")
    table = embedding(positions)  # (1, T, D)
    if not learned:
        embedding.set_weights([sinusoidal_positions(time_steps, dimension)])
    return keras.layers.Add()([x, table])


def sinusoidal_positions(time_steps: int, dimension: int) -> np.ndarray:
    """Fixed embedding of positions: sines in the first half of the columns, cosines in the second.

    Args:
        time_steps: number of positions T.
        dimension: number of columns D; even.

    Returns:
        float32 (T, D) in [-1, 1].

    Source:
        Vaswani et al. 2017, section 3.5.
    """
    frequencies = np.exp(-math.log(10_000.0) * np.arange(0, dimension, 2) / dimension)
    angles = np.arange(time_steps)[:, None] * frequencies[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
