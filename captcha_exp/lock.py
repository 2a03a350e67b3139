"""Exclusive locks on files. If a process is killed, the kernel releases its locks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

_log = logging.getLogger(__name__)


def try_lock(path: Path) -> BaseFileLock | None:
    """Try to lock the file `path`, which is made if it does not exist.

    Returns:
        The lock, to call `release` on; None if another process holds it.

    Raises:
        OSError: the file cannot be made.
    """
    lock = _lock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


@contextmanager
def locked(path: Path, other: str | None = None) -> Iterator[None]:
    """Hold the lock of `path`. If another process holds it, wait; `other` names that process in a line for the user.

    Raises:
        OSError: the file cannot be made.
    """
    lock = try_lock(path)
    if lock is None:
        if other is not None:
            _log.info("waiting for %s", other)
        lock = _lock(path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _lock(path: Path) -> BaseFileLock:
    # Without locks in the file system, filelock would use a plain file, which a killed process leaves behind.
    return FileLock(path, thread_local=False, fallback_to_soft=False)
