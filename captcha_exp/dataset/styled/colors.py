"""Colours of a given grey level."""

import colorsys
from functools import cache
from random import Random

Color = tuple[int, int, int]
_HUES = 48
# What `Image.convert("L")` weighs the channels with (ITU-R BT.601), so that grey levels hold for what a model sees.
_LUMA = (0.299, 0.587, 0.114)


def draw_color(rng: Random, grey: list[float], saturation: list[float], *, negative: bool) -> Color:
    """A colour of random hue.

    Args:
        rng: source of chance.
        grey: range of its grey level, 0 to 255.
        saturation: range from 0, grey, to 1, as far from grey as that level allows.
        negative: whether light and dark are exchanged.
    """
    level = rng.uniform(*grey)
    if negative:
        level = 255 - level
    share = rng.uniform(*saturation)
    tint = _tints()[rng.randrange(_HUES)]
    if share == 0:
        return (round(level),) * 3
    # As far as the first channel to meet 0 or 255.
    reach = min((255 - level) / part if part > 0 else -level / part for part in tint)
    red, green, blue = (round(level + share * reach * part) for part in tint)
    return red, green, blue


@cache
def _tints() -> tuple[tuple[float, float, float], ...]:
    """Directions away from grey that leave the grey level as it is."""
    tints = []
    for hue in range(_HUES):
        red, green, blue = colorsys.hsv_to_rgb(hue / _HUES, 1, 1)
        level = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
        tints.append((red - level, green - level, blue - level))
    return tuple(tints)
