"""A thread that works off what waits."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Job = TypeVar("Job")


class _Thread(threading.Thread):
    """A worker's."""


def one_hangs() -> bool:
    """Whether a worker's thread runs; after all were closed, that is one that hangs."""
    return any(isinstance(thread, _Thread) for thread in threading.enumerate())


class Worker(Generic[Job]):
    """Works in a thread of its own, each time on jobs that it chose from all that wait."""

    def __init__(self, name: str, work: Callable[[list[Job]], None], choose: Callable[[deque[Job]], list[Job]]) -> None:
        """Start the thread.

        Args:
            name: of the thread.
            work: is called with jobs, and raises nothing.
            choose: takes at least one of the waiting jobs out.
        """
        self._work, self._choose = work, choose
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._since: float | None = None
        self._thread = _Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def busy_s(self) -> float:
        """For how many seconds it has worked without a sign; endlessly where its thread has ended on its own."""
        since = self._since
        if not self._thread.is_alive() and not self._closed:
            return float("inf")
        return 0.0 if since is None else time.monotonic() - since

    def put(self, jobs: Sequence[Job], room: int | None = None) -> None:
        """Have jobs done; with `room`, wait until fewer than so many wait before them."""
        with self._changed:
            while room is not None and len(self._waiting) >= room and not self._closed:
                self._changed.wait()
            self._waiting.extend(jobs)
            self._changed.notify_all()

    def discard(self, unwanted: Callable[[Job], bool]) -> None:
        """Forget jobs that wait."""
        with self._changed:
            for job in [job for job in self._waiting if unwanted(job)]:
                self._waiting.remove(job)
            self._changed.notify_all()

    def sign(self) -> None:
        """Tell, from within `work`, that it goes on."""
        self._since = time.monotonic()

    def pause(self) -> None:
        """Tell, from within `work`, that it waits for others; the next `sign` ends that."""
        self._since = None

    def close(self, patience_s: float) -> bool:
        """Do what waits, then end; false where that took too long, and the thread goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while jobs := self._next():
            self.sign()
            self._work(jobs)
            self.pause()

    def _next(self) -> list[Job]:
        """The jobs to do together; none when there will be no more."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            chosen = self._choose(self._waiting) if self._waiting else []
            self._changed.notify_all()
            return chosen
