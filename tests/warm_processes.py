"""Commands as processes that begin with TensorFlow and MLflow imported; a cold start imports them for nine seconds.

One process imports them and computes nothing. For each command it forks a process of its own, in a session of its own,
which runs the command's module from the beginning. What that process starts, such as the workers of a sweep, is cold,
unless `warm_children` starts it.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path


def processes() -> ForkServerContext:
    """Starts processes that need not import for seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.warm_imports"])
    return context


class WarmProcess:
    """`python -m MODULE ARGUMENTS` or `python SCRIPT ARGUMENTS` in a folder.

    It is what `subprocess.Popen` is, as far as tests use it.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        printed: Path | None = None,
        warm_children: bool = False,
    ) -> None:
        """`command` is what follows `python`; all that is printed goes into the file `printed`, if it is given.

        The Python programs that it starts begin warm, too, if `warm_children` is true.
        """
        self.args = [sys.executable, *command]
        self._kept = tempfile.TemporaryDirectory()
        self._files = [str(printed or Path(self._kept.name, name)) for name in ("out", "err")]
        self._process = processes().Process(
            target=_become, args=(self.args, str(folder), dict(environment), *self._files, warm_children)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end. Returns all that it and its children printed."""
        self.wait(timeout)
        out, err = (Path(file).read_text() if os.path.exists(file) else "" for file in self._files)
        return out, err

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _become(
    command: list[str], folder: str, environment: dict[str, str], out: str, err: str, warm_children: bool
) -> None:
    os.setsid()
    for name, standard in ((out, 1), (err, 2)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, standard)
        os.close(file)
    if warm_children:
        from tests.warm_children import start_children_warm

        start_children_warm()
    from tests.warm_imports import STARTED_WITH  # it is imported already

    kept = {name: value for name, value in os.environ.items() if name not in STARTED_WITH}
    run_program(command, folder, {**kept, **environment})


def run_program(command: list[str], folder: str, environment: Mapping[str, str]) -> None:
    """Run `python -m MODULE ARGUMENTS`, `python -c TEXT ARGUMENTS` or `python SCRIPT ARGUMENTS` in this process."""
    os.chdir(folder)
    for name in os.environ.keys() - environment.keys():
        os.environ.pop(name)
    os.environ.update(environment)
    sys.path[1:1] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.orig_argv = command  # by which a sweep starts its workers
    if command[1] == "-m":
        sys.argv, sys.path[0] = command[2:], folder
        runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    elif command[1] == "-c":
        sys.argv, sys.path[0] = command[1:2] + command[3:], folder
        exec(command[2], {"__name__": "__main__"})
    else:
        sys.argv, sys.path[0] = command[1:], str(Path(command[1]).parent)
        runpy.run_path(command[1], run_name="__main__")
