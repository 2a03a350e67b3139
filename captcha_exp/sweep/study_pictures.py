"""Pictures of a study, drawn by Optuna with Matplotlib."""

import logging
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.sweep.key_importance import measure_importance
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.tally import Tally

_DPI = 120
_NAMED_CURVES = 5
Draw = Callable[[], Any]


def draw_pictures(study: optuna.Study, plan: SweepPlan, folder: Path, report: Callable[[str], None]) -> list[Path]:
    """Draw history, importance, parallel coordinates, slices and, for several objectives, the Pareto front.

    With one objective, a pruned trial counts with the best of its epochs in slices and parallel coordinates: most
    trials of a good sweep are pruned, and where they were is what a space is judged by.

    Args:
        study: the study.
        plan: its sweep.
        folder: where the PNG files go.
        report: told which pictures were left out, and why.

    Returns:
        The files that were written.
    """
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not done:
        report("no pictures: no trial finished")
        return []
    folder.mkdir(exist_ok=True)
    files = []
    for name, draw in _drawings(study, plan).items():
        try:
            files.append(_save(folder / f"{name}.png", draw, [p.key for p in plan.space.parameters]))
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            report(f"no picture {name}: {_first_line(error)}")
    return files


def _drawings(study: optuna.Study, plan: SweepPlan) -> dict[str, Draw]:
    """What to draw, by the name of its file."""
    from optuna.visualization import matplotlib as plots

    metrics = [objective.metric for objective in plan.config.sweep.objectives]
    each: dict[str, Callable[..., Any]] = {
        "history": plots.plot_optimization_history,
        "parallel_coordinates": plots.plot_parallel_coordinate,
        "slices": plots.plot_slice,
    }
    drawings: dict[str, Draw] = {}
    drawn = _with_pruned(study) if len(metrics) == 1 else study
    if 2 <= len(metrics) <= 3:  # the front has no picture in more dimensions
        drawings["pareto_front"] = partial(plots.plot_pareto_front, study, target_names=metrics)
    for index, metric in enumerate(metrics):
        suffix = "" if len(metrics) == 1 else "_" + metric.rpartition("/")[2]
        target = None if len(metrics) == 1 else partial(_value, index)
        for name, plot in each.items():
            shown = study if name == "history" else drawn
            drawings[name + suffix] = partial(plot, shown, target=target, target_name=metric)
    drawings["importance"] = partial(_importance, study)
    if len(metrics) == 1:
        drawings["learning_curves"] = partial(plots.plot_intermediate_values, study)
    return drawings


def _importance(study: optuna.Study) -> Any:
    """Bars of `measure_importance`, a thin line over each for its range."""
    from matplotlib import pyplot
    from matplotlib.ticker import PercentFormatter

    found = measure_importance(Tally(study.get_trials(deepcopy=False)), study.directions[0])
    if found.missing is not None:
        raise ValueError(found.missing)
    shares = list(reversed(found.shares.values()))
    spread = [[share.mean - share.low for share in shares], [share.high - share.mean for share in shares]]
    _, axes = pyplot.subplots(figsize=(7, 1.2 + 0.4 * len(shares)))
    axes.barh(list(reversed(found.shares)), [share.mean for share in shares], color="#1f6fb4", height=0.6)
    axes.errorbar([share.mean for share in shares], range(len(shares)), xerr=spread, fmt="none", color="0.3", lw=1)
    when = "" if found.epoch is None else f" as they stood after epoch {found.epoch}"
    axes.set_title(f"Importance for the first objective: {found.trials} trials{when}", fontsize=10, loc="left")
    axes.set_xlabel(
        "share of the difference between good trials and all; the line: as a fifth to half count as good", fontsize=8
    )
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlim(left=0)
    return axes


def _with_pruned(study: optuna.Study) -> optuna.Study:
    """A copy in memory, in which pruned trials are finished ones with the value of their best epoch."""
    better = max if study.direction is StudyDirection.MAXIMIZE else min
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    for trial in study.get_trials(states=(TrialState.PRUNED,)):
        if trial.intermediate_values:
            trial.value, trial.state = better(trial.intermediate_values.values()), TrialState.COMPLETE
            trials.append(trial)
    copy = optuna.create_study(direction=study.direction)
    copy.add_trials(trials)
    return copy


def _value(index: int, trial: FrozenTrial) -> float:
    return trial.values[index]


def _save(path: Path, draw: Draw, keys: list[str]) -> Path:
    """Draw without a display, and replace the file whole."""
    import matplotlib
    import numpy as np
    from matplotlib import pyplot

    matplotlib.use("Agg")
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna's pictures are experimental, and noisy about few trials
            figure = np.atleast_1d(np.asarray(draw(), dtype=object)).ravel()[0].get_figure()
            _tidy(figure, path.stem, keys)
            part = path.with_name(f".{path.stem}.{os.getpid()}.png")
            figure.savefig(part, dpi=_DPI, bbox_inches="tight")
    finally:
        pyplot.close("all")
    part.replace(path)
    return path


def _tidy(figure: Any, name: str, keys: list[str]) -> None:
    """Mend what overlaps or cannot be seen in Optuna's own drawing."""
    if name.startswith("slices"):
        _tidy_slices(figure, keys)
    elif name.startswith("parallel"):
        _tidy_parallel(figure, keys)
    elif name.startswith("history"):
        figure.axes[0].legend(loc="best")  # not beside the axes, which it would squeeze
    elif name == "learning_curves":
        _tidy_curves(figure)


def _tidy_curves(figure: Any) -> None:
    """Colour the curves by where they got, and name the best ones only."""
    from matplotlib import colormaps

    axes = figure.axes[0]
    axes.set(title="Learning curves", xlabel="epoch, from 0", ylabel="first objective, on validation")
    axes.xaxis.get_major_locator().set_params(integer=True)
    lines = sorted(axes.get_lines(), key=lambda line: line.get_ydata()[-1], reverse=True)
    for rank, line in enumerate(lines):
        line.set(color=colormaps["viridis"](rank / max(1, len(lines))), markersize=3)
        line.set_label(str(line.get_label()).replace("Trial", "trial "))
    axes.legend(handles=lines[:_NAMED_CURVES], title="highest at their end", loc="best")


def _tidy_slices(figure: Any, keys: list[str]) -> None:
    figure.set_size_inches(max(6, 3.2 * len(keys)), 5)
    for axes in figure.axes[: len(keys)]:
        axes.xaxis.label.set_size("medium")
        names = [label.get_text() for label in axes.get_xticklabels()]
        if any(name.startswith("'") for name in names):
            axes.set_xticks(axes.get_xticks(), [name.strip("'") for name in names])
        axes.tick_params(axis="x", labelrotation=30)


def _tidy_parallel(figure: Any, keys: list[str]) -> None:
    figure.set_size_inches(max(7, 2.2 * (len(keys) + 1)), 5)
    main = figure.axes[0]
    # Optuna cuts long names.
    labels = [label.get_text() for label in main.get_xticklabels()]
    full = [next((k for k in keys if t.endswith("...") and k.startswith(t[:-3])), t) for t in labels]
    main.set_xticks(main.get_xticks(), full, rotation=15, ha="right")
    for axes in figure.axes:
        axes.grid(visible=False)
        axes.set_facecolor("white")
        axes.spines[:].set_color("0.7")
        for label in axes.get_yticklabels():
            label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5})
        for lines in axes.collections:
            lines.set_cmap("viridis_r")  # the default draws the worst trials in white


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
