"""One process at a time, across everything that uses the same folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captcha_exp.dataset.samples import Report


@contextmanager
def locked(path: Path, waiting: str, report: Report) -> Iterator[None]:
    """Hold an exclusive lock on the file `path`; `waiting` is reported when another process holds it.

    The kernel releases the lock of a killed process. The file stays: removing it would let two processes lock
    different files of the same name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
