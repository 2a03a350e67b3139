"""Unpacks an archive of images into the cache, once."""

import hashlib
import logging
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from captcha_exp.errors import InputError
from captcha_exp.lock import locked

_log = logging.getLogger(__name__)
_MAX_FILES = 4_000_000
# Pictures hardly shrink in an archive. One that grows more than this was made to fill the disk.
_MAX_GROWTH = 100
_ALWAYS_ALLOWED = 2**30
_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError)


def is_archive(path: Path) -> bool:
    """Whether a path is a file that is called like a zip or tar archive."""
    return path.name.lower().endswith(_SUFFIXES) and path.is_file()


def unpacked(archive: Path, cache: Path) -> Path:
    """The folder with the content of an archive. A single folder in it stands for it.

    Members of a zip stay inside; a tar with paths or links that lead out is refused.

    Raises:
        InputError: the archive is damaged, encrypted or hostile, or would fill the disk.
    """
    status = archive.stat()
    stamp = f"{archive} {status.st_size} {status.st_mtime_ns}"
    return _inner(made_once(stamp, str(archive), cache, lambda folder: _unpack(archive, folder)))


def made_once(stamp: str, name: str, cache: Path, make: Callable[[Path], None]) -> Path:
    """A folder of the cache that `make` fills. Other processes wait for it, and find it afterwards.

    Args:
        stamp: changes if the content would be another.
        name: of what is unpacked, for messages.
        cache: the folder of the caches.
        make: fills a new folder; if it fails, nothing is left.
    """
    digest = hashlib.sha256(stamp.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    folder = cache / "unpacked" / digest
    with locked(cache / "keys" / f"unpacked-{folder.name}.lock", f"another process that unpacks {name}"):
        if not folder.is_dir():
            _log.info("unpacking %s into %s", name, folder)
            _make(folder, make)
    return folder


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        make(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(folder)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        _extract(archive, folder)
    except _BROKEN as error:
        raise InputError(
            f"{archive} cannot be unpacked safely: {' '.join(str(error).split()) or type(error).__name__}. Unpack it "
            "yourself and give the folder."
        ) from error


def _extract(archive: Path, folder: Path) -> None:
    allowed = max(_ALWAYS_ALLOWED, _MAX_GROWTH * archive.stat().st_size)
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            members = packed.infolist()
            _check_size(len(members), sum(member.file_size for member in members), allowed)
            packed.extractall(folder)
        return
    with tarfile.open(archive) as tar:
        total = 0
        for count, member in enumerate(tar, start=1):
            total += member.size
            _check_size(count, total, allowed)
            tar.extract(member, folder, filter="data")


def _check_size(files: int, size: int, allowed: int) -> None:
    if files > _MAX_FILES or size > allowed:
        raise ValueError(f"it holds {files} files of {size} bytes in all, too many for its size")


def _inner(folder: Path) -> Path:
    """The folder itself, or the only one that it holds."""
    while True:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith((".", "__MACOSX"))]
        if len(entries) != 1 or not entries[0].is_dir(follow_symlinks=False):
            return folder
        folder = Path(entries[0].path)
