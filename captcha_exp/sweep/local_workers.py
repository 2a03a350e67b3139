"""Workers that are processes of this machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from captcha_exp.child_processes import cores
from captcha_exp.sweep.trial_process import kill_group
from captcha_exp.sweep.worker_messages import WorkerOrder
from captcha_exp.sweep.worker_process import own_command


class LocalWorkers:
    """Starts them beside this process."""

    description: str | None = None

    def __init__(self, count: int, computed: Sequence[str]) -> None:
        """Args:
        count: how many there will be; they share the cores of this machine.
        computed: overrides for the workers, which would compute these values differently.
        """
        self.cores = max(1, cores() // count)
        self._command = [sys.executable, *own_command(), *computed]

    def start(self, order: WorkerOrder, log_file: Path) -> "LocalWorker":
        with log_file.open("ab") as log:
            return LocalWorker(
                subprocess.Popen(
                    self._command,
                    env={**os.environ, **order.to_environment(), "PYTHONUNBUFFERED": "1"},
                    stdin=subprocess.PIPE,  # when this process ends, the pipe ends, and the worker notices
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # only the supervisor gets the terminal's Ctrl-C
                )
            )

    def close(self) -> None:
        return


class LocalWorker:
    """A process, and the group that it leads."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def poll(self) -> int | None:
        code = self._process.poll()
        if code:
            kill_group(self._process)  # a launcher may have started more processes
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        kill_group(self._process)
        self._process.wait()
