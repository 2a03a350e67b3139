"""Replace files completely or not at all, and recognise full disks."""

import errno
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from captcha_exp.errors import FullDiskError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Messages without an error number, from servers, TensorFlow, HDF5, lists of failed copies and NumPy's `tofile`.
_TOLD = re.compile(
    r"no space left on device|disk quota exceeded|file too large|disk (is )?full|\d+ requested and \d+ written", re.I
)
# Errors that may mean a full disk or something else: SQLite cannot write or make its journal; Python has no `/tmp`.
_SQLITE_UNSURE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_UNSURE = "No usable temporary directory"
_LITTLE = 1 << 16  # bytes


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that replaces `path` when it is complete and on disk. After an exception, `path` is unchanged.

    Several processes may replace one file at the same time; the file of the last one stays.

    Raises:
        OSError: there is no room, or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            # Some file systems report only now that there is no room.
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """A name for making the SQLite database `path`. The file is renamed to `path` when it is complete.

    Tables and indexes are made in many steps, and libraries cannot continue a half-made database. After a full disk or
    a kill, it would be useless. The caller must keep other processes out, and close every connection.
    """
    partial = path.with_name(f".{path.name}.partial")
    parts = [partial, partial.with_name(f"{partial.name}-journal")]
    try:
        for part in parts:
            part.unlink(missing_ok=True)
        yield partial
        partial.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


@contextmanager
def telling_full_disk(*places: Path) -> Iterator[None]:
    """If a full disk is behind an exception, raise `FullDiskError` instead.

    Args:
        places: where the work writes. If an exception names no file, the place with the least room is reported.

    Raises:
        FullDiskError: a full disk is behind an exception.
    """
    try:
        yield
    except FullDiskError:
        raise
    except Exception as error:
        full = full_disk(error, *places)
        if full is None:
            raise
        raise full from error


def full_disk(error: BaseException, *places: Path) -> FullDiskError | None:
    """The error for an exception with a full disk behind it, however often it was wrapped; None for any other."""
    everywhere = [*places, _temporary()]
    for one in _behind(error):
        if isinstance(one, FullDiskError):
            return one
        reason = _reason(one, everywhere)
        if reason is not None:
            place = _file(one) or fullest(*everywhere)
            ours = not place.is_relative_to(_temporary()) or any(place.is_relative_to(where) for where in places)
            return no_room(place, reason, "root" if ours else "TMPDIR")
    return None


def bytes_in(folder: Path) -> int:
    """The sizes of all files below a folder, added up; 0 if it does not exist."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def no_room(place: Path, reason: str = os.strerror(errno.ENOSPC), setting: str = "root") -> FullDiskError:
    """The error that says what to do about a full `place`; `setting` is the key that moves it."""
    return FullDiskError(
        f"There is no room on the disk of {place} ({reason}); make room there or set another `{setting}`, then type "
        "the same command again: it goes on from what is there."
    )


def fullest(*places: Path) -> Path:
    """The place with the least room."""
    return min(places, key=_free_bytes)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An exception, and all exceptions from which or during which it was raised."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [getattr(one, "orig", None), one.__cause__, one.__context__]


def _reason(error: BaseException, places: list[Path]) -> str | None:
    """The system's message about a full disk; None if `error` is not about one."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return error.strerror or os.strerror(error.errno)
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return str(error)
    told = None if isinstance(error, ValueError) else _TOLD.search(str(error))
    if told is not None:
        return told[0]
    unsure = str(error).startswith(_UNSURE) or (code is not None and code & 0xFF in _SQLITE_UNSURE)
    return os.strerror(errno.ENOSPC) if unsure and any(_free_bytes(place) < _LITTLE for place in places) else None


def _file(error: BaseException) -> Path | None:
    """The file that could not be written; for a copy, its target."""
    named = getattr(error, "filename2", None) or getattr(error, "filename", None)
    return Path(os.fsdecode(named)) if isinstance(named, str | bytes) else None


def _free_bytes(place: Path) -> int:
    while not place.exists() and place != place.parent:
        place = place.parent
    found = os.statvfs(place)
    without_files = found.f_files > 0 and found.f_favail == 0
    return 0 if without_files else found.f_bavail * found.f_frsize


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError:  # no folder for temporary files can be written
        return Path(os.environ.get("TMPDIR", "/tmp"))
