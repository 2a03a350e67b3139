"""Reads tables of text row by row, within size limits."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from captcha_exp.dataset.table_encoding import table_encoding
from captcha_exp.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
BLANK = " "  # divides only once: a path, and the rest of the line
UNDIVIDED = ""
MAX_ROW_CHARACTERS = 2**20


@dataclass(frozen=True)
class TableForm:
    """How the text of a table is divided.

    `delimiter` is one character. `BLANK` divides a line once, at its first blank. `UNDIVIDED` leaves it whole. Without
    `quotes`, quotation marks are characters like others. `blank_before_quote` lets a cell in quotes have blanks before
    it.
    """

    encoding: str
    delimiter: str
    quotes: bool = True
    blank_before_quote: bool = False


@dataclass(frozen=True)
class TableRow:
    """A row, the number of its last line, and its text as it stands in the table.

    `several` is the number of texts in those columns that hold several; their cells are empty.
    """

    line: int
    cells: list[str]
    text: str
    several: Mapping[int, int] = field(default_factory=dict)

    def rest(self, first: int, end: int, delimiter: str) -> str | None:
        """The cells from `first` up to `end`, as they stand in the text; None if quotes make that unsure."""
        if delimiter.join(self.cells) != self.text.rstrip("\r\n"):
            return None
        return delimiter.join(self.cells[first:end])


def read_rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Last line number and cells of each row that is not blank, of a CSV or TSV table in Unicode.

    Every cell is plain text, even if a spreadsheet would take it for a formula.

    Raises:
        InputError: the file is no such table, or it exceeds the limits of this module.
    """
    delimiter = DELIMITERS.get(table.suffix.lower())
    if delimiter is None:
        raise InputError(f"{table} must end in .csv (commas) or .tsv (tabs), not {table.suffix!r}.")
    for row in table_rows(table, TableForm(find_encoding(table, None), delimiter)):
        yield row.line, row.cells


def find_encoding(table: Path, configured: str | None) -> str:
    """`table_encoding`, with an error in one line.

    Raises:
        InputError: the table cannot be read, is too large or in another encoding.
    """
    try:
        return table_encoding(table, configured)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{table} cannot be read ({error.strerror}).") from error


def table_rows(table: Path, form: TableForm) -> Iterator[TableRow]:
    """Each row that is not blank.

    Raises:
        InputError: the table cannot be read in this form, or a row is too long.
    """
    line = 0
    try:
        with table.open(encoding=_without_mark(form.encoding), newline="") as file:
            lines = _Lines(file, table)
            for cells in divided(lines, form, strict=True):
                line = lines.number
                if any(cells):
                    yield TableRow(line, cells, "".join(lines.row))
                lines.start_row()
    except OSError as error:
        raise InputError(f"{table} cannot be read ({error.strerror}).") from error
    except UnicodeError as error:
        raise InputError(
            f"{table} cannot be read as {form.encoding} after line {line}: {error}; set `dataset.encoding=...`."
        ) from error
    except csv.Error as error:
        raise InputError(f"{table} cannot be read as a table after line {line}: {error}.") from error


def _without_mark(encoding: str) -> str:
    return "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding


def divided(lines: Iterable[str], form: TableForm, *, strict: bool) -> Iterator[list[str]]:
    """The cells of each row.

    Args:
        lines: with their ends.
        form: how to divide them.
        strict: refuse quotes that are not closed. The first lines of a table may end within quotes.

    Raises:
        csv.Error: the lines cannot be divided so, while they are iterated.
    """
    if form.delimiter == UNDIVIDED:
        return ([line.rstrip("\r\n")] for line in lines)
    if form.delimiter == BLANK:
        return (line.rstrip("\r\n").split(None, 1) for line in lines)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if form.quotes else csv.QUOTE_NONE
    return csv.reader(
        lines, delimiter=form.delimiter, strict=strict, quoting=quoting, skipinitialspace=form.blank_before_quote
    )


class _Lines:
    """Lines of a table. A line, or a row of several lines, may have at most `MAX_ROW_CHARACTERS` in memory."""

    def __init__(self, file: IO[str], table: Path) -> None:
        self.row: list[str] = []
        self.number = 0
        self._characters = 0
        self._file, self._table = file, table

    def start_row(self) -> None:
        self.row, self._characters = [], 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_ROW_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self._characters += len(line)
        self.row.append(line)
        if self._characters > MAX_ROW_CHARACTERS:
            raise InputError(
                f"{self._table} has a row of more than {MAX_ROW_CHARACTERS} characters at line {self.number}; "
                f"it is no table of labels, or a quote is missing."
            )
        return line
