"""Shows the progress of a preparation or an audit: one live line in a terminal, plain lines elsewhere."""

import logging
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

_log = logging.getLogger(__name__)
_LINE_EVERY_S = 5.0
_LIVE_EVERY_S = 0.2


class Progress:
    """Shows the rate and the remaining time for `total` images."""

    def __init__(self, total: int, done: str = "prepared") -> None:
        """Args:
        total: how many images there are.
        done: the past participle for an image that is done, e.g. "prepared".
        """
        self._total, self._done = total, done
        self._stack = ExitStack()
        self._live: Status | None = None
        self._started = self._told = time.monotonic()

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            # Imported here, because it is needed only in a terminal.
            from rich.console import Console

            self._live = self._stack.enter_context(
                Console(stderr=True).status(f"{self._done} 0 of {self._total} images")
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def update(self, done: int) -> None:
        """Say that `done` images of the total are done."""
        now = time.monotonic()
        if done < self._total and now - self._told < (_LIVE_EVERY_S if self._live else _LINE_EVERY_S):
            return
        self._told = now
        rate = done / max(now - self._started, 1e-9)
        line = f"{self._done} {done} of {self._total} images ({rate:.0f}/s"
        if done == self._total:
            self._stack.close()  # while a live line is open, other output would go to the same place as the line
            _log.info("%s)", line)
        elif self._live is not None:
            self._live.update(f"{line}, {_left(self._total - done, rate)} left)")
        else:
            _log.info("%s, %s left)", line, _left(self._total - done, rate))


def _left(images: int, rate: float) -> str:
    seconds = round(images / rate)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
