"""Random changes to training images. The same seed gives the same changes."""

from typing import Any

from keras import ops

from captcha_exp.config import AugmentationConfig
from captcha_exp.training.covers import cover
from captcha_exp.training.draws import BRIGHTNESS, CONTRAST, INVERSION, NOISE, RECOLORING, Draws, is_chosen
from captcha_exp.training.warps import warp


def augment(images: Any, draws: Draws, augmentation: AugmentationConfig) -> Any:
    """Change each image by its own random amounts. They are uniform between the bounds of the configuration.

    Args:
        images: float32 (B, H, W, C) in [0, 1]. Every change is the same for all channels of a pixel, but for noise and
            recolouring.
        draws: the random numbers for these images. Nothing else is random.
        augmentation: the bounds. A change whose bound is 0 is not computed.

    Returns:
        float32 (B, H, W, C) in [0, 1].
    """
    if not any(augmentation.bounds):
        return images
    numbers = draws.numbers
    images = warp(images, draws, augmentation)
    images = _invert(images, numbers, augmentation)
    images = _recolor(images, draws.further, augmentation)
    images = _relight(images, numbers, augmentation)
    if augmentation.noise_stddev:
        images = images + augmentation.noise_stddev * ops.abs(_column(numbers, NOISE)) * draws.noise
    images = ops.clip(images, 0.0, 1.0)
    return cover(images, draws, augmentation)


def _column(numbers: Any, index: int) -> Any:
    return numbers[:, index, None, None, None]  # (B, numbers) -> (B, 1, 1, 1)


def _invert(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    if not augmentation.invert_probability:
        return images
    chosen = is_chosen(_column(numbers, INVERSION), augmentation.invert_probability)
    return ops.where(chosen, 1 - images, images)


def _recolor(images: Any, further: Any, augmentation: AugmentationConfig) -> Any:
    """Turn the channels of some colour images round by one or two places, and invert some of the channels."""
    if not augmentation.recolor_probability or images.shape[-1] == 1:
        return images
    choice, turn, *inversions = (_column(further, column) for column in RECOLORING)
    by_one, by_two = ops.roll(images, 1, axis=-1), ops.roll(images, 2, axis=-1)
    turned = ops.where(turn < -1 / 3, images, ops.where(turn < 1 / 3, by_one, by_two))
    turned = ops.where(ops.concatenate(inversions, axis=-1) < 0, turned, 1 - turned)
    return ops.where(is_chosen(choice, augmentation.recolor_probability), turned, images)


def _relight(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    if augmentation.contrast:
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        images = mean + (images - mean) * (1 + augmentation.contrast * _column(numbers, CONTRAST))
    if augmentation.brightness:
        images = images + augmentation.brightness * _column(numbers, BRIGHTNESS)
    return images
