"""Measures the seconds that each stage of a run takes."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PREFIX = "seconds/"


class Stages:
    """A stopwatch for each named stage."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time of the `with` block to the stage `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - started

    def go_on_from(self, metrics: Mapping[str, float]) -> None:
        """Add what an earlier part of the run took, as `metrics` gave it."""
        for name, seconds in metrics.items():
            if name.startswith(_PREFIX):
                stage = name.removeprefix(_PREFIX)
                self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def metrics(self) -> dict[str, float]:
        """Seconds of each stage so far, by metric name."""
        return {f"{_PREFIX}{name}": seconds for name, seconds in self._seconds.items()}
