"""Colours of a given grey level."""

import colorsys
from dataclasses import dataclass
from functools import cache
from random import Random

from captcha_exp.config import StyleConfig

# A number for each channel of the image.
Color = tuple[int, ...]
_HUES = 48
# What `Image.convert("L")` weighs the channels with (ITU-R BT.601), so that grey levels hold for what a model sees.
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Palette:
    """Draws the colours of one image: of `mode` "RGB" or, a third of the work, "L"; `negative` swaps light and dark."""

    mode: str
    negative: bool

    @classmethod
    def of(cls, style: StyleConfig, rng: Random) -> "Palette":
        """The palette of an image of a family."""
        grey = style.ink_saturation[1] == style.paper_saturation[1] == 0
        return cls("L" if grey else "RGB", rng.random() < style.negative)

    def draw(self, rng: Random, grey: list[float], saturation: list[float]) -> Color:
        """A colour of random hue.

        Args:
            rng: source of chance.
            grey: range of its grey level, 0 to 255.
            saturation: range from 0, grey, to 1, as far from grey as that level allows.
        """
        level = rng.uniform(*grey)
        if self.negative:
            level = 255 - level
        share = rng.uniform(*saturation)
        if self.mode == "L":
            return (round(level),)
        tint = _tints()[rng.randrange(_HUES)]
        # As far as the first channel to meet 0 or 255.
        reach = min((255 - level) / part if part > 0 else -level / part for part in tint)
        return tuple(round(level + share * reach * part) for part in tint)


@cache
def _tints() -> tuple[tuple[float, float, float], ...]:
    """Directions away from grey that leave the grey level as it is."""
    tints = []
    for hue in range(_HUES):
        red, green, blue = colorsys.hsv_to_rgb(hue / _HUES, 1, 1)
        level = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
        tints.append((red - level, green - level, blue - level))
    return tuple(tints)
