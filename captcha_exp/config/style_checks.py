"""Checks of families of style that need no font."""

import math
import re

from captcha_exp.config.schema import StyleConfig, StyledConfig
from captcha_exp.errors import InputError

# Grey levels between the nearest ink and paper: below it, noise and blur leave texts that people cannot read.
MIN_CONTRAST = 60
# A family's name is part of samples' names, of keys on the command line and of keys in MLflow.
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_GREY = (0, 255)
_SHARE = (0, 1)
# What both ends of a range must lie between.
_RANGES: dict[str, tuple[float, float]] = {
    "font_size": (0.1, 1.5),
    "character_scale": (0.3, 3),
    "angle": (-90, 90),
    "slant": (-1, 1),
    "spacing": (-0.5, 3),
    "rise": (-1, 1),
    "wave": (0, 0.25),
    "wave_length": (0.05, 100),
    "ink": _GREY,
    "paper": _GREY,
    "ink_saturation": _SHARE,
    "paper_saturation": _SHARE,
    "shade": _GREY,
    "lines": (0, 50),
    "arcs": (0, 50),
    "line_width": (1, 10),
    "line_ink": _GREY,
    "dots": _SHARE,
    "dot_size": (1, 10),
    "texture_strength": _GREY,
    "blur": (0, 10),
    "noise": _GREY,
    "jpeg_quality": (1, 95),
}


def check_styles(dataset: StyledConfig) -> None:
    """Refuse families whose values cannot be drawn, naming the key.

    Raises:
        InputError: with the first such key.
    """
    if not dataset.styles:
        raise InputError("dataset.styles has no family; choose some, e.g. `'dataset/style=[lines,plate]'`.")
    if dataset.fonts is not None and not dataset.fonts:
        raise InputError("dataset.fonts must be null or at least one font, not [].")
    for name, style in dataset.styles.items():
        if not _NAME.fullmatch(name):
            raise InputError(f"dataset.styles: a family is named with letters, digits, `_` and `-`, not {name!r}.")
        try:
            _check_style(style)
        except InputError as error:
            raise InputError(f"dataset.styles.{name}.{error}") from error


def _check_style(style: StyleConfig) -> None:
    """Messages begin with the key inside the style."""
    for key, (lowest, highest) in _RANGES.items():
        _check_range(key, getattr(style, key), lowest, highest)
    for key in ("negative", "gradient"):
        share = getattr(style, key)
        if not 0 <= share <= 1:
            raise InputError(f"{key} must be from 0 to 1, not {share}.")
    if not 16 <= style.height <= 128:
        raise InputError(f"height must be from 16 to 128 pixels, not {style.height}.")
    if not 16 <= style.width <= 2048:
        raise InputError(f"width must be from 16 to 2048 pixels, not {style.width}.")
    if not style.fonts:
        raise InputError("fonts must be at least one font, not [].")
    contrast = max(style.paper[0] - style.ink[1], style.ink[0] - style.paper[1])
    if contrast < MIN_CONTRAST:
        raise InputError(
            f"ink must be at least {MIN_CONTRAST} grey levels darker or lighter than paper throughout, "
            f"not {style.ink} on {style.paper}."
        )


def _check_range(key: str, ends: list[float] | None, lowest: float, highest: float) -> None:
    if ends is None:
        return
    if len(ends) != 2 or not all(map(math.isfinite, ends)) or not lowest <= ends[0] <= ends[1] <= highest:
        raise InputError(f"{key} must be a range [low, high] between {lowest} and {highest}, not {ends}.")
