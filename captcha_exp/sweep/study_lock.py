"""The lock of a study. A worker holds it from its look for a free slot until its trial has begun."""

import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from filelock import BaseFileLock

from captcha_exp.errors import InputError
from captcha_exp.lock import try_lock
from captcha_exp.sweep.server_connections import connection_arguments, notice_vanished_clients

_POLL_S = 0.05


class StudyLock:
    """A lock that is released if its holder dies. It is not reentrant."""

    held = False

    def share(self, engine: sa.Engine) -> None:
        """Use the connections of `engine` from now on, if the lock is in a database server."""

    def acquire(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until this process holds the lock, or until `give_up` says to stop waiting.

        Returns:
            Whether the lock is held.
        """
        while not self._try():
            if give_up():
                return False
            time.sleep(_POLL_S)
        self.held = True
        return True

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
        if self.held:
            self.held = False
            self._free()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _try(self) -> bool:
        raise NotImplementedError

    def _free(self) -> None:
        raise NotImplementedError


class LocalLock(StudyLock):
    """A lock between processes that see the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: BaseFileLock | None = None

    def _try(self) -> bool:
        self._lock = try_lock(self._path)
        return self._lock is not None

    def _free(self) -> None:
        if self._lock is not None:
            self._lock.release()


class ServerLock(StudyLock):
    """A lock between clients of one database server. The server frees it if the connection ends.

    It has a connection of its own only while it is held. To wait for it takes the connection that this process has.
    """

    def __init__(self, url: str, take: str, free: str, key: int | str) -> None:
        self._take, self._release, self._key = sa.text(take), sa.text(free), key
        self._connection: sa.Connection | None = None
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=connection_arguments(url))
        notice_vanished_clients(engine)
        self.share(engine)
        self._connect().close()  # so that a wrong address is told at once

    def share(self, engine: sa.Engine) -> None:
        """Take connections from this engine from now on."""
        # Autocommit: a lock must not leave a transaction open behind it.
        self._connect = engine.execution_options(isolation_level="AUTOCOMMIT").connect

    def _try(self) -> bool:
        connection = self._connect()
        try:
            taken = bool(connection.execute(self._take, {"key": self._key}).scalar())
        except BaseException:
            connection.invalidate()
            raise
        if taken:
            connection.detach()  # the engine may open another in its place, and this one is closed after use
            self._connection = connection
        else:
            connection.close()
        return taken

    def _free(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sa.exc.DBAPIError):  # with the connection, the lock is lost too
                connection.execute(self._release, {"key": self._key})
            connection.close()


def open_lock(url: str, study_name: str) -> StudyLock:
    """The lock of `study_name` in the database `url`.

    Raises:
        InputError: the database is of a kind that is not supported.
    """
    parts = sa.make_url(url)
    backend = parts.get_backend_name()
    name = f"captcha_exp {study_name}"
    if backend == "sqlite":
        return LocalLock(Path(f"{parts.database}.lock"))
    if backend == "postgresql":
        return ServerLock(url, "SELECT pg_try_advisory_lock(:key)", "SELECT pg_advisory_unlock(:key)", _number(name))
    if backend in {"mysql", "mariadb"}:
        # MySQL does not shorten names: it refuses a name of more than 64 characters.
        key = f"captcha_exp {_number(name)}"
        return ServerLock(url, "SELECT GET_LOCK(:key, 0)", "SELECT RELEASE_LOCK(:key)", key)
    raise InputError(f"sweep.storage must be an sqlite, postgresql or mysql URL, not {backend}.")


def _number(name: str) -> int:
    """A 62-bit number for `name`, the same in every process."""
    data = name.encode()
    return zlib.crc32(data) << 30 | zlib.adler32(data) >> 2
