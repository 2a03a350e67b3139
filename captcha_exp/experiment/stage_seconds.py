"""Measures the seconds that each stage of a run takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


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

    def metrics(self) -> dict[str, float]:
        """Seconds of each stage so far, by metric name."""
        return {f"seconds/{name}": seconds for name, seconds in self._seconds.items()}
