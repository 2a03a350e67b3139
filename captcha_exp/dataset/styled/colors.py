"""Colours of a given grey level."""

import colorsys
from dataclasses import dataclass
from functools import cache
from random import Random

from captcha_exp.config import StyleConfig
from captcha_exp.reader.image import LUMA

# One number per channel of the image.
Color = tuple[int, ...]
_HUES = 48


@dataclass(frozen=True)
class Palette:
    """Draws the colours of one image. `mode` is "RGB" or "L" (a third of the work); `negative` swaps light and dark."""

    mode: str
    negative: bool

    @classmethod
    def of(cls, style: StyleConfig, rng: Random) -> "Palette":
        """The palette of one image of a family."""
        grey = style.ink_saturation[1] == style.paper_saturation[1] == 0
        return cls("L" if grey else "RGB", rng.random() < style.negative)

    def draw(self, rng: Random, grey: list[float], saturation: list[float]) -> Color:
        """A colour of random hue.

        Args:
            rng: source of random numbers.
            grey: range of the grey level, 0 to 255.
            saturation: range within 0 to 1; 0 is grey, 1 is as far from grey as the grey level allows.
        """
        level = rng.uniform(*grey)
        if self.negative:
            level = 255 - level
        share = rng.uniform(*saturation)
        if self.mode == "L":
            return (round(level),)
        tint = _tints()[rng.randrange(_HUES)]
        # How far the tint can go until the first channel reaches 0 or 255.
        reach = min((255 - level) / part if part > 0 else -level / part for part in tint)
        return tuple(round(level + share * reach * part) for part in tint)


@cache
def _tints() -> tuple[tuple[float, float, float], ...]:
    """Directions away from grey that do not change the grey level."""
    tints = []
    for hue in range(_HUES):
        red, green, blue = colorsys.hsv_to_rgb(hue / _HUES, 1, 1)
        level = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
        tints.append((red - level, green - level, blue - level))
    return tuple(tints)
