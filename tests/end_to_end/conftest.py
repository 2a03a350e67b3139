"""The real commands in child processes, on data small enough for a test."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import mlflow
import optuna
import pytest
from mlflow.entities import Run

from tests.warm_children import children
from tests.warm_processes import WarmProcess

# A recogniser and a dataset that train in seconds.
TINY = [
    *("dataset.size=160", "dataset.image_height=32", "dataset.image_width=64", "dataset.characters=0123"),
    *("dataset.min_length=2", "dataset.max_length=3", "cnn.filters=[8,16,16]", "transformer.projection_dim=16"),
    *("transformer.feed_forward_dim=16", "transformer.depth=1", "training.threads=1"),
]
Process = WarmProcess | subprocess.Popen[str]


def _as_in_a_terminal(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what libraries that this process imported have set: JAX makes TensorFlow of all children talk."""
    return {name: value for name, value in environment.items() if name != "TF_CPP_MIN_LOG_LEVEL"}


class Folder:
    """A root folder in which commands run, and what they left there."""

    tiny = TINY

    def __init__(self, path: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.path, self.environment = path, environment
        self.children: list[Process] = []
        self._studies: dict[str, optuna.Study] = {}

    def start_warm(self, *arguments: str, module: str = "captcha_exp") -> WarmProcess:
        """Start a command in a session of its own, with what it and its workers import already there."""
        environment = {**_as_in_a_terminal(self.environment), "COLUMNS": "200"}
        child = WarmProcess(["-m", module, *arguments], self.path, environment, warm_children=True)
        self.children.append(child)
        return child

    def start(self, *arguments: str, module: str = "captcha_exp") -> "subprocess.Popen[str]":
        """Start a command in a session of its own, as a terminal would."""
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**_as_in_a_terminal(self.environment), "COLUMNS": "200"},
        )
        self.children.append(child)
        return child

    def run(
        self, *arguments: str, module: str = "captcha_exp", timeout_s: int = 400
    ) -> "subprocess.CompletedProcess[str]":
        """Start a command, cold only if this folder has an environment of its own, and wait for its end."""
        start = self.start_warm if self.environment is os.environ else self.start
        child = start(*arguments, module=module)
        out, err = child.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def runs(self) -> list[Run]:
        """Every MLflow run of this folder, oldest first."""
        client = self.client()
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(experiments, order_by=["attributes.start_time ASC"]))

    def client(self) -> mlflow.MlflowClient:
        uri = f"sqlite:///{self.path}/mlruns/mlflow.db"
        return mlflow.MlflowClient(uri, registry_uri=uri)  # else the registry of whatever this process opened before

    def sweep_processes(self, supervisor: Process) -> list[int]:
        """Process ids of the workers that a supervisor started."""
        return descendants(supervisor.pid)

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        kill(pid, number)

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float = 180) -> None:
        """Poll until `condition` is true; its errors count as not yet."""
        until = time.monotonic() + timeout_s
        last: object = None
        while time.monotonic() < until:
            try:
                if condition():
                    return
            except Exception as error:  # e.g. a database that is not there yet
                last = error
            time.sleep(0.2)
        raise TimeoutError(f"waited {timeout_s} s for {what}; last error: {last}")

    def study(self, name: str) -> optuna.Study:
        """A sweep's study, once a worker has started: who opens it earlier would make its tables beside the sweep."""
        if name in self._studies:
            return self._studies[name]
        sweep_dir = self.path / "sweeps" / name
        if not list(sweep_dir.glob("worker-*.log")):
            raise FileNotFoundError(f"no worker has started in {sweep_dir}")
        url = f"sqlite:///{sweep_dir}/study.db"
        self._studies[name] = optuna.load_study(study_name=name, storage=url)
        return self._studies[name]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """An empty folder; whatever a test started in it is stopped at its end."""
    place = Folder(tmp_path)
    yield place
    for child in place.children:
        for pid in [child.pid, *descendants(child.pid)]:
            kill(pid, signal.SIGKILL)
        child.communicate()


def descendants(pid: int) -> list[int]:
    """Process ids of the children of `pid` and theirs."""
    try:
        direct = children(pid)
    except FileNotFoundError:
        return []
    return [*direct, *(grandchild for child in direct for grandchild in descendants(child))]


def kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
