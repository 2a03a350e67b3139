"""Opens the store, and makes it first if it does not exist."""

from pathlib import Path
from typing import cast

from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from sqlalchemy.exc import SQLAlchemyError

from captcha_exp.config import TrackingConfig, without_passwords
from captcha_exp.config.local_store import local_store
from captcha_exp.errors import InputError
from captcha_exp.interruption import Uninterrupted
from captcha_exp.tracking.artifact_addresses import artifacts_address, check_name, points_elsewhere, told_moved
from captcha_exp.tracking.credentials import check_let_in, keep_credentials
from captcha_exp.tracking.database import make_database
from captcha_exp.tracking.logged_model import work_with
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.reachable import check_answers, sqlite_file
from captcha_exp.tracking.store import Store, lock_if_file
from captcha_exp.tracking.tracked_run import DESCRIPTION

_ABOUT = """Trainings of recognisers of short text in images. A sweep is a run; its trials are the runs below it.

`best/val/sequence_accuracy` is the share of validation texts that the kept epoch reads right. Test images are read by
`captcha-exp evaluate` and `captcha-exp promote` alone, which write `test/...`.

Look at a sweep as one page: `captcha-exp report sweep=NAME`.

Let its best model win or lose: `captcha-exp promote sweep=NAME`."""
_HAS_OWN_ARTIFACTS = ("http://", "https://", "databricks")


def store_uri(uri: str | None, root: Path) -> str:
    """The MLflow tracking address for `tracking.uri`. `keep_credentials` handles its user and password."""
    return keep_credentials(uri) if uri is not None else local_store(root)


def open_store(config: TrackingConfig, root: Path) -> Store:
    """Open the store and its experiment, and make them if they do not exist. Many processes may call this at once.

    Args:
        config: if `uri` is null, runs are in an SQLite database under `root / "mlruns"`, with the artifacts beside it.
        root: the project's folder, absolute.

    Raises:
        InputError: a server does not answer, a folder cannot be written, or the experiment cannot be used.
    """
    if config.uri is None:
        check_name(root)
    uri = store_uri(config.uri, root)
    check_answers(uri)
    artifacts = None if uri.startswith(_HAS_OWN_ARTIFACTS) else root / "mlruns" / "artifacts"
    database = sqlite_file(uri)
    folders = [folder for folder in (artifacts, database and database.parent) if folder]
    for folder in folders:
        _make_writable(folder)
    lock_file = database.parent / ".lock" if database else None
    try:
        with lock_if_file(lock_file):
            if database is not None:
                make_database(database)
            client = cast(MlflowClient, Uninterrupted(MlflowClient(uri, registry_uri=uri)))
            experiment = _experiment(client, config.experiment, artifacts)
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        check_let_in(uri, error)
        raise InputError(f"MLflow cannot use tracking.uri={without_passwords(uri)}: {one_line(error)}") from error
    work_with(uri)
    _check_usable(experiment, root if config.uri is None else None)
    return Store(uri, config.experiment, experiment.experiment_id, client, lock_file)


def _experiment(client: MlflowClient, name: str, artifacts: Path | None) -> Experiment:
    """The experiment of that name. It is made if it does not exist."""
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        return experiment
    try:
        made = client.create_experiment(name, artifact_location=None if artifacts is None else artifacts.as_uri())
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
        return _experiment(client, name, artifacts)  # Another process made it first.
    client.set_experiment_tag(made, DESCRIPTION, _ABOUT)
    return client.get_experiment(made)


def _check_usable(experiment: Experiment, root: Path | None) -> None:
    if experiment.lifecycle_stage == "deleted":
        raise InputError(
            f"tracking.experiment={experiment.name} was deleted in MLflow; choose another name or restore it with "
            f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`."
        )
    if root is not None and experiment.artifact_location != artifacts_address(root):
        moved = points_elsewhere(experiment.artifact_location, root)
        raise InputError(
            f"tracking.experiment={experiment.name} keeps its artifacts in {experiment.artifact_location}, not under "
            f"this root{f': {told_moved(root)}, or' if moved else ';'} choose another `tracking.experiment`."
        )


def _make_writable(folder: Path) -> None:
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"Cannot write {error.filename or folder} ({error.strerror or error}); choose another folder with "
            "`root=DIR`, or a server with `tracking.uri=...`."
        ) from error
