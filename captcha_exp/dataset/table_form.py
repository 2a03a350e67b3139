"""Finds out how a table is divided, whether it has a header, and which of its columns are what."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset.table_rows import BLANK, TableForm, divided
from captcha_exp.errors import InputError

NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "blank": BLANK, "\\t": "\t"}
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", BLANK: "the first blank of a line"}
_FIRST = {".tsv": "\t", ".tab": "\t", ".csv": ","}
_CANDIDATES = ("\t", ",", ";", "|", BLANK)
# At least this share of the first rows must name files of the image folder.
_ENOUGH = 0.5
_MOST_COLUMNS = 50
IsFile = Callable[[str], bool]


@dataclass(frozen=True)
class Division:
    """The first rows of a table, divided in one way. `found` is the share of rows whose cell `column` names a file."""

    form: TableForm
    rows: list[list[str]]
    found: float = 0.0
    column: int | None = None


def divide(lines: Sequence[str], suffix: str, encoding: str, config: ManifestConfig, is_file: IsFile) -> Division:
    """How a table is divided, from its first lines.

    A delimiter that is configured, or one that gives the configured columns, is taken. Otherwise the one with which
    most rows name files; at last the one of the suffix.

    Args:
        lines: the first lines that are not blank.
        suffix: of the table's name.
        encoding: of its text.
        config: the user's keys.
        is_file: whether a cell names a file of the image folder.
    """
    order = _candidates(suffix, config.delimiter)
    divisions = [one for one in (_divided(lines, delimiter, encoding) for delimiter in order) if one is not None]
    wanted = {config.file_column, config.label_column}
    for one in divisions:
        if one.rows and wanted <= {cell.strip() for cell in one.rows[0]}:
            return _with_files(one, is_file)
    judged = [_with_files(one, is_file) for one in divisions]
    best = max(judged, key=lambda one: one.found, default=None)
    if best is not None and best.found >= _ENOUGH:
        return best
    return next(iter(judged), Division(TableForm(encoding, order[0]), []))


def named_delimiter(lines: Sequence[str]) -> str | None:
    """The delimiter that a spreadsheet has named in the first line, as `sep=;`."""
    first = lines[0].strip("\r\n") if lines else ""
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _candidates(suffix: str, configured: str | None) -> list[str]:
    if configured is not None:
        delimiter = NAMED_DELIMITERS.get(configured, configured)
        if len(delimiter) != 1 or delimiter in '\r\n"\0':
            raise InputError(
                f"dataset.delimiter must be one character, or one of {', '.join(list(NAMED_DELIMITERS)[:5])}, "
                f"not {configured!r}."
            )
        return [delimiter]
    first = _FIRST.get(suffix.lower())
    return [*([first] if first else []), *(one for one in _CANDIDATES if one != first)]


def _divided(lines: Sequence[str], delimiter: str, encoding: str) -> Division | None:
    blank_before_quote = any(f'{delimiter} "' in line for line in lines) and delimiter not in {BLANK, "\t"}
    form = TableForm(encoding, delimiter, blank_before_quote=blank_before_quote)
    rows = _parsed(lines, form)
    if rows is None and delimiter != BLANK:
        form = replace(form, quotes=False)
        rows = _parsed(lines, form)
    if rows is None or not any(len(row) > 1 for row in rows):
        return None
    return Division(form, rows)


def _parsed(lines: Sequence[str], form: TableForm) -> list[list[str]] | None:
    """The rows of the lines. The last one may be open, because the lines are only a part of the table."""
    try:
        return [row for row in divided(lines, form, strict=False) if any(row)]
    except csv.Error:
        return None


def _with_files(division: Division, is_file: IsFile) -> Division:
    """The column whose cells name most files."""
    shares = _shares(division.rows, is_file)
    best = max(range(len(shares)), key=shares.__getitem__, default=None)
    if best is None or shares[best] == 0:
        return division
    return replace(division, found=shares[best], column=best)


def file_column(rows: Sequence[list[str]], is_file: IsFile) -> int | None:
    """The column in which most cells name a file; None if none has enough of them."""
    shares = _shares(rows, is_file)
    best = max(range(len(shares)), key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] >= _ENOUGH else None


def _shares(rows: Sequence[list[str]], is_file: IsFile) -> list[float]:
    """For each column, the share of rows whose cell names a file."""
    width = min(max(map(len, rows), default=0), _MOST_COLUMNS)
    return [
        sum(is_file(row[column].strip()) for row in rows if column < len(row)) / len(rows) for column in range(width)
    ]


def is_usual(form: TableForm, suffix: str) -> bool:
    """Whether a table is as its suffix says, in UTF-8."""
    return form.delimiter == _FIRST.get(suffix.lower()) and form.quotes and form.encoding in {"utf-8", "utf-8-sig"}


def told(form: TableForm) -> str:
    """The form in words."""
    quotes = "" if form.quotes or form.delimiter == BLANK else ", quotation marks as text"
    return f"divided by {_WORDS.get(form.delimiter, repr(form.delimiter))}{quotes}, in {form.encoding}"


def first_lines(texts: Iterator[str], most: int) -> list[str]:
    """The first lines that are not blank."""
    lines: list[str] = []
    for text in texts:
        if text.strip():
            lines.append(text)
        if len(lines) >= most:
            break
    return lines
