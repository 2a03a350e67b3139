"""Lists the image files of a dataset's folder. No name and no link can lead out of the folder."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from captcha_exp.dataset.other_files import OtherFiles
from captcha_exp.dataset.samples import Sample, SkippedFile, label_problem, shown
from captcha_exp.reader.image_formats import IMAGE_SUFFIXES, MAX_FILE_BYTES, BadImageError

_MAX_PATH = 4096  # the limit of Linux; the time to resolve a longer path would grow with the square of its length
_DIGITS = re.compile("[0-9]+")
_OTHER_SUFFIX = re.compile("[A-Za-z][A-Za-z0-9]{1,4}")


class ImageFile(NamedTuple):
    """A file, named relative to its folder. `problem` says why it cannot be used, `stamp` when it last changed."""

    name: str
    path: str
    stamp: str
    problem: str | None


class ImageFolder:
    """The image files of a folder.

    This code uses only strings and flat loops, because every start handles each file of a large dataset.
    """

    def __init__(self, root: Path, outside: str) -> None:
        """`outside` is the problem text of a file whose name or link leads out of `root`."""
        self.root = os.path.realpath(root)
        self._prefix = os.path.join(self.root, "")
        self._outside = outside
        self._inside: dict[str, bool] = {}
        self._others = OtherFiles()

    @property
    def notes(self) -> list[str]:
        """Lines about the files that were listed and are no images."""
        return self._others.notes()

    @property
    def label_files(self) -> int:
        """How many of the listed files hold labels, `NAME.gt.txt`."""
        return self._others.label_files

    def images(self, *, recursive: bool) -> list[ImageFile]:
        """All files with an image's name or first bytes, in natural order. Hidden files and folders are left out.

        Folders that are links are not entered, so no file is found twice and no loop is followed.

        Raises:
            OSError: the folder cannot be listed.
        """
        self._others = OtherFiles()
        return sorted(self._listed(recursive), key=lambda file: natural_key(file.name))

    def file(self, name: str) -> ImageFile:
        """The file that a table names, by an absolute path or relative to the folder."""
        path = os.path.join(self.root, name)
        if len(path) > _MAX_PATH:
            return ImageFile(name, path, "", "its name is too long")
        if "\0" in name:
            return ImageFile(name, path, "", "its name has a NUL")
        return self._inspected(name, path, None)

    def _listed(self, recursive: bool) -> Iterator[ImageFile]:
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                for entry in _entries(os.path.join(self.root, folder)):
                    name = os.path.join(folder, entry.name) if folder else entry.name
                    if recursive and entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith("."):
                            folders.append(name)
                    elif is_image_name(entry.name):
                        yield self._inspected(name, f"{self._prefix}{name}", entry)
                    elif recursive and entry.is_symlink() and self._is_folder_outside(f"{self._prefix}{name}"):
                        yield ImageFile(name, "", "", self._outside)
                    elif not entry.name.startswith("."):
                        yield from self._other(name, entry)
            except OSError as error:
                if not folder:
                    raise
                yield ImageFile(folder, "", "", f"a folder that cannot be listed ({error.strerror})")

    def _other(self, name: str, entry: "os.DirEntry[str]") -> Iterator[ImageFile]:
        """A file without an image's suffix, if it is an image or was meant to be one."""
        path = f"{self._prefix}{name}"
        problem = self._others.problem(entry, path)
        if problem is not None:
            yield ImageFile(name, path, "", problem) if problem else self._inspected(name, path, entry)

    def _inspected(self, name: str, path: str, entry: "os.DirEntry[str] | None") -> ImageFile:
        try:
            status = self._status_inside(path) if entry is None else entry.stat(follow_symlinks=False)
            if status is not None and stat.S_ISLNK(status.st_mode):
                status = os.stat(path) if self._leads_inside(path) else None
        except FileNotFoundError:
            return ImageFile(name, path, "", "no such file")
        except OSError as error:
            return ImageFile(name, path, "", error.strerror or str(error))
        if status is None:
            return ImageFile(name, path, "", self._outside)
        return ImageFile(name, path, f"{status.st_size} {status.st_mtime_ns}", _problem(status))

    def _status_inside(self, path: str) -> os.stat_result | None:
        """The status of a path itself, or None if its folder is outside."""
        folder = os.path.dirname(path)
        inside = self._inside.get(folder)
        if inside is None:
            inside = self._inside[folder] = os.path.join(os.path.realpath(folder), "").startswith(self._prefix)
        return os.lstat(path) if inside else None

    def _is_folder_outside(self, link: str) -> bool:
        try:
            return os.path.isdir(link) and not self._leads_inside(link)
        except OSError:
            return False  # the link cannot be used, wherever it leads

    def _leads_inside(self, link: str) -> bool:
        return os.path.join(os.path.realpath(link, strict=True), "").startswith(self._prefix)


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    # With a descriptor, the system need not look up the folder's whole path for each entry.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(descriptor) as entries:
            yield from entries
    finally:
        os.close(descriptor)


def is_image_name(name: str) -> bool:
    """Whether a file of this name counts as an image. Hidden files never count."""
    return name.rpartition(".")[2].lower() in IMAGE_SUFFIXES and "." in name and not name.startswith(".")


def stem(name: str) -> str:
    """The last part of an image's name without its suffix. What is no suffix of a file, such as `.5`, stays."""
    last = name[name.rfind("/") + 1 :]
    start, _, suffix = last.rpartition(".")
    return start if start and (suffix.lower() in IMAGE_SUFFIXES or _OTHER_SUFFIX.fullmatch(suffix)) else last


def natural_key(name: str) -> str:
    """A sort key that puts `img2` before `img10`, the same on every machine."""
    # A number becomes NUL, its length and its digits. No name has a NUL, and NUL sorts before all other characters.
    return f"{_DIGITS.sub(_by_length, name)}\0\0{name}"


def file_sample(file: ImageFile, name: str, label: str | None, origin: str) -> Sample | SkippedFile:
    """A file as the sample `name`, or the reason why it cannot be a sample."""
    problem = file.problem or label_problem(label)
    if problem is not None or label is None:
        return SkippedFile(shown(name), str(problem))
    return Sample(shown(name), label, origin, file.path, file.stamp)


def read_file(locator: str) -> bytes:
    """The bytes of an image file.

    Raises:
        BadImageError: the file cannot be read, or is not a regular file.
    """
    try:
        # Do not block: since the listing, a pipe may have replaced the file.
        descriptor = os.open(locator, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadImageError(error.strerror or str(error)) from error
    try:
        status = os.fstat(descriptor)
        problem = _problem(status)
        if problem is not None:
            raise BadImageError(problem)
        return os.read(descriptor, status.st_size)
    except OSError as error:
        raise BadImageError(error.strerror or str(error)) from error
    finally:
        os.close(descriptor)


def _by_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0") or "0"
    return f"\0{chr(len(digits))}{digits}"


def _problem(status: os.stat_result) -> str | None:
    if stat.S_ISREG(status.st_mode):
        return None if status.st_size <= MAX_FILE_BYTES else f"larger than {MAX_FILE_BYTES >> 20} MiB"
    return "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
