"""Reads CSV and TSV tables row by row, within size limits."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from captcha_exp.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# No table of labels is larger. A larger file is of another kind, or was made to exhaust the machine.
MAX_TABLE_BYTES = 2**29
MAX_LINES = 2_000_000
MAX_ROW_CHARACTERS = 2**20
_BLOCK = 2**20


def read_rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Last line number and cells of each row that is not blank, the header first.

    Every cell is plain text, even if a spreadsheet would take it for a formula.

    Raises:
        InputError: the file is no CSV or TSV table in UTF-8 (by its suffix, encoding or quoting), or it exceeds the
            limits of this module.
    """
    delimiter = DELIMITERS.get(table.suffix.lower())
    if delimiter is None:
        raise InputError(f"{table} must end in .csv (commas) or .tsv (tabs), not {table.suffix!r}.")
    line = 0
    try:
        _check_size(table)
        with table.open(encoding="utf-8-sig", newline="") as file:
            lines = _Lines(file, table)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            for row in reader:
                line = reader.line_num
                lines.row_characters = 0
                if any(row):
                    yield line, row
    except OSError as error:
        raise InputError(f"{table} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{table} is not in UTF-8 ({error.reason}); save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise InputError(f"{table} cannot be read as a table after line {line}: {error}.") from error


class _Lines:
    """Lines of a table. A line, or a row of several lines, may have at most `MAX_ROW_CHARACTERS` in memory."""

    def __init__(self, file: IO[str], table: Path) -> None:
        self.row_characters = 0
        self._file, self._table, self._number = file, table, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_ROW_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self.row_characters += len(line)
        if self.row_characters > MAX_ROW_CHARACTERS:
            raise InputError(
                f"{self._table} has a row of more than {MAX_ROW_CHARACTERS} characters at line {self._number}; "
                f"it is no table of labels, or a quote is missing."
            )
        return line


def _check_size(table: Path) -> None:
    size = table.stat().st_size
    if size > MAX_TABLE_BYTES:
        raise InputError(f"{table} is larger than {MAX_TABLE_BYTES >> 20} MiB ({size} bytes); divide it.")
    lines = 0
    with table.open("rb") as file:
        while block := file.read(_BLOCK):
            lines += max(block.count(b"\n"), block.count(b"\r"))
    if lines > MAX_LINES:
        raise InputError(f"{table} has more than {MAX_LINES} lines ({lines}); divide it.")
