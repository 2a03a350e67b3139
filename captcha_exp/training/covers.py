"""Random marks that cover a part of an image."""

import math
from typing import Any

from keras import ops

from captcha_exp.config import AugmentationConfig
from captcha_exp.training.draws import ERASURE, PROBES, STROKE, Draws, is_chosen, stroke_columns


def cover(images: Any, draws: Draws, augmentation: AugmentationConfig) -> Any:
    """Draw strokes over each image, then erase a box of some images.

    Args:
        images: float32 (B, H, W, C) in [0, 1].
        draws: the random numbers for these images.
        augmentation: the bounds. A change whose bound is 0 is not computed.

    Returns:
        float32 (B, H, W, C) in [0, 1].
    """
    return _erase(_strike(images, draws.further, augmentation), draws.numbers, augmentation)


def _strike(images: Any, further: Any, augmentation: AugmentationConfig) -> Any:
    """Draw wavy lines from side to side, most of them in the colour of the text."""
    if not augmentation.strokes:
        return images
    ink = _ink(images, further)
    for columns in stroke_columns(augmentation.strokes):
        images = _struck(images, ink, [further[:, column] for column in columns], augmentation)
    return images


def _ink(images: Any, further: Any) -> Any:
    """The colour of the text (B, 1, 1, C): of some random pixels, the one that differs most from the mean."""
    _, height, width, channels = images.shape
    places = ops.stack([further[:, column] for column in PROBES], axis=1)  # (B, P)
    index = ops.cast((places + 1) / 2 * (height * width - 1), "int32")
    colors = ops.take_along_axis(ops.reshape(images, (-1, height * width, channels)), index[..., None], axis=1)
    mean = ops.mean(images, axis=(1, 2))[:, None]
    distance = ops.sum(ops.square(colors - mean), axis=2)  # (B, P)
    farthest = ops.cast(ops.equal(distance, ops.max(distance, axis=1, keepdims=True)), "float32")
    farthest = farthest / ops.sum(farthest, axis=1, keepdims=True)
    return ops.sum(colors * farthest[..., None], axis=1)[:, None, None]


def _struck(images: Any, ink: Any, draw: list[Any], augmentation: AugmentationConfig) -> Any:
    _, height, width, channels = images.shape
    x = ops.linspace(-1.0, 1.0, width)[None]
    centre, slope, swing, waves, phase, thickness, begin, end, there, own = (value[:, None] for value in draw[:STROKE])
    path = 0.7 * centre + 0.4 * slope * x + 0.25 * swing * ops.sin(math.pi * ((1.5 + waves) * x + phase))  # (B, W)
    path = (path + 1) / 2 * (height - 1)
    y = ops.arange(height, dtype="float32")[None, :, None]
    half = (0.5 + augmentation.stroke_width * height * (thickness + 1) / 2) / 2
    inside = ops.clip(half[:, :, None] + 0.5 - ops.abs(y - path[:, None, :]), 0.0, 1.0)  # (B, H, W)
    middle, reach = 0.3 * begin, 0.6 + 0.4 * end  # where it lies along the text, and how far it goes to each side
    inside = inside * ops.cast(ops.abs(x - middle) < reach, "float32")[:, None, :]
    inside = (inside * ops.cast(is_chosen(there, 0.5), "float32")[:, :, None])[..., None]
    other = (ops.stack(draw[STROKE : STROKE + channels], axis=1)[:, None, None] + 1) / 2
    color = ops.where(own[:, :, None, None] < 0.4, ink, other)
    return images * (1 - inside) + color * inside


def _erase(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    """Cover a part of some images with a box in the mean grey of the image."""
    if not augmentation.erase_probability or not augmentation.erase_share:
        return images
    _, height, width, _ = images.shape
    choice, tall, wide, y, x = (numbers[:, column] for column in ERASURE)
    chosen = (choice[:, None] + 1) / 2 < augmentation.erase_probability  # (B, 1)
    rows = _span(y, tall, height, augmentation.erase_share)  # (B, H)
    columns = _span(x, wide, width, augmentation.erase_share)  # (B, W)
    box = (rows & chosen)[:, :, None, None] & columns[:, None, :, None]  # (B, H, W, 1)
    return ops.where(box, ops.mean(images, axis=(1, 2, 3), keepdims=True), images)


def _span(position: Any, size: Any, length: int, share: float) -> Any:
    """Mark the pixels inside a span of random centre and size: float32 (B,) -> bool (B, length)."""
    centre = (position + 1) / 2 * length
    half = ops.abs(size) * share * length / 2
    return ops.abs(ops.arange(length, dtype="float32") + 0.5 - centre[:, None]) < half[:, None]
