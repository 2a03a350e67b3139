"""A figure of the accuracy if a person reads the images that the model is least sure of."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from captcha_exp.figures.figure_style import BLUE, FAINT, INK, ORANGE, new_figure, plain_axes


def coverage_curve(
    coverage: Sequence[float],
    accuracy: Sequence[float],
    images: int,
    target: float,
    chosen: tuple[float, float] | None,
) -> Figure:
    """Draw the accuracy of the images that the model reads, over the share of images that a person reads.

    Args:
        coverage: for each operating point, the share of images that the model reads, in rising order.
        accuracy: for each operating point, the share of those images that are right.
        images: how many images were judged.
        target: an accuracy to mark.
        chosen: coverage and accuracy of the threshold that was chosen on validation images; None marks nothing.
    """
    figure = new_figure(7.2, 4.4)
    axes = figure.subplots()
    left = [1 - share for share in coverage]
    if chosen is not None:
        label = f"confidence that validation images chose: reads {chosen[0]:.1%}, {chosen[1]:.1%} of them right"
        axes.scatter([1 - chosen[0]], [chosen[1]], 60, color=ORANGE, zorder=3, label=label)
    label = "every other confidence, chosen on these images"
    axes.plot(left, accuracy, color=BLUE, linewidth=1.8, drawstyle="steps-pre", zorder=2, label=label)
    axes.axhline(target, color=FAINT, linestyle=(0, (4, 3)), linewidth=1, zorder=1, label=f"aim: {target:.0%} right")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(max(0.0, min([*accuracy, target]) - 0.03), 1.005)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("least certain images, left to a person (share of all)", fontsize=9, color=INK)
    axes.set_ylabel("texts right (share of the images that are read)", fontsize=9, color=INK)
    plain_axes(axes, f"Right among the images that are read; of all {images:,}: {accuracy[-1]:.1%}")
    figure.tight_layout()
    return figure
