"""Chooses the challenger's run, by validation figures alone."""

import math
from dataclasses import dataclass
from typing import Any

from captcha_exp.config import ChallengerConfig
from captcha_exp.errors import InputError
from captcha_exp.tracking import Store

_ACCURACY, _LOSS = "best/val/sequence_accuracy", "best/val/ctc_loss"


@dataclass(frozen=True)
class Chosen:
    """A finished run, its sweep, and the reason for the choice."""

    run_id: str
    sweep: str | None
    reason: str


def choose(store: Store, challenger: ChallengerConfig) -> Chosen:
    """Choose the run to judge.

    From a sweep, this is the finished trial with the highest validation sequence accuracy. If several are equal, the
    lowest validation loss decides, then the oldest trial. If several sweeps have the name, the newest one counts.

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
    trials = store.children(sweeps[-1].info.run_id)
    finished = [run for run in trials if _finished(run)]
    if not finished:
        raise InputError(f"sweep={sweep} has no finished trial yet, so there is nothing to promote.")
    best = min(finished, key=lambda run: (-run.data.metrics[_ACCURACY], run.data.metrics[_LOSS]))
    reason = f"{_name(best)}, the best of {len(finished)} finished trials of sweep {sweep}: {_figures(best)}"
    return Chosen(best.info.run_id, sweep, reason)


def _finished(run: Any) -> bool:
    figures = [run.data.metrics.get(name, math.nan) for name in (_ACCURACY, _LOSS)]
    return run.data.tags.get("outcome") == "finished" and all(map(math.isfinite, figures))


def _name(run: Any) -> str:
    return str(run.info.run_name or run.info.run_id)


def _figures(run: Any) -> str:
    return f"validation sequence accuracy {run.data.metrics[_ACCURACY]:.4f}, loss {run.data.metrics[_LOSS]:.4f}"
