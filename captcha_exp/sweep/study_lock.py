"""The lock of a study. A worker holds it from its look for a free slot until its trial has begun."""

import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from filelock import BaseFileLock

from captcha_exp.errors import InputError
from captcha_exp.lock import try_lock

_POLL_S = 0.05
CONNECT_TIMEOUT_S = 10


class StudyLock:
    """A lock that is released if its holder dies. It is not reentrant."""

    held = False

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
    """A lock between clients of one database server. The server frees it if the connection ends."""

    def __init__(self, url: str, take: str, free: str, key: int | str) -> None:
        # Autocommit: a lock must not leave a transaction open behind it.
        engine = sa.create_engine(
            url,
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        )
        self._connect = engine.connect
        self._connection: sa.Connection | None = engine.connect()
        self._take, self._release, self._key = sa.text(take), sa.text(free), key

    def _try(self) -> bool:
        return bool(self._execute(self._take))

    def _free(self) -> None:
        self._execute(self._release)

    def _execute(self, statement: sa.TextClause) -> object:
        """The server's answer. If the connection is lost, so is the lock: returns None, and the next call connects."""
        if self._connection is None:
            self._connection = self._connect()
        try:
            return self._connection.execute(statement, {"key": self._key}).scalar()
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            self._connection.close()
            self._connection = None
            return None


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
