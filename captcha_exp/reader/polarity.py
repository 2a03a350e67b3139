"""Light text on dark, turned round to dark text on light."""

from enum import StrEnum

import numpy as np
from PIL import Image, ImageChops

# The share of an image's pixels that its darkest and lightest levels may be lost to: noise and specks.
_SPECKS = 0.02


class Polarity(StrEnum):
    """Which of text and background is the darker one: as in the file, or always the text."""

    keep = "keep"
    dark_text = "dark_text"


def is_light_on_dark(image: Image.Image) -> bool:
    """Whether an image's background is darker than its text.

    Text covers less than half of an image, so the median is the background's level. It is dark if it lies nearer to
    the darkest level than to the lightest. The border does not say more: frames and plates have edges of the text's
    colour.

    Args:
        image: "L" or "RGB"; its grey levels count.
    """
    up_to = np.cumsum(image.convert("L").histogram())  # the number of pixels of at most each level
    dark, middle, light = np.searchsorted(up_to, np.array([_SPECKS, 0.5, 1 - _SPECKS]) * up_to[-1])
    return bool(middle - dark < light - middle)


def dark_on_light(image: Image.Image) -> Image.Image:
    """The image ("L" or "RGB") with all channels inverted if its grey levels are light text on a dark background."""
    if is_light_on_dark(image):
        return ImageChops.invert(image)
    return image
