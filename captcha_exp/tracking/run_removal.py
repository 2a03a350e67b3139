"""Removes a sweep's runs and models from the store, for good where the store is a database."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from captcha_exp.errors import InputError
from captcha_exp.files import bytes_in
from captcha_exp.tracking.saved_view import view_tag
from captcha_exp.tracking.store import Store

_PAGE = 1000
_DELETED_TOO = ViewType.ALL  # the files of deleted runs are still there


@dataclass(frozen=True)
class SweepTraces:
    """All that a store keeps of a sweep: its runs, also those below its trials, and the models that they logged."""

    runs: list[Run]
    models: list[LoggedModel]

    @property
    def bytes(self) -> int:
        """What their files take on this machine's disks; those of a server are not counted."""
        places = [*(run.info.artifact_uri for run in self.runs), *(model.artifact_location for model in self.models)]
        folders = [folder for place in places if (folder := _folder(place)) is not None]
        return sum(map(bytes_in, folders))


def find_traces(store: Store, sweep: str, parent_run_id: str | None, *, by_name: bool) -> SweepTraces:
    """What the store keeps of a sweep.

    Args:
        store: of its runs.
        sweep: its name.
        parent_run_id: the sweep's own run; None if no store kept it.
        by_name: take every earlier sweep of that name as well. In a store that others use it may be another's.

    Raises:
        InputError: the sweep's run is in another experiment.
    """
    parents = {run.info.run_id: run for run in _one(store, parent_run_id)}
    if by_name:
        # Names are compared here because MLflow's conditions cannot express every name.
        named = (
            run for run in store.search("tags.kind = 'sweep'", _DELETED_TOO) if run.data.tags.get("sweep") == sweep
        )
        parents |= {run.info.run_id: run for run in named}
    runs = [run for parent in parents.values() for run in _with_children(store, parent)]
    ids = {run.info.run_id for run in runs}
    return SweepTraces(runs, [model for model in _models(store) if model.source_run_id in ids])


def registered_versions(store: Store, traces: SweepTraces) -> list[str]:
    """The registered versions that are made of these models, as `NAME/VERSION`."""
    runs, sources = {run.info.run_id for run in traces.runs}, {f"models:/{model.model_id}" for model in traces.models}
    found, token = [], None
    while token is None or token:
        page = store.client.search_model_versions(max_results=_PAGE, page_token=token)
        found += [one for one in page if one.run_id in runs or one.source in sources]
        token = page.token or ""
    return [f"{one.name}/{one.version}" for one in found]


def remove_traces(store: Store, sweep: str, traces: SweepTraces) -> bool:
    """Delete them, models first. If this is interrupted, a second call deletes the rest.

    Returns:
        Whether nothing is left of them. A server keeps deleted runs until `mlflow gc` is run where its database is.
    """
    # `mlflow gc`, the public way, would also delete every other deleted experiment for good.
    tracking: Any = cast(Any, MlflowClient(store.uri, store.uri))._tracking_client.store
    for_good = hasattr(tracking, "_hard_delete_run") and hasattr(tracking, "_hard_delete_logged_model")
    for model in traces.models:
        store.client.delete_logged_model(model.model_id)
        if for_good:
            _delete_files(model.artifact_location)
            tracking._hard_delete_logged_model(model.model_id)
    for run in reversed(traces.runs):  # children before their parents, by which they are found
        if run.info.lifecycle_stage == "active":
            store.client.delete_run(run.info.run_id)
        if for_good:
            _delete_files(run.info.artifact_uri)
            tracking._hard_delete_run(run.info.run_id)
    tag = view_tag(sweep)
    if tag in store.client.get_experiment(store.experiment_id).tags:
        store.client.delete_experiment_tag(store.experiment_id, tag)
    return for_good


def _delete_files(address: str) -> None:
    get_artifact_repository(address).delete_artifacts()
    folder = _folder(address)
    # MLflow leaves the folder above, which is of this run or model alone.
    if folder is not None and folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def _folder(address: str) -> Path | None:
    """The folder of an address on this machine; None for one that a server knows."""
    return Path(unquote(urlsplit(address).path)) if address.startswith("file:") else None


def _with_children(store: Store, run: Run) -> Iterator[Run]:
    yield run
    for child in store.children(run.info.run_id, _DELETED_TOO):
        yield from _with_children(store, child)


def _one(store: Store, run_id: str | None) -> list[Run]:
    """The run; none if there is none, or the user has deleted it for good."""
    if run_id is None:
        return []
    try:
        run = store.client.get_run(run_id)
    except MlflowException:
        return []
    if run.info.experiment_id != store.experiment_id:
        name = store.client.get_experiment(run.info.experiment_id).name
        raise InputError(f"The runs of the sweep are in another experiment; set `tracking.experiment={name}`.")
    return [run]


def _models(store: Store) -> Iterator[LoggedModel]:
    token = None
    while token is None or token:
        page = store.client.search_logged_models([store.experiment_id], max_results=100, page_token=token)
        yield from page
        token = page.token or ""
