"""How the best value of a sweep improved from trial to trial."""

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from captcha_exp.config import Direction
from captcha_exp.report.charts.axis_focus import focus_on
from captcha_exp.report.charts.svg_style import (
    ACCENT,
    AREA,
    BAD,
    EDGE,
    FAINT,
    WARM,
    Chart,
    plain,
    shown_metric,
    value_formatter,
)
from captcha_exp.report.sweep_facts import SweepFacts
from captcha_exp.sweep.tally import TrialOutcome

_OPEN = (TrialOutcome.paused, TrialOutcome.running)


def history(facts: SweepFacts, name: str) -> Markup:
    """The first objective of each trial, in the order of their numbers, with the best so far as a line."""
    sweep, metric = facts.sweep, facts.metric
    chart = Chart(name, 440, 290, f"{metric} of each trial")
    axes = chart.figure.add_axes(AREA)
    maximize = sweep.objectives[0].direction is Direction.maximize
    finished, others = sweep.of(TrialOutcome.finished), sweep.of(TrialOutcome.pruned, *_OPEN)
    focus = focus_on([t.value for t in [*finished, *others] if t.value is not None], maximize=maximize)
    edge = focus.apply(axes)
    bests: list[float] = []
    for trial in finished:
        bests.append((max if maximize else min)([*bests[-1:], trial.values[0]]))
    if finished:
        last = max(t.number for t in sweep.trials)
        heights = [edge if focus.outside(value) else value for value in [*bests, bests[-1]]]
        axes.step([*(t.number for t in finished), last], heights, where="post", color=ACCENT, linewidth=1.6)
    for trial in [*others, *finished]:
        if trial.value is not None:
            value, done = trial.value, trial.outcome is TrialOutcome.finished
            beyond = focus.outside(value)
            (point,) = axes.plot(
                trial.number, edge if beyond else value, EDGE[maximize] if beyond else "o", markersize=7,
                markerfacecolor=ACCENT if done else "none",
                markeredgecolor=ACCENT if done else WARM if trial.outcome in _OPEN else FAINT,
                clip_on=False, zorder=4 if done else 3,
            )  # fmt: skip
            chart.tip(point, f"{trial.name}, {trial.outcome.name}: {shown_metric(metric, value)}")
    plain(axes, "trial", _key(facts))
    for trial in sweep.of(TrialOutcome.failed):
        (point,) = axes.plot(trial.number, edge, "x", color=BAD, markersize=7, markeredgewidth=2, clip_on=False)
        chart.tip(point, f"{trial.name}: failed, {trial.reason}")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(value_formatter(metric))
    return chart.svg()


def _key(facts: SweepFacts) -> str:
    marks = {TrialOutcome.finished: "● finished", TrialOutcome.pruned: "○ pruned", TrialOutcome.failed: "✕ failed"}
    shown = [mark for outcome, mark in marks.items() if facts.sweep.of(outcome)]
    still = ["○ paused or running"] if facts.sweep.of(*_OPEN) else []
    return "   ".join([*shown, *still, "― best so far"])
