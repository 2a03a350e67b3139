"""Random changes to training images. The same seed gives the same changes."""

import math
from typing import Any

from keras import ops

from captcha_exp.config import AugmentationConfig
from captcha_exp.training.draws import Draws

# Which column of the random numbers decides what. Each image has one row of them.
_ROTATION, _SHEAR, _SCALE_X, _SCALE_Y, _SHIFT_X, _SHIFT_Y, _BRIGHTNESS, _CONTRAST, _NOISE, _ERASE = range(10)
_ERASE_HEIGHT, _ERASE_WIDTH, _ERASE_Y, _ERASE_X, _INVERT = range(10, 15)


def augment(images: Any, draws: Draws, augmentation: AugmentationConfig) -> Any:
    """Change each image by its own random amounts. They are uniform between the bounds of the configuration.

    Args:
        images: float32 (B, H, W, C) in [0, 1]. Every change is the same for all channels of a pixel. Only the noise
            differs from channel to channel.
        draws: the random numbers for these images. Nothing else is random.
        augmentation: the bounds. A change whose bound is 0 is not computed.

    Returns:
        float32 (B, H, W, C) in [0, 1].
    """
    if not any(augmentation.bounds):
        return images
    numbers = draws.numbers
    images = _move(images, numbers, augmentation)
    images = _invert(images, numbers, augmentation)
    images = _relight(images, numbers, augmentation)
    if augmentation.noise_stddev:
        images = images + augmentation.noise_stddev * ops.abs(_column(numbers, _NOISE)) * draws.noise
    images = ops.clip(images, 0.0, 1.0)
    return _erase(images, numbers, augmentation)


def _column(numbers: Any, index: int) -> Any:
    return numbers[:, index, None, None, None]  # (B, numbers) -> (B, 1, 1, 1)


def _move(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    """Rotate, shear and scale around the centre, then shift. The pixels at the border fill the space outside."""
    bounds = (augmentation.rotation_degrees, augmentation.shear_degrees, augmentation.scale, augmentation.translate)
    if not any(bounds):
        return images
    _, height, width, _ = images.shape
    angle = numbers[:, _ROTATION] * math.radians(augmentation.rotation_degrees)
    shear = ops.tan(numbers[:, _SHEAR] * math.radians(augmentation.shear_degrees))
    # The matrix maps a pixel of the result to its place in the source. So a factor that enlarges must divide.
    scale_x = 1 / (1 + augmentation.scale * numbers[:, _SCALE_X])
    scale_y = 1 / (1 + augmentation.scale * numbers[:, _SCALE_Y])
    a, b = scale_x * ops.cos(angle), scale_x * (shear * ops.cos(angle) - ops.sin(angle))
    c, d = scale_y * ops.sin(angle), scale_y * (shear * ops.sin(angle) + ops.cos(angle))
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    from_x = centre_x + augmentation.translate * width * numbers[:, _SHIFT_X]
    from_y = centre_y + augmentation.translate * height * numbers[:, _SHIFT_Y]
    zeros = ops.zeros_like(a)
    transforms = ops.stack(
        [a, b, from_x - a * centre_x - b * centre_y, c, d, from_y - c * centre_x - d * centre_y, zeros, zeros], axis=1
    )
    return ops.image.affine_transform(
        images, transforms, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )


def _invert(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    if not augmentation.invert_probability:
        return images
    chosen = (_column(numbers, _INVERT) + 1) / 2 < augmentation.invert_probability
    return ops.where(chosen, 1 - images, images)


def _relight(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    if augmentation.contrast:
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        images = mean + (images - mean) * (1 + augmentation.contrast * _column(numbers, _CONTRAST))
    if augmentation.brightness:
        images = images + augmentation.brightness * _column(numbers, _BRIGHTNESS)
    return images


def _erase(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    """Cover a part of some images with a box in the mean grey of the image."""
    if not augmentation.erase_probability or not augmentation.erase_share:
        return images
    _, height, width, _ = images.shape
    chosen = (numbers[:, _ERASE, None] + 1) / 2 < augmentation.erase_probability  # (B, 1)
    rows = _span(numbers[:, _ERASE_Y], numbers[:, _ERASE_HEIGHT], height, augmentation.erase_share)  # (B, H)
    columns = _span(numbers[:, _ERASE_X], numbers[:, _ERASE_WIDTH], width, augmentation.erase_share)  # (B, W)
    box = (rows & chosen)[:, :, None, None] & columns[:, None, :, None]  # (B, H, W, 1)
    return ops.where(box, ops.mean(images, axis=(1, 2, 3), keepdims=True), images)


def _span(position: Any, size: Any, length: int, share: float) -> Any:
    """Mark the pixels inside a span of random centre and size: float32 (B,) -> bool (B, length)."""
    centre = (position + 1) / 2 * length
    half = ops.abs(size) * share * length / 2
    return ops.abs(ops.arange(length, dtype="float32") + 0.5 - centre[:, None]) < half[:, None]
