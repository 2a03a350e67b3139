"""The table of labels, which has every answer at the moment that it is given."""

import csv
import errno
import logging
import os
from pathlib import Path
from typing import NamedTuple

from captcha_exp.dataset.table_rows import read_rows
from captcha_exp.errors import InputError, MissingPathError
from captcha_exp.files import replacing
from captcha_exp.foreign_text import csv_row

_log = logging.getLogger(__name__)
# The columns that `dataset=manifest` looks for.
_HEADER = ["file", "label", "split"]
TRAIN, TEST = "train", "test"


class LabelledFile(NamedTuple):
    """A row: a file's name below the folder, its label as it was typed, and its split."""

    file: str
    label: str
    split: str


class LabelTable:
    """A CSV table that `dataset=manifest dataset.given_splits=true` reads.

    Attributes:
        path: where it is.
        rows: all rows, in the order of the answers.
    """

    def __init__(self, path: Path) -> None:
        """Go on with a table, or begin one.

        Raises:
            InputError: the file has other columns, or cannot be read or written.
        """
        self.path = path
        if path.suffix.lower() != ".csv":
            raise InputError(f"table={path} must end in .csv.")
        if not path.parent.is_dir():
            raise MissingPathError(f"table={path}: the folder {path.parent} does not exist.")
        try:
            if not path.exists() or not path.stat().st_size:
                with replacing(path) as file:
                    file.write(_line(_HEADER))
            self._mend_end()
        except OSError as error:
            raise InputError(
                f"table={path} cannot be written ({error.strerror}); choose another with `table=FILE.csv`."
            ) from error
        self.rows = _rows_of(path)

    def append(self, row: LabelledFile) -> None:
        """Write a row. When this returns, the disk has it.

        Raises:
            InputError: it cannot be written; then the table is as before.
        """
        line = _line(row)
        try:
            with self.path.open("ab", buffering=0) as file:
                before = file.seek(0, os.SEEK_END)
                try:
                    if file.write(line) != len(line):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(before)
                    raise
        except OSError as error:
            raise InputError(f"The label is not written: {self.path}: {error.strerror or error}") from error
        self.rows.append(row)

    def remove_last(self) -> LabelledFile:
        """Take the last row out of the table, and return it.

        Raises:
            InputError: the table does not end with that row any more, or cannot be written.
        """
        line = _line(self.rows[-1])
        try:
            with self.path.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - len(line)))
                if file.read() != line:
                    raise InputError(
                        f"{self.path} does not end with the last label: another program has changed it. Correct the "
                        "label there, and start this command again."
                    )
                file.truncate(size - len(line))
                os.fsync(file.fileno())
        except OSError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The label is not removed: {self.path}: {error.strerror}") from error
        return self.rows.pop()

    def _mend_end(self) -> None:
        """End the last row. A row that was cut off when the machine went down was never confirmed, and goes."""
        data = self.path.read_bytes()
        if data.endswith(b"\n"):
            return
        whole = data[: data.rfind(b"\n") + 1]
        last = next(csv.reader([data[len(whole) :].decode("utf-8", "replace")]), [])
        if last == _HEADER or (len(last) == len(_HEADER) and last[-1] in {TRAIN, TEST}):
            whole = data + b"\n"
        else:
            _log.warning("%s: the last row was cut off, and is removed", self.path)
        with replacing(self.path) as file:
            file.write(whole)


def _line(cells: "LabelledFile | list[str]") -> bytes:
    return f"{csv_row(cells)}\n".encode()


def _rows_of(path: Path) -> list[LabelledFile]:
    rows = [cells for _, cells in read_rows(path)]
    if not rows or rows[0] != _HEADER:
        named = ", ".join(map(repr, rows[0])) if rows else "none"
        raise InputError(
            f"table={path} has the columns {named} and not {', '.join(_HEADER)}: it is another table; choose another "
            "name with `table=FILE.csv`."
        )
    uneven = next((cells for cells in rows if len(cells) != len(_HEADER)), None)
    if uneven is not None:
        raise InputError(
            f"table={path} has a row of {len(uneven)} cells and not {len(_HEADER)}: {uneven!r}; correct it."
        )
    return [LabelledFile(*cells) for cells in rows[1:]]
