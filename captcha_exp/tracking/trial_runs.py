"""Reads the runs of a sweep from the store."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from captcha_exp.tracking.store import Store


@dataclass(frozen=True)
class ReadRun:
    """One run. `metrics` has the latest value of each metric, `params` the text of each param."""

    run_id: str
    name: str
    status: str
    metrics: dict[str, float]
    tags: dict[str, str]
    params: dict[str, str]


def read_run(store: Store, run_id: str) -> ReadRun | None:
    """The run `run_id`, or None if the store does not have it."""
    try:
        return read(store.client.get_run(run_id))
    except MlflowException:
        return None


def read_trials(store: Store, parent_run_id: str) -> dict[str, ReadRun]:
    """The runs of a sweep's trials, by run id."""
    return {run.info.run_id: read(run) for run in store.children(parent_run_id)}


def read_curves(store: Store, run_id: str, metrics: Iterable[str]) -> dict[str, dict[int, float]]:
    """Values of each metric by epoch, counted from 1. A metric without values is left out."""
    curves = {name: store.client.get_metric_history(run_id, name) for name in metrics}
    return {name: {point.step: point.value for point in points} for name, points in curves.items() if points}


def read_artifact(store: Store, run_id: str, name: str) -> str | None:
    """A text artifact of a run, or None if the run has no artifact of that name."""
    try:
        with TemporaryDirectory() as folder:
            return Path(store.client.download_artifacts(run_id, name, folder)).read_text(encoding="utf-8")
    except (MlflowException, OSError, UnicodeDecodeError):
        return None


def read(run: Run) -> ReadRun:
    """A run of MLflow as plain values."""
    return ReadRun(
        run.info.run_id,
        str(run.info.run_name),
        run.info.status,
        dict(run.data.metrics),
        dict(run.data.tags),
        dict(run.data.params),
    )
