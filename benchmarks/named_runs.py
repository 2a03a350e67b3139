"""Runs that a benchmark trains in processes of their own, and finds again by name."""

import subprocess
import sys
from pathlib import Path

import mlflow

from captcha_exp.config import load_stored_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.model.evaluator import Evaluation, evaluate
from captcha_exp.tracking import LoadedRecogniser, load_recogniser

_BATCH = 32


def train(root: Path, name: str, arguments: list[str]) -> None:
    """Run `python -m captcha_exp ARGUMENTS` under that name, unless an earlier call did so. Its log is `NAME.log`."""
    if finished_run(root, name) is not None:
        return
    command = [sys.executable, "-m", "captcha_exp", *arguments, f"root={root}", f"tracking.run_name={name}"]
    with (root / f"{name}.log").open("w") as log:
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)


def finished_run(root: Path, name: str) -> mlflow.entities.Run | None:
    """The finished run of that name; None if there is none yet."""
    if not _database(root).exists():
        return None
    client = mlflow.MlflowClient(_store(root))
    everywhere = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(everywhere, f"attributes.run_name = '{name}' and tags.outcome = 'finished'")
    return found[0] if found else None


def trained_run(root: Path, name: str) -> mlflow.entities.Run:
    """The finished run of that name.

    Raises:
        SystemExit: there is none.
    """
    run = finished_run(root, name)
    if run is None:
        raise SystemExit(f"{root} has no finished run {name}.")
    return run


def recogniser_of(root: Path, name: str) -> LoadedRecogniser:
    """The model of the run of that name."""
    return load_recogniser(f"runs:/{trained_run(root, name).info.run_id}/model", _store(root))


def judged_on_test(root: Path, name: str) -> Evaluation:
    """What the model of a run reads of the test split of its own dataset."""
    recogniser = recogniser_of(root, name)
    test = prepare_dataset(load_stored_config(recogniser.config).dataset, root).test
    return evaluate(recogniser.model, test.images, test.labels, recogniser.decoder, _BATCH)


def _database(root: Path) -> Path:
    return root.resolve() / "mlruns" / "mlflow.db"


def _store(root: Path) -> str:
    return f"sqlite:///{_database(root)}"
