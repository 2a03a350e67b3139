"""A figure of which characters are read as which others."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from captcha_exp.figures.character_fonts import drawable, families
from captcha_exp.figures.figure_style import FAINT, INK, new_figure
from captcha_exp.metrics.accuracy import align

_CELL = 0.32  # inches
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.9, 0.3, 0.6, 0.7
_MIN_WIDTH = 5.2
_MOST = 40  # rows or columns that can still be read
_GAP_NAME = "∅"


def character_confusion(labels: Sequence[str], predictions: Sequence[str]) -> Figure:
    """Draw how often characters are read as another, missed or added. Characters without mistakes are left out.

    Args:
        labels: reference texts.
        predictions: as many predicted texts, in the same order.
    """
    mistakes: Counter[tuple[str, str]] = Counter()
    for label, prediction in zip(labels, predictions, strict=True):
        if label != prediction:
            mistakes.update(pair for pair in align(label, prediction) if pair[0] != pair[1])
    characters = sum(map(len, labels))
    if not mistakes:
        return _nothing(f"No mistake in {characters:,} characters.")
    rows = _most_frequent(mistakes, 0)
    columns = _most_frequent(mistakes, 1)
    counts = np.array([[mistakes[row, column] for column in columns] for row in rows])
    matrix_width, matrix_height = len(columns) * _CELL, len(rows) * _CELL
    width = max(_MIN_WIDTH, _LEFT + matrix_width + _RIGHT)
    height = _BOTTOM + matrix_height + _TOP
    figure = new_figure(width, height)
    axes = figure.add_axes((_LEFT / width, _BOTTOM / height, matrix_width / width, matrix_height / height))
    _matrix(axes, counts, rows, columns)
    total = sum(mistakes.values())
    title = f"{total:,} mistake{'s' if total > 1 else ''} in {characters:,} characters"
    if counts.sum() < total:
        title += f"; the commonest {counts.sum():,} shown"
    figure.text(_RIGHT / width, 1 - _TOP / 2 / height, title, fontsize=11, color=INK, va="center")
    return figure


def _most_frequent(mistakes: Counter[tuple[str, str]], side: int) -> list[str]:
    totals: Counter[str] = Counter()
    for pair, count in mistakes.items():
        totals[pair[side]] += count
    # Characters in their usual order, then the gap.
    return sorted((name for name, _ in totals.most_common(_MOST)), key=lambda name: (name == "", name))


def _matrix(axes: Axes, counts: np.ndarray, rows: list[str], columns: list[str]) -> None:
    axes.imshow(counts, cmap="Reds", vmin=0, vmax=max(counts.max(), 4), aspect="auto")
    read, meant = ([drawable(name) or _GAP_NAME for name in names] for names in (columns, rows))
    are_code_points = max(map(len, [*read, *meant])) > 1  # which have no room side by side
    style: dict[str, Any] = {"parse_math": False, "family": families([*read, *meant])}
    style["fontsize"] = 8 if are_code_points else 10
    tilted: dict[str, Any] = {"rotation": 90} if are_code_points else {}
    axes.set_xticks(range(len(columns)), read, **style, **tilted)
    axes.set_yticks(range(len(rows)), meant, **style)
    axes.set_xlabel(f"read as ({_GAP_NAME} missed)" if "" in columns else "read as", color=INK, fontsize=9)
    axes.set_ylabel(f"label ({_GAP_NAME} added)" if "" in rows else "label", color=INK, fontsize=9)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=FAINT, alpha=0.35, linewidth=0.6)
    axes.tick_params(which="both", length=0, colors=INK)
    for side in axes.spines.values():
        side.set_color(FAINT)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if count > 0.6 * max(counts.max(), 4) else INK
            axes.text(column, row, f"{count}", ha="center", va="center", fontsize=8, color=colour)


def _nothing(text: str) -> Figure:
    figure = new_figure(_MIN_WIDTH, 1.4)
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=11, color=INK)
    return figure
