"""Whole sweeps as real processes: the supervisor, its workers, their database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from captcha_exp.sweep.tally import Tally
from tests.warm_processes import WarmProcess

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SPACE = "transformer.dropout=interval(0,0.4)"
Process = WarmProcess | subprocess.Popen[str]


class Sweep:
    """The command of `application.py` in one folder, started as often as a test likes.

    It and its workers begin with everything imported, unless `cold` is true.
    """

    cold = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun = folder / "begun"
        self.begun.mkdir()
        self.storage = f"sqlite:///{folder}/sweeps/t/study.db"
        self._processes: list[Process] = []

    def start(self, *arguments: str, space: str = SPACE, **environment: str) -> Process:
        defaults = ["sweep.name=t", "sweep.n_trials=5", "sweep.workers=2", "training.epochs=4", "sweep.heartbeat_s=60"]
        pruner = ["sweep.pruner.kind=median", "sweep.pruner.n_warmup_epochs=6"]  # test_pausing.py has the default
        command = [str(HERE / "application.py"), f"root={self.folder}", *defaults, *pruner, space, *arguments]
        path = os.pathsep.join([str(REPOSITORY), str(HERE / "plugins")])
        given = {**os.environ, "PYTHONPATH": path, "BEGUN": str(self.begun), "COLUMNS": "200", **environment}
        printed = self.folder / f"output-{len(self._processes)}.txt"
        process = (_started_cold if self.cold else _started_warm)(command, self.folder, given, printed)
        self._processes.append(process)
        return process

    def run(self, *arguments: str, space: str = SPACE, **environment: str) -> tuple[int, str]:
        """Start, wait, and give the exit code and what was printed."""
        process = self.start(*arguments, space=space, **environment)
        return process.wait(240), self.printed()

    def printed(self, start: int = -1) -> str:
        """What a start printed, the last one by default."""
        return (self.folder / f"output-{start % len(self._processes)}.txt").read_text()

    def tally(self, name: str = "t") -> Tally:
        study = optuna.load_study(study_name=name, storage=self.storage.replace("/t/", f"/{name}/"))
        return Tally(study.get_trials())

    def outcomes(self) -> dict[str, int]:
        """Number of trials by what became of them."""
        tally = self.tally()
        names = [tally.outcome(trial).name for trial in tally.trials]
        return {name: names.count(name) for name in sorted(set(names))}

    def wait_for_begun(self, count: int = 1) -> list[int]:
        """Wait until `count` trials have begun in all; the process of each, the latest last."""
        return eventually(lambda: begun if len(begun := self._begun()) >= count else None)

    def _begun(self) -> list[int]:
        return [int(file.name.rpartition("-")[2]) for file in sorted(self.begun.iterdir(), key=_age)]

    def end(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


def _started_warm(command: list[str], folder: Path, environment: dict[str, str], printed: Path) -> WarmProcess:
    printed.touch()  # the process opens it only when it has begun
    return WarmProcess(command, folder, environment, printed, warm_children=True)


def _started_cold(
    command: list[str], folder: Path, environment: dict[str, str], printed: Path
) -> "subprocess.Popen[str]":
    with printed.open("w") as output:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def _age(file: Path) -> tuple[int, str]:
    return file.stat().st_mtime_ns, file.name


def eventually(look: Callable[[], Any], timeout_s: float = 100) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.02)
    raise TimeoutError("what the test waits for did not happen")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    started = Sweep(tmp_path)
    yield started
    started.end()
