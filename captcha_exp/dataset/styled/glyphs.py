"""Masks of single characters. Each is rasterised once per process, and tilted for each use."""

import math
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

from captcha_exp.dataset.styled.fonts import load_font

# A border, so that tilting cuts nothing off at the edges.
_PAD = 1
# A large pixel is full if a third of it is inked: thin strokes must not disappear.
_FULL_OR_EMPTY = [255 * (level > 85) for level in range(256)]


@dataclass(frozen=True)
class Glyph:
    """A character's mask ("L"). Its centre is at (`center_x`, `center_y`) from the pen on the baseline, y down.

    `advance` is how far the font moves the pen. All lengths are in pixels.
    """

    mask: Image.Image
    center_x: float
    center_y: float
    advance: float


@lru_cache(maxsize=100_000)
def rasterised(path: str, character: str, size: int) -> Glyph:
    """A character of a font at a size in pixels."""
    font = load_font(path, size)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(character, anchor="ls"))
    mask = Image.new("L", (right - left + 2 * _PAD, bottom - top + 2 * _PAD))
    ImageDraw.Draw(mask).text((_PAD - left, _PAD - top), character, 255, font, anchor="ls")
    return Glyph(mask, (left + right) / 2, (top + bottom) / 2, font.getlength(character))


@lru_cache(maxsize=100_000)
def coarse(path: str, character: str, size: int, pixel: int) -> Glyph:
    """A character of a font at a size in pixels, made of squares of `pixel` x `pixel` that are full or empty."""
    small = rasterised(path, character, max(1, round(size / pixel)))
    size_in_pixels = (small.mask.width * pixel, small.mask.height * pixel)
    mask = small.mask.point(_FULL_OR_EMPTY).resize(size_in_pixels, Image.Resampling.NEAREST)
    return Glyph(mask, small.center_x * pixel, small.center_y * pixel, small.advance * pixel)


def tilted(mask: Image.Image, angle: float, slant: float, scale: float) -> Image.Image:
    """Scale a mask, push its top to the right by `slant` times its height, and turn it counter-clockwise.

    Args:
        mask: a mask from `rasterised`.
        angle: in degrees.
        slant: sideways shift per height.
        scale: near 1. Scaling here and not in `rasterised` keeps the number of masks low.
    """
    if not angle and not slant and scale == 1:
        return mask
    turn = math.radians(angle)
    cos, sin = math.cos(turn), math.sin(turn)
    # The forward map, with y down: (x, y) -> slanted (x - slant y, y) -> turned.
    a, b = cos * scale, (sin - slant * cos) * scale
    d, e = -sin * scale, (cos + slant * sin) * scale
    width, height = mask.size
    new_width = math.ceil(abs(a) * width + abs(b) * height)
    new_height = math.ceil(abs(d) * width + abs(e) * height)
    # Pillow wants the inverse map. The centre stays the centre.
    determinant = scale * scale
    a, b, d, e = e / determinant, -b / determinant, -d / determinant, a / determinant
    x = (width - a * new_width - b * new_height) / 2
    y = (height - d * new_width - e * new_height) / 2
    return mask.transform(
        (new_width, new_height), Image.Transform.AFFINE, (a, b, x, d, e, y), Image.Resampling.BILINEAR
    )
