"""A thread that does waiting jobs."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Job = TypeVar("Job")


class _Thread(threading.Thread):
    """A worker's."""


def one_hangs() -> bool:
    """Whether a worker's thread runs. After all workers were closed, such a thread hangs."""
    return any(isinstance(thread, _Thread) for thread in threading.enumerate())


class Worker(Generic[Job]):
    """Works in its own thread, each time on jobs chosen from those that wait."""

    def __init__(self, name: str, work: Callable[[list[Job]], None], choose: Callable[[deque[Job]], list[Job]]) -> None:
        """Start the thread.

        Args:
            name: the thread's name.
            work: is called with jobs; it must not raise.
            choose: removes at least one of the waiting jobs, and returns what it removed.
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
        """Seconds of work since the last sign; infinite if the thread has ended by itself."""
        since = self._since
        if not self._thread.is_alive() and not self._closed:
            return float("inf")
        return 0.0 if since is None else time.monotonic() - since

    def put(self, jobs: Sequence[Job], room: int | None = None) -> None:
        """Queue jobs. With `room`, first wait until fewer than `room` jobs are waiting."""
        with self._changed:
            while room is not None and len(self._waiting) >= room and not self._closed:
                self._changed.wait()
            self._waiting.extend(jobs)
            self._changed.notify_all()

    def discard(self, unwanted: Callable[[Job], bool]) -> None:
        """Forget the waiting jobs for which `unwanted` is true."""
        with self._changed:
            for job in [job for job in self._waiting if unwanted(job)]:
                self._waiting.remove(job)
            self._changed.notify_all()

    def sign(self) -> None:
        """Called by `work`: it makes progress."""
        self._since = time.monotonic()

    def pause(self) -> None:
        """Called by `work`: it waits for others, until the next `sign`."""
        self._since = None

    def close(self, patience_s: float) -> bool:
        """Do the waiting jobs, then end. False if that takes too long; then the thread continues."""
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
        """The jobs to do together; an empty list after the last job."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            chosen = self._choose(self._waiting) if self._waiting else []
            self._changed.notify_all()
            return chosen
