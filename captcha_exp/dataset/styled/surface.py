"""Numbers for each pixel of a picture. Most are cut from larger fields that are made once per process."""

import math
from functools import cache
from random import Random

import numpy as np
from PIL import Image

from captcha_exp.config import Texture

# The fields have a fixed seed, and each image cuts a random piece from them. Drawing new numbers for each image would
# take longer than all the rest.
_FIELD_SEED = 20_260
_NOISE_FIELD = 2**18
_FIELD_HEIGHT = 256
_FIELD_WIDTH = 1024


def ramp(height: int, width: int, rng: Random) -> np.ndarray:
    """Values from -0.5 on one side to 0.5 on the other, in a random direction.

    Returns:
        float32 of shape (H, W).
    """
    direction = rng.uniform(0, 2 * math.pi)
    along, down = math.cos(direction), math.sin(direction)
    reach = abs(along) + abs(down)
    return _steps(width) * np.float32(along / reach) + _steps(height)[:, np.newaxis] * np.float32(down / reach)


def noise(height: int, width: int, rng: Random) -> np.ndarray:
    """Independent normal noise of deviation 1.

    Returns:
        float32 of shape (H, W).
    """
    pixels = height * width
    field = _noise_field(max(_NOISE_FIELD, 2 ** math.ceil(math.log2(2 * pixels))))
    first = rng.randrange(len(field) - pixels)
    return field[first : first + pixels].reshape(height, width)


def texture(kind: Texture, height: int, width: int, rng: Random) -> np.ndarray:
    """A piece of a surface, of mean 0 and deviation 1.

    Returns:
        float32 of shape (H, W).
    """
    field = _texture_field(kind, _FIELD_WIDTH * math.ceil(2 * width / _FIELD_WIDTH))
    y = rng.randrange(field.shape[0] - height)
    x = rng.randrange(field.shape[1] - width)
    return field[y : y + height, x : x + width]


def dot_positions(count: int, pixels: int, rng: Random) -> np.ndarray:
    """Places of `count` dots.

    Returns:
        int64 of shape (count,), each below `pixels`.
    """
    field = _position_field(max(_NOISE_FIELD, 2 ** math.ceil(math.log2(2 * count + 1))))
    first = rng.randrange(len(field) - count)
    return field[first : first + count] % pixels


@cache
def _steps(size: int) -> np.ndarray:
    return np.linspace(-0.5, 0.5, size, dtype=np.float32)


@cache
def _noise_field(size: int) -> np.ndarray:
    return np.random.default_rng(_FIELD_SEED).standard_normal(size, np.float32)


@cache
def _position_field(size: int) -> np.ndarray:
    return np.random.default_rng(_FIELD_SEED).integers(0, 2**31, size)


@cache
def _texture_field(kind: Texture, width: int) -> np.ndarray:
    rng = np.random.default_rng(_FIELD_SEED)
    shape = (_FIELD_HEIGHT, width)
    if kind is Texture.paper:
        field = _blotches(rng, shape, (24, 24)) + _blotches(rng, shape, (6, 6)) + 0.6 * _blotches(rng, shape, (2, 2))
    elif kind is Texture.brushed:
        field = _blotches(rng, shape, (1, 48)) + 0.7 * _blotches(rng, shape, (2, 12)) + _blotches(rng, shape, (40, 90))
    else:
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        # The periods share no multiple with the pixel grid, so no two pieces look the same.
        field = np.sin(x * (2 * math.pi / 4.3)) + np.sin(y * (2 * math.pi / 3.7)) + 0.5 * _blotches(rng, shape, (9, 9))
    field -= field.mean()
    return (field / field.std()).astype(np.float32)


def _blotches(rng: np.random.Generator, shape: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Smooth noise of deviation about 1, with blotches of `size` pixels; float32 of `shape`."""
    height, width = (math.ceil(whole / part) + 1 for whole, part in zip(shape, size, strict=True))
    coarse = Image.fromarray(rng.standard_normal((height, width), np.float32))
    large = coarse.resize((width * size[1], height * size[0]), Image.Resampling.BICUBIC)
    smooth = np.asarray(large)[: shape[0], : shape[1]]
    return smooth / smooth.std()
