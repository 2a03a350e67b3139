"""A figure of the accuracy on images that were made worse, with examples."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from captcha_exp.figures.figure_style import INK, RIGHT, WRONG, new_figure

_CELL_WIDTH, _CAPTION, _GAP = 1.7, 0.24, 0.14  # inches, as all lengths here
_NAMES, _HEADER = 1.15, 0.75
_MAX_IMAGE_HEIGHT = 1.2


def corruption_sheet(
    examples: Mapping[str, Sequence[np.ndarray]],
    accuracy: Mapping[str, Sequence[float]],
    levels: Mapping[str, Sequence[str]],
    original: np.ndarray,
    clean: float,
    images: int,
) -> Figure:
    """Draw a row for each corruption and a column for each strength. A cell has an image, its level and the accuracy.

    Args:
        examples: for each corruption, the image at each strength, uint8 (H, W) or (H, W, 3).
        accuracy: for each corruption, the accuracy at each strength.
        levels: for each corruption, the meaning of each strength.
        original: the image without corruption, uint8 (H, W) or (H, W, 3).
        clean: the accuracy without corruption.
        images: how many images were read for each accuracy.
    """
    columns = max(map(len, examples.values()))
    image_height = min(_CELL_WIDTH * original.shape[0] / original.shape[1], _MAX_IMAGE_HEIGHT)
    row_height = image_height + _CAPTION + _GAP
    width = _NAMES + columns * (_CELL_WIDTH + _GAP) + _GAP
    height = _HEADER + image_height + len(examples) * row_height
    figure = new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    top = height - _GAP
    _image(axes, original, _NAMES, top, image_height)
    mean = float(np.mean([value for row in accuracy.values() for value in row]))
    told = f"as it is: {clean:.1%} of {images:,} texts right; mean of all below {mean:.1%}"
    told += "; captions: strength, share right"
    axes.text(_NAMES + _CELL_WIDTH + _GAP, top - image_height / 2, told, fontsize=11, color=INK, va="center")
    for row, name in enumerate(examples):
        top = height - _HEADER - image_height - row * row_height + _GAP
        axes.text(_GAP, top - image_height / 2, name, fontsize=11, color=INK, va="center")
        for column, (image, share, level) in enumerate(zip(examples[name], accuracy[name], levels[name], strict=True)):
            left = _NAMES + column * (_CELL_WIDTH + _GAP)
            _image(axes, image, left, top, image_height)
            _caption(axes, left, top - image_height - _CAPTION / 2, level, share, clean)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    return figure


def _image(axes: Axes, image: np.ndarray, left: float, top: float, height: float) -> None:
    width = min(_CELL_WIDTH, height * image.shape[1] / image.shape[0])
    extent = (left, left + width, top - height, top)
    axes.imshow(image, extent=extent, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")


def _caption(axes: Axes, left: float, middle: float, level: str, share: float, clean: float) -> None:
    axes.text(left, middle, level, fontsize=8, color=INK, va="center")
    colour = RIGHT if share >= 0.9 * clean else WRONG
    right = left + _CELL_WIDTH
    axes.text(right, middle, f"{share:.1%}", fontsize=9, weight="bold", color=colour, ha="right", va="center")
