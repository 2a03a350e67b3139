"""The style that all pictures share."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1f2933"
FAINT = "#9aa5b1"
BLUE = "#1f6fb4"
ORANGE = "#d9772b"
RIGHT = "#1a7f4b"
WRONG = "#c22f2f"
DPI = 110


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """An empty figure with a white background."""
    return Figure(figsize=(width_inches, height_inches), dpi=DPI, facecolor="white")


def plain_axes(axes: Axes, title: str) -> None:
    """Set the title, and remove the parts of the frame that show no values."""
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color=FAINT, alpha=0.3, linewidth=0.7)
    axes.set_axisbelow(True)
