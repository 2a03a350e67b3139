"""A sheet of images with the texts that were read in them."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from captcha_exp.figures.character_fonts import drawable, drawn_width, families
from captcha_exp.figures.figure_style import FAINT, INK, RIGHT, WRONG, new_figure
from captcha_exp.reader.image import Images

_COLUMNS = 6
_CELL_WIDTH = 2.0  # inches, as all lengths here
_GAP = 0.18
_LINE = 0.19
_CAPTION = 2.3 * _LINE
_HEADER = 0.5
_FONT_POINTS = 10
_GLYPH_SHARE = 0.61  # width of a monospaced character, as a share of its size
_MAX_IMAGE_HEIGHT = 2.0


def prediction_sheet(
    images: Images, labels: Sequence[str], predictions: Sequence[str], confidences: Sequence[float], limit: int
) -> Figure:
    """Draw images with label, prediction and confidence. Wrong ones are first, the surest on top; then the least sure.

    Args:
        images: uint8 (N, H, W) or (N, H, W, 3), N at least 1.
        labels: the N reference texts.
        predictions: the N texts that were read.
        confidences: one for each prediction, in [0, 1].
        limit: the most images to show, at least 1.
    """
    order = sheet_order(labels, predictions, confidences)[:limit]
    columns = min(_COLUMNS, len(order))
    rows = math.ceil(len(order) / columns)
    image_height = min(_CELL_WIDTH * images.shape[1] / images.shape[2], _MAX_IMAGE_HEIGHT)
    cell_height = image_height + _CAPTION + _GAP
    width = max(columns, 3) * (_CELL_WIDTH + _GAP) + _GAP
    height = rows * cell_height + _HEADER
    figure = new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    wrong = sum(label != text for label, text in zip(labels, predictions, strict=True))
    header = f"{wrong} of {len(labels)} read wrong" + (f"; {len(order)} shown" if len(order) < len(labels) else "")
    axes.text(
        width - _GAP, height - _HEADER / 2, "below each: label, text read, confidence", fontsize=8, color=FAINT,
        ha="right", va="center",
    )  # fmt: skip
    axes.text(_GAP, height - _HEADER / 2, header, fontsize=12, color=INK, va="center")
    for place, index in enumerate(order):
        row, column = divmod(place, columns)
        left = _GAP + column * (_CELL_WIDTH + _GAP)
        top = height - _HEADER - row * cell_height
        _cell(axes, images[index], left, top, image_height)
        _caption(axes, left, top - image_height, labels[index], predictions[index], confidences[index])
    # Set the limits after the images are drawn, because drawing an image changes them.
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    return figure


def sheet_order(labels: Sequence[str], predictions: Sequence[str], confidences: Sequence[float]) -> list[int]:
    """Indices of wrong predictions by falling confidence, then of right predictions by rising confidence."""

    def key(index: int) -> tuple[bool, float]:
        right = labels[index] == predictions[index]
        return right, confidences[index] if right else -confidences[index]

    return sorted(range(len(labels)), key=key)


def _cell(axes: Axes, image: np.ndarray, left: float, top: float, height: float) -> None:
    width = min(_CELL_WIDTH, height * image.shape[1] / image.shape[0])
    extent = (left, left + width, top - height, top)
    axes.imshow(image, extent=extent, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")


def _caption(axes: Axes, left: float, top: float, label: str, prediction: str, confidence: float) -> None:
    colour = RIGHT if label == prediction else WRONG
    _line(axes, left, top - 0.6 * _LINE, label, INK, "normal")
    read = prediction if prediction else "(nothing)"
    _line(axes, left, top - 1.6 * _LINE, read, colour, "bold")
    sure = f"{confidence:.0%}"
    axes.text(left + _CELL_WIDTH, top - 0.6 * _LINE, sure, fontsize=8, color=colour, ha="right", va="center")


def _line(axes: Axes, left: float, middle: float, text: str, colour: str, weight: str) -> None:
    room = (_CELL_WIDTH - 0.4) * 72  # points; the confidence needs the rest
    visible = drawable(text)
    size = min(_FONT_POINTS, room / (_GLYPH_SHARE * max(drawn_width(visible), 1)))
    # A label may hold dollar signs; they would begin a formula.
    axes.text(
        left, middle, visible, fontsize=size, color=colour, family=families([visible]), weight=weight, va="center",
        parse_math=False,
    )  # fmt: skip
