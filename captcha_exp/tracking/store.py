"""The place where runs are kept."""

import shlex
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError
from captcha_exp.lock import locked
from captcha_exp.tracking.environment import git_state
from captcha_exp.tracking.keeping_client import KeepingClient
from captcha_exp.tracking.mlflow_text import MAX_RUN_NAME_LENGTH, storable
from captcha_exp.tracking.tracked_run import TrackedRun

_PARENT = "mlflow.parentRunId"
_PAGE = 1_000
# Without this, the UI of MLflow opens as a tool for chats, and has no model registry beside its pages.
_AS_TRAINING = "workflowType=machine_learning"


@dataclass(frozen=True)
class Store:
    """One experiment of one MLflow store."""

    uri: str = field(repr=False)
    experiment: str
    experiment_id: str
    client: MlflowClient
    lock_file: Path | None  # None if the store is not a file on this machine

    def start_run(
        self, name: str, tags: Mapping[str, str], parent_run_id: str | None = None, run_id: str | None = None
    ) -> TrackedRun:
        """Begin a run, or continue the run `run_id`. Use the result as a context manager."""
        if run_id is None:
            return TrackedRun(self.client, self._create_run(name, tags, parent_run_id), is_new=True)
        self.reopen(run_id)
        return TrackedRun(self.client, run_id)

    def start_child(self, name: str, parent_run_id: str, tags: Mapping[str, str]) -> TrackedRun:
        """Begin the run `name` below another, or continue it if there is one of that name."""
        earlier = [run.info.run_id for run in self.children(parent_run_id) if run.info.run_name == name]
        return self.start_run(name, tags, parent_run_id, *earlier[:1])

    def has_finished(self, name: str, parent_run_id: str) -> bool:
        """Tell whether the run `name` below another was ended as finished."""
        children = (run for run in self.children(parent_run_id) if run.info.run_name == name)
        return any(run.data.tags.get("outcome") == "finished" for run in children)

    def reopen(self, run_id: str) -> None:
        """Mark an ended run as running again."""
        if isinstance(self.client, KeepingClient):
            self.client.settle(run_id)
        self.client.update_run(run_id, status="RUNNING")
        stale = {"outcome", "reason"} & set(self.client.get_run(run_id).data.tags)
        for tag in stale:
            self.client.delete_tag(run_id, tag)

    def find_run(self, run_id: str) -> TrackedRun | None:
        """The run `run_id`, or None if it was deleted or is not in this experiment. Its status stays unchanged."""
        return None if self.record(run_id) is None else TrackedRun(self.client, run_id)

    def record(self, run_id: str) -> Run | None:
        """MLflow's record of the run `run_id`, or None if it was deleted or is not in this experiment."""
        try:
            run = self.client.get_run(run_id)
        except MlflowException:
            return None
        own = run.info.lifecycle_stage == "active" and run.info.experiment_id == self.experiment_id
        return run if own else None

    def measured(self, run_id: str, metric: str) -> list[float] | None:
        """All values that a run logged for a metric, or None if the run no longer exists."""
        try:
            return [float(point.value) for point in self.client.get_metric_history(run_id, metric)]
        except MlflowException:
            return None

    def logged_config(self, run_id: str) -> dict[str, Any]:
        """The resolved configuration of a run, as it was logged.

        Raises:
            InputError: the run has no configuration that can be read.
        """
        with tempfile.TemporaryDirectory() as temporary:
            try:
                path = Path(self.client.download_artifacts(run_id, "config.yaml", temporary))
                return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
            except (MlflowException, OSError) as error:
                raise InputError(f"run {run_id} has no config.yaml, so it cannot be trained again.") from error
            except (yaml.YAMLError, ValueError, TypeError) as error:  # somebody replaced it
                raise InputError(
                    f"config.yaml of run {run_id} is no configuration, so it cannot be trained again."
                ) from error

    def children(self, parent_run_id: str, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
        """All runs below `parent_run_id`, the oldest first. See `search` for `view`."""
        return self.search(f"tags.`{_PARENT}` = '{parent_run_id}'", view)

    def search(self, condition: str, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
        """All runs that satisfy MLflow's `condition`, the oldest first. `view` is MLflow's `ViewType`."""
        oldest_first = ["attributes.start_time ASC", "attributes.run_id ASC"]
        found: list[Run] = []
        token = None
        while token is None or token:
            page = self.client.search_runs([self.experiment_id], condition, view, _PAGE, oldest_first, token)
            found.extend(page)
            token = page.token or ""
        return found

    @property
    def ui_command(self) -> str | None:
        """The command that serves the UI for this store, or None if a server already serves it."""
        if self.uri.startswith(("http://", "https://")):
            return None
        return f"mlflow ui --backend-store-uri {shlex.quote(without_passwords(self.uri))}"

    def ui_hint(self, run_id: str) -> str:
        """One line that says how to look at a run."""
        return self.page_hint(f"/{self.run_link(run_id)}")

    def run_link(self, run_id: str) -> str:
        """The page of a run, as a link from another page of the UI."""
        return f"#/experiments/{self.experiment_id}/runs/{run_id}"

    def page_hint(self, page: str) -> str:
        """One line that says how to look at a page of the UI."""
        shown = f"{page}{'&' if '?' in page else '?'}{_AS_TRAINING}"
        if self.ui_command is None:
            return f"{self.uri.rstrip('/')}{shown}"
        return f"{self.ui_command}   then http://127.0.0.1:5000{shown}"

    def runs_page(self, server: str) -> str:
        """The address of the runs' page at a server's address."""
        return f"{server.rstrip('/')}/#/experiments/{self.experiment_id}/runs?{_AS_TRAINING}"

    def locked(self) -> AbstractContextManager[None]:
        """If the store is a file, keep other processes of this machine out for a moment."""
        return lock_if_file(self.lock_file)

    def _create_run(self, name: str, tags: Mapping[str, str], parent_run_id: str | None) -> str:
        git = git_state()
        all_tags = {**tags, **git.tags(), "mlflow.user": user_name(), "mlflow.source.name": "captcha_exp"}
        if git.commit is not None:
            all_tags["mlflow.source.git.commit"] = git.commit
        if parent_run_id is not None:
            all_tags[_PARENT] = parent_run_id
        written = {key: storable(value) for key, value in all_tags.items()}
        run = self.client.create_run(
            self.experiment_id, int(time.time() * 1000), written, storable(name, MAX_RUN_NAME_LENGTH)
        )
        return str(run.info.run_id)


def lock_if_file(path: Path | None) -> AbstractContextManager[None]:
    """Take the lock of `path`, and wait for it if another process holds it. None locks nothing."""
    return nullcontext() if path is None else locked(path)


def user_name() -> str:
    """The system's name for the user of this process."""
    try:
        return getuser()
    except (KeyError, OSError):  # in a container, the user may have no name
        return "unknown"
