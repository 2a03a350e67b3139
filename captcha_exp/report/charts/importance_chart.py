"""What the result depends on."""

from markupsafe import Markup

from captcha_exp.report.charts.svg_style import ACCENT, FAINT, INK, Chart
from captcha_exp.report.sweep_facts import SweepFacts

_ROW = 34
_MOST = 8


def importance(facts: SweepFacts, name: str) -> Markup:
    """The share of each searched key, as bars."""
    shares = list(facts.sweep.importance.shares.items())[:_MOST]
    height = _ROW * len(shares) + 16
    chart = Chart(name, 440, height, "how much of the difference between trials goes with each key")
    axes = chart.figure.add_axes((0.01, 0, 0.98, 1))
    for row, (key, share) in enumerate(shares):
        (bar,) = axes.barh(-row, share.mean, height=0.3, color=ACCENT)
        chart.tip(bar, f"{key}: {share.low:.0%} to {share.high:.0%}")
        axes.plot([share.low, share.high], [-row, -row], color=FAINT, linewidth=1.5)
        axes.text(0, -row + 0.24, key, ha="left", va="bottom", color=INK, fontsize=11)
        axes.text(
            max(share.mean, share.high) + 0.012,
            -row,
            f"{share.mean:.0%}",
            ha="left",
            va="center",
            color=INK,
            fontsize=11,
        )
    axes.set(xlim=(0, 1.12), ylim=(-len(shares) + 0.6, 0.85))
    axes.set_axis_off()
    return chart.svg()
