"""A figure of the accuracy if a person reads the images that the model is least sure of."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from captcha_exp.figures.figure_style import BLUE, FAINT, INK, ORANGE, new_figure, plain_axes


def coverage_curve(
    coverage: Sequence[float], accuracy: Sequence[float], target: float, chosen: tuple[float, float] | None
) -> Figure:
    """Draw the accuracy of the images that the model reads, over the share of images that a person reads.

    Args:
        coverage: for each operating point, the share of images that the model reads, in rising order.
        accuracy: for each operating point, the share of those images that are right.
        target: an accuracy to mark.
        chosen: coverage and accuracy of the threshold that was chosen on validation images; None marks nothing.
    """
    figure = new_figure(7.2, 4.4)
    axes = figure.subplots()
    left = [1 - share for share in coverage]
    axes.plot(left, accuracy, color=BLUE, linewidth=1.8, drawstyle="steps-pre", zorder=2)
    axes.axhline(target, color=FAINT, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    axes.text(1, target, f"{target:.0%}", fontsize=9, color=INK, ha="right", va="bottom")
    if chosen is not None:
        axes.scatter([1 - chosen[0]], [chosen[1]], 60, color=ORANGE, zorder=3, label="threshold from validation")
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(max(0.0, min([*accuracy, target]) - 0.03), 1.005)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("least certain images left to a person", fontsize=9, color=INK)
    plain_axes(axes, f"Right among the images that are read; of all {accuracy[-1]:.1%}")
    figure.tight_layout()
    return figure
