"""Feature extractors: they turn an image into a feature map."""

import keras
from keras import layers

from captcha_exp.config import CnnConfig, CustomCnnConfig, ResidualCnnConfig, StridedCnnConfig, feature_size
from captcha_exp.errors import InputError
from captcha_exp.extension import named_function
from captcha_exp.model.layers import activate, drop


def extract_features(images: keras.KerasTensor, cnn: CnnConfig) -> keras.KerasTensor:
    """Turn images (B, H, W, 1 or 3) into a feature map (B, H', W', C) of the size that `config.feature_size` gives."""
    if isinstance(cnn, CustomCnnConfig):
        return _custom(images, cnn)
    if isinstance(cnn, ResidualCnnConfig):
        return _residual(images, cnn)
    if isinstance(cnn, StridedCnnConfig):
        return (_vgg if cnn.kind == "vgg" else _compact)(images, cnn)
    return _original(images, cnn)


def _custom(x: keras.KerasTensor, cnn: CustomCnnConfig) -> keras.KerasTensor:
    """Call the user's builder and check its width, because the labels were checked for this width."""
    features = named_function("cnn.builder", cnn.builder)(x, cnn)
    _, width = feature_size(cnn, x.shape[1], x.shape[2])
    shape = tuple(getattr(features, "shape", ()))
    if len(shape) != 4 or shape[2] != width or None in shape[1:]:
        raise InputError(
            f"cnn.builder={cnn.builder} must return (B, H', W', C) with W' = {width} for images {x.shape[2]} pixels "
            f"wide and cnn.width_stride={cnn.width_stride}, not {shape}."
        )
    return features


def _original(x: keras.KerasTensor, cnn: CnnConfig) -> keras.KerasTensor:
    # The last block keeps the width, so there are enough time steps for the labels. Dilation lets it see further.
    for filters, dilation, pool in zip(cnn.filters, (1, 1, 2), ((2, 2), (2, 2), (2, 1)), strict=True):
        x = layers.Conv2D(filters, 3, padding="same", dilation_rate=dilation)(x)
        x = activate(x, cnn.activation)
        x = layers.BatchNormalization(momentum=cnn.norm_momentum)(x)
        x = layers.MaxPooling2D(pool)(x)
        x = drop(x, cnn.dropout)
    return x


def _compact(x: keras.KerasTensor, cnn: StridedCnnConfig) -> keras.KerasTensor:
    for stage, filters in enumerate(cnn.filters):
        x = drop(_conv(x, filters, cnn, strides=_stride(cnn, stage)), cnn.dropout)
    return x


def _residual(x: keras.KerasTensor, cnn: ResidualCnnConfig) -> keras.KerasTensor:
    x = _conv(x, cnn.filters[0], cnn, strides=_stride(cnn, 0))
    for stage, (filters, blocks) in enumerate(zip(cnn.filters, cnn.blocks or [1] * len(cnn.filters), strict=True)):
        for block in range(blocks):
            # The first convolution has already halved the input of the first stage.
            x = _residual_block(x, filters, cnn, _stride(cnn, stage) if stage and not block else (1, 1))
    return x


def _residual_block(x: keras.KerasTensor, filters: int, cnn: CnnConfig, strides: tuple[int, int]) -> keras.KerasTensor:
    shortcut = x
    if strides != (1, 1):
        shortcut = layers.Conv2D(filters, 1, strides=strides, padding="same", use_bias=False)(x)
        shortcut = layers.BatchNormalization(momentum=cnn.norm_momentum)(shortcut)
    x = _conv(x, filters, cnn, strides=strides)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=cnn.norm_momentum)(x)
    x = activate(layers.Add()([x, shortcut]), cnn.activation)
    return drop(x, cnn.dropout)


def _vgg(x: keras.KerasTensor, cnn: StridedCnnConfig) -> keras.KerasTensor:
    for stage, filters in enumerate(cnn.filters):
        # From the third stage on there are two convolutions, as in CRNN. In the first two stages they would cost most.
        for _ in range(1 if stage < 2 else 2):
            x = _conv(x, filters, cnn)
        x = layers.MaxPooling2D(_stride(cnn, stage))(x)
        x = drop(x, cnn.dropout)
    return x


def _conv(x: keras.KerasTensor, filters: int, cnn: CnnConfig, strides: tuple[int, int] = (1, 1)) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=cnn.norm_momentum)(x)
    return activate(x, cnn.activation)


def _stride(cnn: StridedCnnConfig, stage: int) -> tuple[int, int]:
    """Every stage halves the height. The first log2(`width_stride`) stages also halve the width."""
    return (2, 2 if 2 ** (stage + 1) <= cnn.width_stride else 1)
