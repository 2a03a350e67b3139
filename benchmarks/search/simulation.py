"""A search over recorded curves, with workers that need the recorded time for each epoch."""

import heapq
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.search.tables import EPOCHS, Curve, Table


class Method(Protocol):
    """How trials are chosen and stopped. A trial is known by a number that the method gives it."""

    # Whether all workers wait until each of them has ended its trial.
    waits: bool

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """The next trial to work on: a new one, or one that was paused. None: wait until another trial ends."""

    def told(self, number: int, epoch: int, accuracy: float) -> bool:
        """Take note of an epoch, from 0. Returns whether the trial goes on."""

    def ended(self, number: int, best: float | None) -> None:
        """Take note that the worker left the trial: with its accuracy if it has all epochs, else None."""


@dataclass
class Trace:
    """How a search went: where the best accuracy of a finished trial rose, by the epochs that all workers had spent."""

    rises: list[tuple[int, float]] = field(default_factory=list)
    epochs: int = 0

    def best_after(self, epochs: int) -> float:
        """The best accuracy of a finished trial after that many epochs, 0 if there was none."""
        return max((best for spent, best in self.rises if spent <= epochs), default=0.0)

    def epochs_to(self, accuracy: float) -> int | None:
        """The epochs that were spent when a finished trial had this accuracy; None if none had."""
        return next((spent for spent, best in self.rises if best >= accuracy), None)


@dataclass
class _Work:
    number: int
    curve: Curve
    done: int = 0


class _Workers:
    """Workers in simulated time, of which each is idle or has a trial."""

    def __init__(self, table: Table, method: Method, workers: int) -> None:
        self._table, self._method, self._workers = table, method, workers
        self._events: list[tuple[float, int, _Work]] = []
        self._known: dict[int, _Work] = {}
        self._idle = list(range(workers))
        self.now = 0.0
        self.trace = Trace()

    def run(self, budget: int) -> Trace:
        """Work until so many epochs are spent, or nothing is left to do."""
        while self.trace.epochs < budget:
            self._begin()
            if not self._events:
                break
            self.now, worker, work = heapq.heappop(self._events)
            self._epoch(worker, work)
        return self.trace

    def _begin(self) -> None:
        if self._method.waits and len(self._idle) < self._workers:
            return
        while self._idle:
            asked = self._method.ask()
            if asked is None:
                return
            number, params = asked
            work = self._known.setdefault(number, _Work(number, self._table.nearest(params)))
            self._plan(self._idle.pop(), work, work.curve.start_s)

    def _plan(self, worker: int, work: _Work, extra: float = 0.0) -> None:
        heapq.heappush(self._events, (self.now + extra + work.curve.epoch_s, worker, work))

    def _epoch(self, worker: int, work: _Work) -> None:
        accuracy = work.curve.accuracy[work.done]
        work.done += 1
        self.trace.epochs += 1
        goes_on = self._method.told(work.number, work.done - 1, accuracy)
        if work.done == EPOCHS:
            self._finish(work)
        elif goes_on:
            self._plan(worker, work)
            return
        else:
            self._method.ended(work.number, None)
        self._idle.append(worker)

    def _finish(self, work: _Work) -> None:
        self._method.ended(work.number, work.curve.best)
        if not self.trace.rises or work.curve.best > self.trace.rises[-1][1]:
            self.trace.rises.append((self.trace.epochs, work.curve.best))


def simulate(table: Table, method: Method, workers: int, budget: int) -> Trace:
    """Search with `workers` until `budget` epochs are spent."""
    return _Workers(table, method, workers).run(budget)
