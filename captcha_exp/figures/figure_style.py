"""What all pictures share."""

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
MONOSPACE = "DejaVu Sans Mono"  # ships with Matplotlib; tells 0 from O and 1 from l from I
DPI = 110

# A label may hold any character. One that the font lacks shows as a box, which is no reason to talk to the terminal.
warnings.filterwarnings("ignore", message="Glyph .* missing from")


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """An empty figure on white."""
    return Figure(figsize=(width_inches, height_inches), dpi=DPI, facecolor="white")


def plain_axes(axes: Axes, title: str) -> None:
    """Leave of the frame only what carries values."""
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color=FAINT, alpha=0.3, linewidth=0.7)
    axes.set_axisbelow(True)


def shown(character: str) -> str:
    """A character as it can be seen."""
    return "␣" if character == " " else visible(character)
