"""Finds finished runs of any experiment in the store."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from captcha_exp.config.sweep_order import split_run_source
from captcha_exp.errors import InputError
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.store import Store
from captcha_exp.tracking.trial_runs import ReadRun, read

_MOST_NAMED = 8


def find_runs(store: Store, source: str) -> list[ReadRun]:
    """The finished trainings that a source of `sweep.warm_start` names, the oldest first.

    Runs of sweeps, and runs below a training, such as its members, are left out.

    Args:
        store: any experiment of the store is looked at, not only its own.
        source: `run:ID`, `experiment:NAME`, or `experiment:NAME where FILTER` with a filter of MLflow.

    Raises:
        InputError: there is no such run or experiment, or MLflow does not understand the filter.
    """
    kind, name, condition = split_run_source(source)
    found = [_one(store, name)] if kind == "run" else _of_experiment(store, name, condition)
    return [read(run) for run in found if _is_finished_training(run)]


def _one(store: Store, run_id: str) -> Run:
    try:
        return store.client.get_run(run_id)
    except MlflowException as error:
        raise InputError(f"sweep.warm_start names the run {run_id}, which is not in {store.uri}.") from error


def _of_experiment(store: Store, name: str, condition: str) -> Iterable[Run]:
    experiment = store.client.get_experiment_by_name(name)
    if experiment is None:
        names = [one.name for one in store.client.search_experiments()]
        near = get_close_matches(name, names, _MOST_NAMED) or sorted(names)[:_MOST_NAMED]
        raise InputError(
            f"sweep.warm_start names the experiment {name!r}, which is not in {store.uri}; there is {', '.join(near)}."
        )
    try:
        return replace(store, experiment_id=experiment.experiment_id).search(condition)
    except MlflowException as error:
        raise InputError(
            f"sweep.warm_start filters the runs of {name} by {condition!r}, which MLflow does not understand "
            f'({one_line(error).rstrip(".")}); a filter is like "metrics.`best/val/sequence_accuracy` > 0.5".'
        ) from error


def _is_finished_training(run: Run) -> bool:
    outcome = run.data.tags.get("outcome", "finished")  # other programs leave no such tag
    return run.info.status == "FINISHED" and outcome == "finished" and "kind" not in run.data.tags
