"""Pictures of a study, drawn by Optuna with Matplotlib."""

import logging
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.sweep.plan import SweepPlan

_DPI = 120
Draw = Callable[[], Any]


def draw_pictures(study: optuna.Study, plan: SweepPlan, folder: Path, report: Callable[[str], None]) -> list[Path]:
    """Draw history, importance, parallel coordinates, slices and, for several objectives, the Pareto front.

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
            files.append(_save(folder / f"{name}.png", draw))
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            report(f"no picture {name}: {_first_line(error)}")
    return files


def _drawings(study: optuna.Study, plan: SweepPlan) -> dict[str, Draw]:
    """What to draw, by the name of its file."""
    from optuna.visualization import matplotlib as plots

    metrics = [objective.metric for objective in plan.config.sweep.objectives]
    each: dict[str, Callable[..., Any]] = {
        "history": plots.plot_optimization_history,
        "importance": plots.plot_param_importances,
        "parallel_coordinates": plots.plot_parallel_coordinate,
        "slices": plots.plot_slice,
    }
    drawings: dict[str, Draw] = {}
    if 2 <= len(metrics) <= 3:  # the front has no picture in more dimensions
        drawings["pareto_front"] = partial(plots.plot_pareto_front, study, target_names=metrics)
    for index, metric in enumerate(metrics):
        suffix = "" if len(metrics) == 1 else "_" + metric.rpartition("/")[2]
        target = None if len(metrics) == 1 else partial(_value, index)
        for name, plot in each.items():
            drawings[name + suffix] = partial(plot, study, target=target, target_name=metric)
    if len(metrics) == 1:
        drawings["learning_curves"] = partial(plots.plot_intermediate_values, study)
    return drawings


def _value(index: int, trial: FrozenTrial) -> float:
    return trial.values[index]


def _save(path: Path, draw: Draw) -> Path:
    """Draw without a display, and replace the file whole."""
    import matplotlib
    import numpy as np
    from matplotlib import pyplot

    matplotlib.use("Agg")
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's pictures are experimental, and noisy about few trials
        axes = np.atleast_1d(np.asarray(draw(), dtype=object)).ravel()
        figure = axes[0].get_figure()
        part = path.with_name(f".{path.name}.{os.getpid()}.png")
        figure.savefig(part, dpi=_DPI, bbox_inches="tight")
    pyplot.close("all")
    part.replace(path)
    return path


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
