"""How the charts of a page are drawn: Matplotlib's SVG, coloured by the page's own style sheet."""

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, PercentFormatter

from captcha_exp.foreign_text import visible

# Placeholders: once the drawing is text, they become the page's colour variables.
INK, FAINT, LINE, CARD = "#fe0101", "#fe0102", "#fe0103", "#fe0104"
ACCENT, WARM, BAD = "#fe0105", "#fe0106", "#fe0107"
# From the worst to the best.
RAMP = ("#fe0110", "#fe0111", "#fe0112", "#fe0113", "#fe0114", "#fe0115")
# Colours for distinct series. The page orders them so that colour-blind readers can distinguish them.
SERIES = ("#fe0120", "#fe0121", "#fe0122", "#fe0123", "#fe0124", "#fe0125")
# Marks of values beyond the edge of a chart. If more is better (True), they lie below it.
EDGE = {True: "v", False: "^"}
_VARIABLES = {
    **{INK: "ink", FAINT: "faint", LINE: "line", CARD: "card", ACCENT: "accent", WARM: "warm", BAD: "bad"},
    **{colour: f"ramp-{index}" for index, colour in enumerate(RAMP)},
    **{colour: f"series-{index}" for index, colour in enumerate(SERIES)},
}
# The place of the axes in a chart of the usual size: left, bottom, width, height.
AREA = (0.11, 0.14, 0.87, 0.76)
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_TIP = "tip:"
_STYLED = {"style", "fill", "stroke"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "captcha_exp",  # equal drawings are equal files
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": 11,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "legend.labelcolor": INK,
}


class Chart:
    """A figure of `width` by `height` pixels that becomes an inline SVG."""

    def __init__(self, name: str, width: float, height: float, described: str) -> None:
        """`name` is unique in the page; `described` is the text for readers who cannot see the chart."""
        self._name, self._described = name, described
        self.figure = Figure(figsize=(width / 72, height / 72), facecolor="none")
        self._tips: dict[str, str] = {}

    def tip(self, artist: Artist, text: str) -> None:
        """Show `text` while the pointer rests on `artist`."""
        key = f"{_TIP}{len(self._tips)}"
        artist.set_gid(key)
        self._tips[key] = text

    def svg(self) -> Markup:
        """The drawing, ready to be put into a page."""
        for written in self.figure.findobj(Text):
            written.set_text(visible(written.get_text(), keep="\n"))
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        ET.register_namespace("", _SVG)
        ET.register_namespace("xlink", _XLINK)
        root = ET.fromstring(buffer.getvalue())
        for metadata in root.findall(f"{{{_SVG}}}metadata"):
            root.remove(metadata)
        del root.attrib["width"], root.attrib["height"]
        root.set("role", "img")
        root.set("aria-label", visible(self._described))
        for element in root.iter():
            self._adapt(element)
        return Markup(ET.tostring(root, encoding="unicode"))

    def _adapt(self, element: ET.Element) -> None:
        """Make ids unique in the page, and add the texts of the tips."""
        own = element.get("id")
        if own in self._tips:
            title = ET.Element(f"{{{_SVG}}}title")
            title.text = visible(self._tips[own])
            element.insert(0, title)
            element.set("class", "tip")
        if own is not None:
            element.set("id", f"{self._name}-{own.replace(':', '-')}")
        for key in (f"{{{_XLINK}}}href", "clip-path"):
            value = element.get(key)
            if value is not None:
                element.set(key, value.replace("#", f"#{self._name}-"))
        # Do not replace in the whole drawing: a label may have the same text as a colour or a font.
        for key in _STYLED.intersection(element.keys()):
            style = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", str(element.get(key)))
            element.set(key, re.sub("#fe01[0-9a-f]{2}", lambda found: f"var(--{_VARIABLES[found[0]]})", style))


@contextmanager
def chart_style() -> Iterator[None]:
    """Draw as all charts of the page look."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # A value may hold any character. The browser has the fonts, so Matplotlib's warning would only disturb.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def plain(axes: Axes, xlabel: str = "", ylabel: str = "") -> None:
    """Remove the parts of the frame that carry no values. The name of the y-axis is written above it."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0, pad=5)
    axes.grid(axis="y")
    axes.set_xlabel(xlabel)
    axes.set_title(ylabel, loc="left", fontsize=11, color=FAINT, pad=10)


def is_share(metric: str) -> bool:
    """Whether a metric is shown in percent."""
    return metric.endswith(("accuracy", "accuracy_ignore_case", "error_rate"))


def value_formatter(metric: str) -> Any:
    """Tick labels of a metric."""
    return PercentFormatter(1.0) if is_share(metric) else FuncFormatter(lambda value, _: short(value))


def short(value: object) -> str:
    """A value in few characters."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    if abs(value) >= 10_000:
        return f"{value / 1_000:.3g} k"
    return f"{value:.4g}"


def shown_metric(metric: str, value: float) -> str:
    """A metric's value as the page's texts show it."""
    return f"{value:.1%}" if is_share(metric) else short(value)
