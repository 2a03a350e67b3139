"""Random changes to where the pixels of an image lie."""

import math
from typing import Any

from keras import ops

from captcha_exp.config import AugmentationConfig
from captcha_exp.training.draws import BENDS, MOVES, PERSPECTIVE, Draws


def warp(images: Any, draws: Draws, augmentation: AugmentationConfig) -> Any:
    """Move each image as a whole, then bend it. The pixels at the border fill the space outside.

    Args:
        images: float32 (B, H, W, C).
        draws: the random numbers for these images.
        augmentation: the bounds. A change whose bound is 0 is not computed.

    Returns:
        float32 (B, H, W, C).
    """
    return _bend(_move(images, draws.numbers, augmentation), draws.further, augmentation)


def _move(images: Any, numbers: Any, augmentation: AugmentationConfig) -> Any:
    """Rotate, shear and scale around the centre, then shift."""
    bounds = (augmentation.rotation_degrees, augmentation.shear_degrees, augmentation.scale, augmentation.translate)
    if not any(bounds):
        return images
    _, height, width, _ = images.shape
    rotation, shearing, wider, taller, right, down = (numbers[:, column] for column in MOVES)
    angle = rotation * math.radians(augmentation.rotation_degrees)
    shear = ops.tan(shearing * math.radians(augmentation.shear_degrees))
    # The matrix maps a pixel of the result to its place in the source. So a factor that enlarges must divide.
    scale_x = 1 / (1 + augmentation.scale * wider)
    scale_y = 1 / (1 + augmentation.scale * taller)
    a, b = scale_x * ops.cos(angle), scale_x * (shear * ops.cos(angle) - ops.sin(angle))
    c, d = scale_y * ops.sin(angle), scale_y * (shear * ops.sin(angle) + ops.cos(angle))
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    from_x = centre_x + augmentation.translate * width * right
    from_y = centre_y + augmentation.translate * height * down
    zeros = ops.zeros_like(a)
    transforms = ops.stack(
        [a, b, from_x - a * centre_x - b * centre_y, c, d, from_y - c * centre_x - d * centre_y, zeros, zeros], axis=1
    )
    return ops.image.affine_transform(
        images, transforms, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )


def _bend(images: Any, further: Any, augmentation: AugmentationConfig) -> Any:
    """Tilt the image away from the viewer, and let waves run through it."""
    if not augmentation.perspective and not augmentation.bend:
        return images
    _, height, width, _ = images.shape
    y, x = ops.meshgrid(ops.linspace(-1.0, 1.0, height), ops.linspace(-1.0, 1.0, width), indexing="ij")  # (H, W)
    y, x = ops.cast(y, "float32")[None], ops.cast(x, "float32")[None]
    tilts = [augmentation.perspective * further[:, column, None, None] for column in PERSPECTIVE]
    distance = 1 + tilts[0] * x + tilts[1] * y  # (B, H, W)
    rows = (y / distance + 1) / 2 * (height - 1)
    columns = (x / distance + 1) / 2 * (width - 1)
    draw = [further[:, column, None, None] for column in BENDS]
    reach = augmentation.bend * height
    # Up and down along the text with one to three waves; narrower and wider along it; and slanting from row to row.
    rows = rows + reach * draw[0] * ops.sin(math.pi * ((2 + draw[1]) * x + draw[2]))
    columns = columns + reach * draw[3] * ops.sin(math.pi * ((2.5 + 1.5 * draw[4]) * x + draw[5]))
    columns = columns + reach * draw[6] * ops.sin(math.pi * ((0.75 + 0.5 * draw[7]) * y + draw[8]))
    return _sampled(images, rows, columns)


def _sampled(images: Any, rows: Any, columns: Any) -> Any:
    """Read images (B, H, W, C) between their pixels at `rows` and `columns`, each (B, H', W'): (B, H', W', C)."""
    _, height, width, channels = images.shape
    rows, columns = ops.clip(rows, 0.0, height - 1.0), ops.clip(columns, 0.0, width - 1.0)
    top, left = ops.minimum(ops.floor(rows), height - 2.0), ops.minimum(ops.floor(columns), width - 2.0)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    shape = ops.shape(rows)
    first = ops.reshape(ops.cast(top * width + left, "int32"), (shape[0], -1, 1))
    flat = ops.reshape(images, (-1, height * width, channels))

    def at(offset: int) -> Any:
        values = ops.take_along_axis(flat, first + offset, axis=1)
        return ops.reshape(values, (*shape, channels))

    above = at(0) * (1 - right) + at(1) * right
    below = at(width) * (1 - right) + at(width + 1) * right
    return above * (1 - down) + below * down
