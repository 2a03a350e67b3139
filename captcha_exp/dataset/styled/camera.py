"""Effects on a painted picture as a whole."""

import math
from collections.abc import Iterator
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from captcha_exp.config import StyleConfig, Texture
from captcha_exp.dataset.styled.colors import Color
from captcha_exp.dataset.styled.surface import dot_positions, noise, ramp, texture

_LEAST_BLUR = 0.05  # a smaller radius has no visible effect

# What differs from its four diagonal neighbours, on middle grey.
_EDGES = ImageFilter.Kernel((3, 3), (-1, 0, -1, 0, 4, 0, -1, 0, -1), scale=1, offset=127)


def photographed(image: Image.Image, style: StyleConfig, rng: Random) -> np.ndarray:
    """Bend and blur the picture, and add uneven light, a surface texture and noise.

    Returns:
        uint8 of shape (H, W, C).
    """
    if style.wave[1] > 0:
        image = _bent(image, style, rng)
    # Families without edges draw nothing here, so that their images stay the same.
    if style.edges and rng.random() < style.edges:
        image = image.filter(_EDGES)
    radius = rng.uniform(*style.blur)
    if radius > _LEAST_BLUR:
        image = image.filter(ImageFilter.BoxBlur(radius))
    lit = np.array(image, np.float32).reshape(image.height, image.width, -1)
    for field in _fields(image.height, image.width, style, rng):
        # Each pixel gets the same value in all channels, on ink and on paper, so the contrast between them stays.
        lit += field[..., np.newaxis]
    return lit.clip(0, 255, out=lit).astype(np.uint8)


def add_dots(pixels: np.ndarray, style: StyleConfig, color: Color, rng: Random) -> None:
    """Put dots on a picture of shape (H, W, C)."""
    height, width, channels = pixels.shape
    size = rng.randint(*style.dot_size)
    count = round(rng.uniform(*style.dots) * height * width / size**2)
    if not count:
        return
    flat = pixels.reshape(-1, channels)
    corners = dot_positions(count, height * width, rng)
    for step in range(size * size):
        flat[(corners + step // size * width + step % size) % len(flat)] = color


def _bent(image: Image.Image, style: StyleConfig, rng: Random) -> Image.Image:
    """Shift rows and columns along sine waves. Each pixel moves by whole pixels."""
    width, height = image.size
    amplitude, length = rng.uniform(*style.wave) * height, rng.uniform(*style.wave_length) * height
    turn = 2 * math.pi / length
    down = amplitude * np.sin(turn * np.arange(width) + rng.uniform(0, 2 * math.pi))
    right = amplitude * np.sin(turn * np.arange(height) + rng.uniform(0, 2 * math.pi))
    y = np.clip(np.rint(np.arange(height)[:, np.newaxis] + down), 0, height - 1).astype(np.int64)
    x = np.clip(np.rint(np.arange(width) + right[:, np.newaxis]), 0, width - 1).astype(np.int64)
    pixels = np.asarray(image).reshape(height * width, -1)
    return Image.fromarray(pixels.take(y * width + x, axis=0).squeeze())


def _fields(height: int, width: int, style: StyleConfig, rng: Random) -> Iterator[np.ndarray]:
    """Values to add to the grey level of each pixel, as float32 of shape (H, W)."""
    shade, strength, deviation = (rng.uniform(*ends) for ends in (style.shade, style.texture_strength, style.noise))
    if shade:
        yield ramp(height, width, rng) * np.float32(shade)
    if style.texture is not Texture.none and strength:
        yield texture(style.texture, height, width, rng) * np.float32(strength)
    if deviation:
        yield noise(height, width, rng) * np.float32(deviation)
