"""A real PostgreSQL server, as several machines would share it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.postgres_server import NoPostgresError, Server

__all__ = ["Server", "running_server"]


@contextmanager
def running_server(password: str | None = None) -> Iterator[Server]:
    """Start a server that asks for `password`, or for none; skip the test where PostgreSQL is not installed."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # not tmp_path, which another user cannot enter
        try:
            server = Server(Path(name), password)
        except NoPostgresError as error:
            pytest.skip(str(error))
        server.start()
        yield server
        server.stop()
