"""What a supervisor needs of its workers, wherever they run."""

import sys
from pathlib import Path
from typing import Protocol

from captcha_exp.sweep.worker_messages import WorkerOrder


class WorkerProcess(Protocol):
    """A worker that has been started."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs, or waits for its place."""

    def terminate(self) -> None:
        """Ask it to stop: its trial will be retried."""

    def kill(self) -> None:
        """End it at once, with all processes that it has started."""


class Workers(Protocol):
    """Starts workers.

    Attributes:
        description: where they run, in words for a user; None on this machine.
        cores: how many cores each of them has for itself, at least one.
    """

    description: str | None
    cores: int

    def start(self, order: WorkerOrder, log_file: Path) -> WorkerProcess:
        """Start a worker, which runs this process's own command.

        Args:
            order: the worker's instructions.
            log_file: what it prints is added here.
        """

    def close(self) -> None:
        """Give back what was taken for the workers, which have ended."""


def own_command() -> list[str]:
    """The arguments of Python that start this process's command again, also on another machine."""
    arguments, script = sys.orig_argv[1:], sys.argv[0]
    if Path(script).stem != "captcha-exp" or script not in arguments:
        return arguments
    at = arguments.index(script)  # an installed script lies elsewhere on another machine
    return [*arguments[:at], "-m", "captcha_exp", *arguments[at + 1 :]]
