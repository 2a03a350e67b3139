"""A figure of confidence against accuracy."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from captcha_exp.figures.figure_style import BLUE, FAINT, INK, ORANGE, new_figure, plain_axes

# Confidence, accuracy and number of images of one bin.
_Bin = tuple[float, float, int]


def reliability_diagram(
    bins: Sequence[_Bin], error: float, scaled: tuple[Sequence[_Bin], float, float] | None
) -> Figure:
    """Draw how often texts of each confidence are right. On the diagonal, confidence and accuracy are equal.

    Args:
        bins: mean confidence, accuracy and number of images of each bin.
        error: the expected calibration error.
        scaled: bins and error after temperature scaling, and the temperature; None draws no second panel.
    """
    panels = 1 if scaled is None else 2
    figure = new_figure(1.2 + 4.4 * panels, 4.6)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _panel(axes[0], bins, BLUE, f"As read: calibration error {error:.1%}")
    if scaled is not None:
        after, error_after, temperature = scaled
        _panel(axes[1], after, ORANGE, f"At temperature {temperature:.2f}: {error_after:.1%}")
    figure.tight_layout(w_pad=2.5)
    return figure


def _panel(axes: Axes, bins: Sequence[_Bin], colour: str, title: str) -> None:
    most = max(count for _, _, count in bins)
    line = (0, (4, 3))
    axes.plot((0, 1), (0, 1), color=FAINT, linestyle=line, linewidth=1, zorder=1, label="confidence = share right")
    axes.plot([sure for sure, _, _ in bins], [right for _, right, _ in bins], color=colour, linewidth=1.2, zorder=2)
    # The area of a point shows its number of images.
    sizes = [20 + 230 * count / most for _, _, count in bins]
    axes.scatter(
        [sure for sure, _, _ in bins], [right for _, right, _ in bins], sizes, color=colour, alpha=0.8, zorder=3,
        label=f"one of ten parts of the confidence\n(area: its images, {most:,} at most)",
    )  # fmt: skip
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", markerscale=0.6)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("confidence (mean of its images)", fontsize=9, color=INK)
    axes.set_ylabel(f"texts read right (share), {sum(count for _, _, count in bins):,} in all", fontsize=9, color=INK)
    plain_axes(axes, title)
