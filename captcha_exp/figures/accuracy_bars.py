"""A figure of the accuracy of the parts of a set of images."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from captcha_exp.figures.character_fonts import drawable, drawn_width, families
from captcha_exp.figures.figure_style import BLUE, FAINT, INK, new_figure, plain_axes

_COLUMN = 0.24  # inches, as all lengths here
_PANEL = 2.5
_LEFT, _RIGHT, _LONGEST_NAME = 0.8, 0.3, 16
_MIN_WIDTH = 6.0

# Name, number of cases, accuracy, and the ends of its interval.
Row = tuple[str, int, float, float, float]


def accuracy_by_part(groups: Mapping[str, Sequence[Row]]) -> Figure:
    """Draw one panel per grouping, with the accuracy of each part and its interval, in the given order.

    Args:
        groups: the parts by title, at least one part each.
    """
    width = max(_MIN_WIDTH, _LEFT + _RIGHT + _COLUMN * max(map(len, groups.values())))
    figure = new_figure(width, _PANEL * len(groups))
    for axes, (title, rows) in zip(figure.subplots(len(groups), 1, squeeze=False)[:, 0], groups.items(), strict=True):
        _panel(axes, title, rows)
    figure.tight_layout(h_pad=1.6)
    return figure


def _panel(axes: Axes, title: str, rows: Sequence[Row]) -> None:
    places = range(len(rows))
    accuracy = [row[2] for row in rows]
    below = [value - row[3] for value, row in zip(accuracy, rows, strict=True)]
    above = [row[4] - value for value, row in zip(accuracy, rows, strict=True)]
    # After rounding, an end may be slightly on the wrong side of the value.
    spread = [[max(0.0, value) for value in below], [max(0.0, value) for value in above]]
    axes.errorbar(places, accuracy, spread, fmt="o", color=BLUE, ecolor=FAINT, markersize=4, elinewidth=1.4, capsize=0)
    names = [drawable(row[0])[:_LONGEST_NAME] for row in rows]
    tilted = max(map(drawn_width, names)) > 2
    rotation = {"rotation": 30, "ha": "right"} if tilted else {}
    axes.set_xticks(places, names, family=families(names), fontsize=9, parse_math=False, **rotation)  # type: ignore[arg-type]
    axes.set_xlim(-0.7, len(rows) - 0.3)
    lowest = min(row[3] for row in rows)
    axes.set_ylim(max(0.0, lowest - 0.05), 1.02)
    axes.set_yticks([tick for tick in axes.get_yticks() if lowest - 0.05 <= tick <= 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    fewest, most = min(row[1] for row in rows), max(row[1] for row in rows)
    axes.set_ylabel("share right, 95% interval", fontsize=8, color=INK)
    plain_axes(axes, f"{title}, of {f'{fewest:,} to {most:,}' if fewest < most else f'{most:,}'} each")
    axes.tick_params(axis="x", length=0, colors=INK)
