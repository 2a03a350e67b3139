"""Every trial as one line through the values it had."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from captcha_exp.config import Direction
from captcha_exp.report.charts.axis_focus import focus_on
from captcha_exp.report.charts.svg_style import FAINT, INK, RAMP, Chart, short, shown_metric
from captcha_exp.report.sweep_facts import SweepFacts
from captcha_exp.sweep.study_facts import ReadParameter, ReadTrial
from captcha_exp.sweep.tally import TrialOutcome

_ABSENT = -0.16  # the height for trials that do not have the key
_SPREAD = 0.05  # so that lines through the same choice do not hide each other


@dataclass(frozen=True)
class Scale:
    """One axis: it maps a value to [0, 1], and has the values of its labels."""

    name: str
    place: Callable[[Any], float]
    ticks: Sequence[tuple[float, str]]


def parallel_coordinates(facts: SweepFacts, name: str, *, upright: bool) -> Markup:
    """Draw all finished and pruned trials over the searched keys. The last axis is the first objective.

    Args:
        facts: the sweep.
        name: unique in the page.
        upright: axes stand side by side, for a wide page; otherwise they lie one below the other, for a phone.
    """
    scales = [*map(_key_scale, facts.sweep.parameters), _objective_scale(facts)]
    count = len(scales)
    width, height = (980, 380) if upright else (400, 74 * count + 30)
    chart = Chart(name, width, height, "the searched values of each trial and what it reached")
    axes = chart.figure.add_axes((0.04, 0.02, 0.89, 0.84) if upright else (0.04, 0.01, 0.92, 0.97))
    axes.set_axis_off()
    for index, scale in enumerate(scales):
        _draw_axis(axes, index, scale, _any_absent(facts, scale, index), upright=upright)
    for trial in facts.sweep.of(TrialOutcome.pruned):
        if trial.values:
            _draw_trial(chart, axes, facts, trial, scales, (FAINT, 0.8, 0.5, 2), upright=upright)
    ranked = facts.sweep.best
    for rank, trial in reversed(list(enumerate(ranked))):
        step = len(RAMP) - 1 - math.floor(rank * len(RAMP) / max(len(ranked), len(RAMP)))
        look = (RAMP[step], 2.6 if rank == 0 else 1.6, 1.0, 3 + (rank == 0))
        _draw_trial(chart, axes, facts, trial, scales, look, upright=upright)
    axes.set(**_limits(count, absent=has_conditions(facts), upright=upright))
    return chart.svg()


def has_conditions(facts: SweepFacts) -> bool:
    """Whether some trials lack a key that others have."""
    return any(
        parameter.key not in trial.params for parameter in facts.sweep.parameters for trial in facts.sweep.trials
    )


def _limits(count: int, *, absent: bool, upright: bool) -> dict[str, tuple[float, float]]:
    along, across = (-0.06, count - 0.94), (_ABSENT - 0.06 if absent else -0.06, 1.05)
    return {"xlim": along, "ylim": across} if upright else {"xlim": (-0.22, 1.08), "ylim": (count - 0.55, -0.55)}


def _key_scale(parameter: ReadParameter) -> Scale:
    if parameter.choices is not None:
        positions = {value: _even(index, len(parameter.choices)) for index, value in enumerate(parameter.choices)}
        return Scale(parameter.key, positions.__getitem__, [(at, short(value)) for value, at in positions.items()])
    low, high = (math.log(v) if parameter.log else v for v in (parameter.low, parameter.high))

    def place(value: float) -> float:
        return ((math.log(value) if parameter.log else value) - low) / (high - low) if high > low else 0.5

    middle = math.exp((low + high) / 2) if parameter.log else (low + high) / 2
    whole = all(float(value).is_integer() for value in (parameter.low, parameter.high)) and not parameter.log
    middles = [] if whole and not middle.is_integer() else [middle]
    marks = [parameter.low, *middles, parameter.high]
    return Scale(parameter.key, place, [(place(mark), f"{mark:.3g}") for mark in marks])


def _objective_scale(facts: SweepFacts) -> Scale:
    shown = facts.sweep.of(TrialOutcome.finished, TrialOutcome.pruned)
    values = [trial.values[0] for trial in shown if trial.values and math.isfinite(trial.values[0])] or [0.0]
    maximize = facts.sweep.objectives[0].direction is Direction.maximize
    focus = focus_on(values, maximize=maximize)

    def place(value: float) -> float:
        across = focus.best - focus.worst
        return (focus.clip(value) - focus.worst) / across if across else 1.0

    marks = (focus.worst, (focus.worst + focus.best) / 2, focus.best)
    texts = {mark: shown_metric(facts.metric, mark) for mark in marks}
    if any(focus.outside(value) for value in values):
        texts[focus.worst] = f"{'≤' if maximize else '≥'} {texts[focus.worst]}"
    return Scale(facts.metric.removeprefix("best/"), place, [(place(mark), text) for mark, text in texts.items()])


def _even(index: int, count: int) -> float:
    return 0.5 if count == 1 else _SPREAD + (1 - 2 * _SPREAD) * index / (count - 1)


def _any_absent(facts: SweepFacts, scale: Scale, index: int) -> bool:
    return index < len(facts.sweep.parameters) and any(scale.name not in trial.params for trial in facts.sweep.trials)


def _draw_axis(axes: Axes, index: int, scale: Scale, absent: bool, *, upright: bool) -> None:
    if upright:
        axes.plot([index, index], [0, 1], color=FAINT, linewidth=1.2, zorder=1)
        group, _, key = scale.name.rpartition(".")
        shift = 0.0 if "/" not in scale.name else 0.06
        axes.annotate(
            f"{group}.\n{key}" if group else scale.name, (index + shift, 1.0), (0, 14), textcoords="offset points",
            ha="left" if index == 0 else "center", va="bottom", color=INK, fontsize=11, annotation_clip=False,
        )  # fmt: skip
    else:
        axes.plot([0, 1], [index, index], color=FAINT, linewidth=1.2, zorder=1)
        axes.text(-0.22, index - 0.2, scale.name, ha="left", va="bottom", color=INK, fontsize=11, zorder=6)
    ticks = [*scale.ticks, *([(_ABSENT, "absent")] if absent else [])]
    for at, text in ticks:
        x, y = (index, at) if upright else (at, index)
        offset = (6, 0) if upright else (0, -6)
        axes.annotate(
            text, (x, y), offset, textcoords="offset points", ha="left" if upright else "center",
            va="center" if upright else "top", color=FAINT, fontsize=10, zorder=6, annotation_clip=False,
        )  # fmt: skip


def _draw_trial(
    chart: Chart,
    axes: Axes,
    facts: SweepFacts,
    trial: ReadTrial,
    scales: Sequence[Scale],
    look: tuple[str, float, float, int],
    *,
    upright: bool,
) -> None:
    jitter = _SPREAD * ((trial.number * 0.618) % 1 - 0.5)
    places = [_place(scale, trial.params, jitter) for scale in scales[:-1]]
    places.append(scales[-1].place(trial.values[0]))
    vertices, codes = [(0.0, places[0])], [Curve.MOVETO]
    for index, at in enumerate(places[1:], start=1):
        vertices += [(index - 0.5, places[index - 1]), (index - 0.5, at), (float(index), at)]
        codes += [Curve.CURVE4] * 3
    if not upright:
        vertices = [(y, x) for x, y in vertices]
    colour, width, alpha, order = look
    patch = PathPatch(
        Curve(vertices, codes), fill=False, edgecolor=colour, linewidth=width, alpha=alpha, zorder=order, clip_on=False
    )
    axes.add_patch(patch)
    values = ", ".join(f"{key} {short(value)}" for key, value in trial.params.items())
    reached = shown_metric(facts.metric, trial.values[0])
    chart.tip(patch, f"{trial.name}, {trial.outcome.name} at {reached}: {values}")


def _place(scale: Scale, params: dict[str, Any], jitter: float) -> float:
    if scale.name not in params:
        return _ABSENT + jitter
    return scale.place(params[scale.name]) + jitter
