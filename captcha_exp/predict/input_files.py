"""Find image files by paths, folders, globs or a list on standard input."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from captcha_exp.reader.image_formats import IMAGE_SUFFIXES, MAX_FILE_BYTES, OTHER_SUFFIXES, BadImageError

_LIST_ON_STDIN = "-"
# Pictures in other formats are named with the reason why they cannot be read.
_SUFFIXES = tuple(f".{suffix}" for suffix in IMAGE_SUFFIXES | OTHER_SUFFIXES)


def file_names(arguments: Iterable[str]) -> Iterator[str]:
    """Yield the files that the arguments name, without keeping all names in memory.

    A folder gives the image files in it and below it, in order of their names. A glob (`**` for any depth) gives its
    matches. `-` gives the names on standard input, one a line. Any other argument is a file name.
    """
    for argument in arguments:
        if argument == _LIST_ON_STDIN:
            yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())
        elif os.path.isdir(argument):
            yield from _below(argument)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            # If a glob matches nothing, report the glob as a missing file.
            yield from sorted(glob.iglob(argument, recursive=True)) or [argument]
        else:
            yield argument


def read_file(name: str) -> bytes | BadImageError:
    """The bytes of a file, or why it cannot be read."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return BadImageError(error.strerror or str(error))
    except ValueError as error:  # a null character in the name
        return BadImageError(str(error))
    return data if len(data) <= MAX_FILE_BYTES else BadImageError(f"larger than {MAX_FILE_BYTES // 2**20} MiB")


def batches(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of at most `size` names, in order."""
    iterator = iter(names)
    while batch := list(islice(iterator, size)):
        yield batch


def _below(folder: str) -> Iterator[str]:
    found = False
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(_SUFFIXES) and not name.startswith("."):
                found = True
                yield os.path.join(parent, name)
    if not found:
        yield folder  # an empty folder is reported as unreadable
