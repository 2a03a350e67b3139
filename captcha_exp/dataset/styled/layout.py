"""Where the characters of a text stand in its picture."""

import math
from dataclasses import dataclass
from random import Random

from PIL import Image

from captcha_exp.config import Frame, StyleConfig
from captcha_exp.dataset.styled.glyphs import Glyph, coarse, rasterised, tilted

# Pixels kept free around the text.
_MARGIN = 2
_FRAME_MARGIN = 5
_MIN_SIZE = 6
# Font sizes are multiples of this, in pixels. Each size of each font needs its own masks, so fewer sizes are faster.
_SIZE_STEP = 2


@dataclass(frozen=True)
class Placed:
    """A character's mask and its upper left corner, in pixels. `center` is its position along the line."""

    mask: Image.Image
    x: int
    y: int
    center: float


@dataclass(frozen=True)
class Layout:
    """A text in a picture of `width`. `pitch` is the largest advance of its characters. Both are in pixels."""

    width: int
    placed: list[Placed]
    pitch: float


def lay_out(text: str, style: StyleConfig, fonts: tuple[str, ...], rng: Random) -> Layout:
    """Place a text at random, completely inside the picture.

    Args:
        text: at least one character; the fonts have all of them.
        style: the family.
        fonts: font files to choose from.
        rng: source of random numbers.
    """
    margin = _MARGIN if style.frame is Frame.none else _FRAME_MARGIN
    # Bending moves a pixel by at most this much.
    margin += math.ceil(style.wave[1] * style.height)
    room = style.height - 2 * margin
    line, pitch = _fitting_line(text, style, fonts, room, rng)
    top, bottom = _extent(line)
    left = min(mask.x for mask in line)
    right = max(mask.x + mask.mask.width for mask in line)
    if style.frame is Frame.cells:
        left, right = min(left, math.floor(line[0].center - pitch / 2)), math.ceil(line[-1].center + pitch / 2)
    width = max(style.width, right - left + 2 * margin)
    free = width - 2 * margin - (right - left)
    # A text with a frame stands roughly in the middle of the frame.
    x = margin - left + round(free * (rng.random() if style.frame is Frame.none else rng.uniform(0.35, 0.65)))
    y = margin - top + rng.randint(0, max(0, room - (bottom - top)))
    placed = [Placed(glyph.mask, glyph.x + x, glyph.y + y, glyph.center + x) for glyph in line]
    return Layout(width, placed, pitch)


def _fitting_line(
    text: str, style: StyleConfig, fonts: tuple[str, ...], room: int, rng: Random
) -> tuple[list[Placed], float]:
    """A line no higher than `room` pixels."""
    size = max(_MIN_SIZE, rng.uniform(*style.font_size) * style.height)
    pixel = _pixel(style, rng)
    while True:
        line, pitch = _line(text, style, fonts, size, pixel, rng)
        top, bottom = _extent(line)
        if bottom - top <= room or size == _MIN_SIZE:
            return line, pitch
        size = max(_MIN_SIZE, size * min(0.95, room / (bottom - top)))


def _pixel(style: StyleConfig, rng: Random) -> int:
    """The side of the squares that an image's characters are made of; 1 for smooth characters."""
    # Families without coarse characters draw nothing here, so that their images stay the same.
    return rng.randint(*style.coarseness) if style.coarse and rng.random() < style.coarse else 1


def _line(
    text: str, style: StyleConfig, fonts: tuple[str, ...], size: float, pixel: int, rng: Random
) -> tuple[list[Placed], float]:
    """Characters side by side on a baseline at y = 0."""
    font = rng.choice(fonts)
    slant = rng.uniform(*style.slant)
    whole = _SIZE_STEP * round(size / _SIZE_STEP)
    glyphs = []
    for character in text:
        own = rng.choice(fonts) if style.font_per_character else font
        glyphs.append((_glyph(own, character, whole, pixel), rng.uniform(*style.character_scale)))
    pitch = max(glyph.advance * scale for glyph, scale in glyphs)
    cells, gap = style.frame is Frame.cells, rng.uniform(*style.spacing) * size
    pen, line = 0.0, []
    for glyph, scale in glyphs:
        mask = tilted(glyph.mask, rng.uniform(*style.angle), slant, scale)
        # In a window, the character stands in the middle. Otherwise it stands where the font puts it.
        center = pen + (pitch / 2 if cells else glyph.center_x * scale)
        y = glyph.center_y * scale - rng.uniform(*style.rise) * size - mask.height / 2
        line.append(Placed(mask, round(center - mask.width / 2), round(y), center))
        if cells:
            pen += pitch + gap
        else:
            # Characters overlap as the family says, but a thin one must not disappear in its neighbour.
            advance = glyph.advance * scale
            pen += max(advance + rng.uniform(*style.spacing) * size, advance / 2)
    return line, pitch


def _glyph(font: str, character: str, size: int, pixel: int) -> Glyph:
    return rasterised(font, character, size) if pixel == 1 else coarse(font, character, size, pixel)


def _extent(line: list[Placed]) -> tuple[int, int]:
    """Highest and lowest row."""
    return min(glyph.y for glyph in line), max(glyph.y + glyph.mask.height for glyph in line)
