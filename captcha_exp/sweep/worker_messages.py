"""What a supervisor and its workers tell each other."""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass

# A worker ends with it when it was told to stop.
EXIT_STOPPED = 143
# A worker ends with it when the study's database is gone in the middle of a trial.
EXIT_DATABASE = 75
# A worker ends with it when a disk is full.
EXIT_FULL_DISK = 74
_ENVIRONMENT_KEY = "CAPTCHA_EXP_WORKER"
_STOP_WAIT_S = 20


@dataclass(frozen=True)
class WorkerOrder:
    """What the supervisor tells a worker through its environment.

    `threads` is for TensorFlow; None leaves the configuration's. `since` is the first trial number of this start.
    """

    number: int
    threads: int | None
    since: int

    def to_environment(self) -> dict[str, str]:
        """For the environment of the worker's process."""
        return {_ENVIRONMENT_KEY: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "WorkerOrder | None":
        """The order of this process; None where it is no worker."""
        text = os.environ.get(_ENVIRONMENT_KEY)
        return None if text is None else cls(**json.loads(text))


def end_with_supervisor() -> None:
    """Wait for the end of the pipe that the supervisor holds, then stop as on its signal."""
    # Not through sys.stdin, whose lock this thread would hold while the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_WAIT_S)
    os._exit(EXIT_STOPPED)


def told(code: int) -> str:
    """How a worker ended, in words for a user."""
    if code == EXIT_DATABASE:
        return "the study's database was gone"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
