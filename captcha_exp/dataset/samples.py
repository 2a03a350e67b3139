"""What a source of labelled images gives: named samples, and how to get their bytes."""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass

from captcha_exp.image import BadImageError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
# A picture of one line of text is far smaller; reading more would only cost memory.
MAX_FILE_BYTES = 64 * 2**20
Report = Callable[[str], None]


@dataclass(frozen=True)
class SkippedFile:
    """A file that cannot be used, by the name that messages give it."""

    name: str
    reason: str


@dataclass(frozen=True)
class Sample:
    """One labelled image.

    `name` is what messages call it, `origin` which set it comes from, `locator` what the source's loader takes, and
    `stamp` changes whenever the image may have changed.
    """

    name: str
    label: str
    origin: str
    locator: str
    stamp: str


@dataclass(frozen=True)
class Source:
    """Samples in a fixed order, files that are no samples, and `load`: locator -> bytes of an image file.

    `load` is sent to other processes, so it must be picklable.
    """

    name: str
    uri: str
    samples: list[Sample]
    skipped: list[SkippedFile]
    load: Callable[[str], bytes]


def is_image_name(name: str) -> bool:
    """Whether a file of this name counts as an image; hidden files never do."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def shown(name: str) -> str:
    """A file's name as it can be printed anywhere, with escapes for newlines, bytes that are no text and the like."""
    return name if name.isprintable() else ascii(name)[1:-1]


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorts `img2` before `img10`, the same way everywhere."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def label_problem(label: str | None) -> str | None:
    """Why a text cannot be a label, or None."""
    if not label:
        return "its label is empty"
    if not label.isprintable():
        return f"its label {label!r} has characters that cannot be printed"
    return None


def file_sample(path: str, name: str, label: str | None, origin: str) -> Sample | SkippedFile:
    """A file as a sample, or the reason why it is none, told from its label and its entry in the file system.

    Paths are strings here: at every start of a large dataset, most of the time would go into `Path` objects.
    """
    problem = label_problem(label)
    if problem is None:
        try:
            entry = os.stat(path)
        except FileNotFoundError:
            problem = "no such file"
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            problem = getattr(error, "strerror", None) or str(error)
        else:
            problem = _entry_problem(entry)
    if problem is not None or label is None:
        return SkippedFile(shown(name), str(problem))
    return Sample(shown(name), label, origin, path, f"{entry.st_size} {entry.st_mtime_ns}")


def read_file(locator: str) -> bytes:
    """The bytes of an image file.

    Raises:
        BadImageError: it cannot be read.
    """
    try:
        with open(locator, "rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise BadImageError(error.strerror or str(error)) from error


def _entry_problem(entry: os.stat_result) -> str | None:
    if stat.S_ISDIR(entry.st_mode):
        return "a directory"
    if not stat.S_ISREG(entry.st_mode):
        return "not a regular file"
    if entry.st_size > MAX_FILE_BYTES:
        return f"larger than {MAX_FILE_BYTES >> 20} MiB"
    return None
