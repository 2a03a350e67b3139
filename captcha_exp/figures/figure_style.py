"""The style that all pictures share."""

import warnings

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from captcha_exp.foreign_text import visible

INK = "#1f2933"
FAINT = "#9aa5b1"
BLUE = "#1f6fb4"
ORANGE = "#d9772b"
RIGHT = "#1a7f4b"
WRONG = "#c22f2f"
MONOSPACE = "DejaVu Sans Mono"  # part of Matplotlib; 0 and O look different in it, and so do 1, l and I
DPI = 110

# A label may hold any character. If the font lacks it, the figure shows a box, and no warning is needed.
warnings.filterwarnings("ignore", message="Glyph .* missing from")


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


def shown(character: str) -> str:
    """A visible form of a character."""
    return "␣" if character == " " else visible(character)
