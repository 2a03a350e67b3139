"""Exclusive locks on files, which the kernel takes back from a killed process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout


def try_lock(path: Path) -> BaseFileLock | None:
    """Lock the file `path`, made if need be, or find that another process holds it.

    Returns:
        What `release` is called of; None if it is taken.

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
def locked(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of `path`, waiting for it after a call of `on_wait` where another process has it.

    Raises:
        OSError: the file cannot be made.
    """
    lock = try_lock(path)
    if lock is None:
        on_wait()
        lock = _lock(path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _lock(path: Path) -> BaseFileLock:
    # Where the file system has no locks it would make do with a file that a killed process leaves.
    return FileLock(path, thread_local=False, fallback_to_soft=False)
