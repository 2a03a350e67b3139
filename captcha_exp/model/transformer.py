"""Sequence models: with them each time step can use what the other time steps saw."""

import keras
from keras import layers

from captcha_exp.config import (
    CustomTransformerConfig,
    DropoutConfig,
    EncoderConfig,
    LstmConfig,
    NormPlacement,
    PositionEmbedding,
    TransformerConfig,
)
from captcha_exp.errors import InputError
from captcha_exp.extension import named_function
from captcha_exp.model.layers import activate, add_positions, drop

_EPSILON = 1e-6


def model_sequence(x: keras.KerasTensor, transformer: TransformerConfig) -> keras.KerasTensor:
    """Turn features (B, T, D) into features (B, T, D'). The number of time steps stays the same."""
    if isinstance(transformer, EncoderConfig):
        return _encoder(x, transformer)
    if isinstance(transformer, LstmConfig):
        return _lstm(x, transformer)
    if isinstance(transformer, CustomTransformerConfig):
        return _custom(x, transformer)
    if isinstance(transformer, DropoutConfig):
        return drop(x, transformer.dropout)
    raise TypeError(f"No sequence model for {type(transformer).__name__}.")


def _custom(x: keras.KerasTensor, custom: CustomTransformerConfig) -> keras.KerasTensor:
    """Call the user's builder and check that it keeps the number of time steps."""
    sequence = named_function("transformer.builder", custom.builder)(x, custom)
    shape = tuple(getattr(sequence, "shape", ()))
    if len(shape) != 3 or shape[1] != x.shape[1] or shape[2] is None:
        raise InputError(
            f"transformer.builder={custom.builder} must return (B, T, D) with T = {x.shape[1]}, not {shape}."
        )
    return sequence


def _encoder(x: keras.KerasTensor, encoder: EncoderConfig) -> keras.KerasTensor:
    x = layers.Dense(encoder.projection_dim, name="projection")(x)
    if encoder.position_embedding is not PositionEmbedding.none:
        x = add_positions(x, learned=encoder.position_embedding is PositionEmbedding.learned)
    pre_norm = encoder.norm is NormPlacement.pre
    for _ in range(encoder.depth):
        for sublayer in (_attend, _feed_forward):
            if pre_norm:
                x = layers.Add()([x, sublayer(_normalise(x), encoder)])
            else:
                x = _normalise(layers.Add()([x, sublayer(x, encoder)]))
    # A pre-norm block does not normalise its output, so normalise it for the classifier.
    return _normalise(x) if pre_norm else x


def _normalise(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.LayerNormalization(epsilon=_EPSILON)(x)


def _attend(x: keras.KerasTensor, encoder: EncoderConfig) -> keras.KerasTensor:
    key_dim = encoder.key_dim if encoder.key_dim is not None else encoder.projection_dim // encoder.num_heads
    return drop(layers.MultiHeadAttention(encoder.num_heads, key_dim)(x, x), encoder.dropout)


def _feed_forward(x: keras.KerasTensor, encoder: EncoderConfig) -> keras.KerasTensor:
    x = activate(layers.Dense(encoder.feed_forward_dim)(x), encoder.activation)
    return drop(layers.Dense(encoder.projection_dim)(x), encoder.dropout)


def _lstm(x: keras.KerasTensor, lstm: LstmConfig) -> keras.KerasTensor:
    for _ in range(lstm.depth):
        x = layers.Bidirectional(layers.LSTM(lstm.projection_dim // 2, return_sequences=True))(x)
        x = drop(x, lstm.dropout)
    return x
