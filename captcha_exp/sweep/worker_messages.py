"""Messages between a supervisor and its workers."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

# A worker's exit code after a request to stop.
EXIT_STOPPED = 143
# A worker's exit code if the study's database does not answer in the middle of a trial.
EXIT_DATABASE = 75
# A worker's exit code if a disk is full.
EXIT_FULL_DISK = 74
# A worker's exit code if its trial took too long.
EXIT_LATE = 76
# A worker's exit code if the tracking server was away for longer than a trial waits for it.
EXIT_STORE_AWAY = 77
# What stands for a worker's exit code if its machine, or what started it there, ended.
EXIT_NODE = 78
_ENVIRONMENT_KEY = "CAPTCHA_EXP_WORKER"
_STOP_WAIT_S = 20


@dataclass(frozen=True)
class WorkerOrder:
    """The supervisor's instructions for a worker, passed through its environment.

    `threads` is for TensorFlow; None keeps the configured number. `since` is the first trial number of this start.
    """

    number: int
    threads: int | None
    since: int

    def to_environment(self) -> dict[str, str]:
        """The variables for the environment of the worker's process."""
        return {_ENVIRONMENT_KEY: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "WorkerOrder | None":
        """The order of this process; None if it is not a worker."""
        text = os.environ.get(_ENVIRONMENT_KEY)
        return None if text is None else cls(**json.loads(text))


def end_with_supervisor(tidy: Callable[[], None]) -> None:
    """Wait until the supervisor's end of the pipe closes, do what it cannot do, and stop as if it had sent its signal.

    Args:
        tidy: is done first, and raises nothing.
    """
    # Do not use sys.stdin: this thread would hold its lock while the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    tidy()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_WAIT_S)
    os._exit(EXIT_STOPPED)


def told(code: int) -> str:
    """How a worker ended, in words for a user."""
    if code == EXIT_DATABASE:
        return "the study's database was gone"
    if code == EXIT_LATE:
        return "its trial took too long"
    if code == EXIT_NODE:
        return "its node has ended"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
