"""Chooses the challenger's run, by validation figures alone."""

import json
import math
from dataclasses import dataclass
from typing import Any

from captcha_exp.config import ChallengerConfig, Direction, ObjectiveConfig
from captcha_exp.config.sweep_order import CONSTRAINTS_TAG, OBJECTIVE_TAG, beyond_limit, is_limit
from captcha_exp.errors import InputError
from captcha_exp.tracking import Store
from captcha_exp.tracking.mlflow_text import metric_key

_ACCURACY, _LOSS = "best/val/sequence_accuracy", "best/val/ctc_loss"
BY_ACCURACY = ObjectiveConfig(metric=_ACCURACY, direction=Direction.maximize)


@dataclass(frozen=True)
class Chosen:
    """A finished run, its sweep, and the reason for the choice."""

    run_id: str
    sweep: str | None
    reason: str


def choose(store: Store, challenger: ChallengerConfig) -> Chosen:
    """Choose the run to judge.

    From a sweep, this is the trial that the sweep itself names as its best, by `ObjectiveConfig.rank`. If several
    sweeps have the name, the newest one counts.

    Raises:
        InputError: the sweep or run does not exist, or has not finished.
    """
    if challenger.run is not None:
        return _one_run(store, challenger.run)
    return _best_of_sweep(store, str(challenger.sweep))


def _one_run(store: Store, run_id: str) -> Chosen:
    run = store.record(run_id)
    if run is None:
        raise InputError(f"run={run_id} is not in the experiment {store.experiment} of {store.uri}.")
    if not _finished(run):
        raise InputError(f"run={run_id} is no finished training, so there is no model of it to promote.")
    return Chosen(run_id, run.data.tags.get("sweep"), f"run {_name(run)}, chosen by you: {_figures(run)}")


def _best_of_sweep(store: Store, sweep: str) -> Chosen:
    # Names are compared here because MLflow's conditions cannot express every name.
    sweeps = [run for run in store.search("tags.kind = 'sweep'") if run.data.tags.get("sweep") == sweep]
    if not sweeps:
        known = sorted({run.data.tags.get("sweep", "") for run in store.search("tags.kind = 'sweep'")} - {""})
        told = f"there are {', '.join(known)}" if known else "there is none"
        raise InputError(f"sweep={sweep} is not in the experiment {store.experiment} of {store.uri}; {told}.")
    objective = _objective(sweeps[-1])
    trials = store.children(sweeps[-1].info.run_id)
    limits = _constraints(sweeps[-1])
    finished = [run for run in trials if _finished(run, objective.metric) and _is_within(run, limits)]
    if not finished:
        raise InputError(f"sweep={sweep} has no finished trial yet, so there is nothing to promote.")
    best = min(finished, key=lambda run: _rank(run, objective))
    by = "" if objective.metric == _ACCURACY else f" by {objective.metric}"
    reason = f"{_name(best)}, the best of {len(finished)} finished trials of sweep {sweep}{by}: {_figures(best)}"
    return Chosen(best.info.run_id, sweep, reason)


def _objective(parent: Any) -> ObjectiveConfig:
    """The objective by which a sweep orders its trials. Earlier versions left no tag."""
    direction, _, metric = parent.data.tags.get(OBJECTIVE_TAG, "").partition(" ")
    if direction not in Direction.__members__ or not metric:
        return BY_ACCURACY
    return ObjectiveConfig(metric=metric_key(metric), direction=Direction[direction])


def _constraints(parent: Any) -> dict[str, str]:
    """By metric, the limits that a result of the sweep keeps to. Earlier versions left no tag."""
    try:
        found = json.loads(parent.data.tags.get(CONSTRAINTS_TAG, "{}"))
    except (ValueError, RecursionError):  # somebody changed it
        return {}
    return {metric_key(metric): str(limit) for metric, limit in found.items()} if isinstance(found, dict) else {}


def _is_within(run: Any, limits: dict[str, str]) -> bool:
    metrics = run.data.metrics
    kept = (beyond_limit(metrics.get(name, math.nan), limit) <= 0 for name, limit in limits.items() if is_limit(limit))
    return all(kept)


def _rank(run: Any, objective: ObjectiveConfig) -> tuple[float, float, int]:
    figures, number = run.data.metrics, run.data.tags.get("trial", "")
    return objective.rank(figures[objective.metric], figures[_LOSS], int(number) if number.isdecimal() else 0)


def _finished(run: Any, *metrics: str) -> bool:
    figures = [run.data.metrics.get(name, math.nan) for name in (_ACCURACY, _LOSS, *metrics)]
    return run.data.tags.get("outcome") == "finished" and all(map(math.isfinite, figures))


def _name(run: Any) -> str:
    return str(run.info.run_name or run.info.run_id)


def _figures(run: Any) -> str:
    return f"validation sequence accuracy {run.data.metrics[_ACCURACY]:.4f}, loss {run.data.metrics[_LOSS]:.4f}"
