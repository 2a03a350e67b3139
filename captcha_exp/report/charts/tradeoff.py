"""Accuracy of the trials against the size or the latency of their models."""

from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from captcha_exp.report.charts.axis_focus import focus_on
from captcha_exp.report.charts.svg_style import (
    ACCENT,
    AREA,
    EDGE,
    FAINT,
    INK,
    WARM,
    Chart,
    plain,
    short,
    shown_metric,
    value_formatter,
)
from captcha_exp.report.sweep_facts import ACCURACY, LATENCY, PARAMETERS, SweepFacts
from captcha_exp.sweep.study_facts import ReadTrial
from captcha_exp.sweep.tally import TrialOutcome

_NAMES = {PARAMETERS: "parameters", LATENCY: "milliseconds for one image"}
_STEPS = (1, 1.5, 2, 3, 5, 7)


def tradeoff(facts: SweepFacts, cost: str, name: str) -> Markup:
    """Draw each trial's validation accuracy over its model's cost. No finished trial beats those on the front.

    Args:
        facts: the sweep.
        cost: `model/parameters` or `latency_ms`.
        name: unique in the page.
    """
    chart = Chart(name, 440, 290, f"accuracy over {_NAMES[cost]}")
    axes = chart.figure.add_axes(AREA)
    pruned = [(trial, at) for trial in facts.sweep.of(TrialOutcome.pruned) if (at := _place(facts, trial, cost))]
    places = [(trial, at) for trial in facts.sweep.best if (at := _place(facts, trial, cost))]
    focus = focus_on([accuracy for _, (_, accuracy) in [*pruned, *places]], maximize=True)
    edge = focus.apply(axes)
    front = front_of([at for _, at in places])
    seen = [(x, edge if focus.outside(y) else y) for x, y in front]
    axes.step([x for x, _ in seen], [y for _, y in seen], where="post", color=WARM, linewidth=1.6, zorder=3)
    for trial, (x, y) in [*pruned, *places]:
        colour = FAINT if trial.outcome is TrialOutcome.pruned else WARM if (x, y) in front else ACCENT
        beyond = focus.outside(y)
        (point,) = axes.plot(
            x, edge if beyond else y, EDGE[True] if beyond else "o", markersize=7, markeredgecolor=colour,
            markerfacecolor="none" if colour == FAINT else colour, clip_on=False, zorder=2 if colour == FAINT else 4,
        )  # fmt: skip
        what = f"{trial.name}, {trial.outcome.name}: {shown_metric(ACCURACY, y)}"
        chart.tip(point, f"{what}, {short(x)} {_NAMES[cost]}")
    for place, shown in zip(front, seen, strict=True):
        numbers = ", ".join(str(trial.number) for trial, at in places if at == place)
        above: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(numbers, shown, (0, 6), color=INK, fontsize=10.5, zorder=5, **above)
    plain(axes, _NAMES[cost], "● finished   ○ pruned   ― Pareto front, with trial numbers")
    axes.yaxis.set_major_formatter(value_formatter(ACCURACY))
    _logarithmic(axes)
    return chart.svg()


def front_of(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The Pareto front: places (cost, accuracy) that no other place beats in both, by rising cost."""
    front: list[tuple[float, float]] = []
    for cost, accuracy in sorted(set(places), key=lambda place: (place[0], -place[1])):
        if not front or accuracy > front[-1][1]:
            front.append((cost, accuracy))
    return front


def _place(facts: SweepFacts, trial: ReadTrial, cost: str) -> tuple[float, float] | None:
    x, y = facts.metric_of(trial, cost), facts.metric_of(trial, ACCURACY)
    return (x, y) if x is not None and y is not None else None


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    marks = [step * 10.0**power for power in range(-3, 12) for step in _STEPS]
    axes.xaxis.set_major_locator(FixedLocator([mark for mark in marks if low <= mark <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_xlim(low, high)
