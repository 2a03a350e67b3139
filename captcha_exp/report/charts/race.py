"""Compare how fast several sweeps found good values."""

from markupsafe import Markup

from captcha_exp.config import Direction
from captcha_exp.report.charts.svg_style import AREA, SERIES, Chart, plain, value_formatter
from captcha_exp.report.cost import busy_minutes
from captcha_exp.report.sweep_facts import SweepFacts
from captcha_exp.sweep.tally import TrialOutcome


def race(all_facts: list[SweepFacts], name: str) -> Markup:
    """Draw each sweep's best value so far, over the minutes in which the sweep was running.

    Args:
        all_facts: sweeps with the same first objective.
        name: unique in the page.
    """
    chart = Chart(name, 440, 290, "best value so far over minutes")
    axes = chart.figure.add_axes(AREA)
    for facts, colour in zip(all_facts, SERIES, strict=False):
        sweep = facts.sweep
        better = max if sweep.objectives[0].direction is Direction.maximize else min
        times: list[float] = []
        bests: list[float] = []
        for trial in sorted(sweep.of(TrialOutcome.finished), key=lambda t: (t.ended is None, t.ended)):
            times.append(busy_minutes(sweep.trials, until=trial.ended))
            bests.append(better([*bests[-1:], trial.values[0]]))
        if times:
            line = axes.step(times, bests, where="post", color=colour, label=sweep.name, linewidth=1.9, marker="o")[0]
            line.set_markersize(5)
            chart.tip(line, sweep.name)
    plain(axes, "minutes in which it was running", "best so far")
    axes.yaxis.set_major_formatter(value_formatter(all_facts[0].metric))
    axes.legend(loc="lower right")
    return chart.svg()
