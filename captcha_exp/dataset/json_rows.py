"""Reads labels from JSON and JSON lines as rows of a table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from captcha_exp.dataset.export_records import Export
from captcha_exp.dataset.labelling_exports import recognised_json
from captcha_exp.dataset.table_rows import UNDIVIDED, TableForm, TableRow, table_rows
from captcha_exp.errors import InputError

JSON_LINES = (".jsonl", ".ndjson")
# The whole document is in memory, in several times its size.
_MAX_JSON_BYTES = 2**27
_MOST_KEYS = 200


class RecordTable(NamedTuple):
    """Column names, a row for each labelled image, and the export of a labelling tool that it is, if it is one."""

    names: list[str]
    rows: Iterator[TableRow]
    export: Export | None = None


def json_rows(table: Path, encoding: str) -> RecordTable:
    """The rows of JSON lines of objects, a list of objects, or an object that maps names to labels or to objects.

    What labelling tools export is recognised. Numbers stay as they are written. A list of one text stands for the text.

    Raises:
        InputError: the file is none of these.
    """
    if table.suffix.lower() in JSON_LINES:
        return record_table(table, _json_lines(table, encoding))
    if table.stat().st_size > _MAX_JSON_BYTES:
        raise InputError(f"{table} is larger than {_MAX_JSON_BYTES >> 20} MiB; write it as JSON lines (.jsonl).")
    try:
        document = _parsed(table.read_text(encoding="utf-8-sig" if encoding == "utf-8" else encoding))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{table} cannot be read as JSON: {error}.") from error
    export = recognised_json(document, table)
    return export_table(table, export) if export else record_table(table, _objects(table, document))


def export_table(table: Path, export: Export) -> RecordTable:
    """The rows of an export."""
    return record_table(table, enumerate(export.records, start=1))._replace(export=export)


def _parsed(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _json_lines(table: Path, encoding: str) -> Iterator[tuple[int, Any]]:
    for row in table_rows(table, TableForm(encoding, UNDIVIDED)):
        try:
            yield row.line, _parsed(row.text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{table} cannot be read as JSON lines at line {row.line}: {error}.") from error


def _objects(table: Path, document: Any) -> Iterator[tuple[int, Any]]:
    if isinstance(document, list):
        return enumerate(document, start=1)
    if not isinstance(document, dict):
        raise InputError(f"{table} must hold a list or a mapping, not {type(document).__name__}.")
    lists = [value for value in document.values() if isinstance(value, list) and all(map(_is_object, value))]
    if len(lists) == 1 and lists[0] and len(document) <= 10:
        return enumerate(lists[0], start=1)  # {"data": [...], "version": ...}
    return enumerate(({"file": name, **_fields(value)} for name, value in document.items()), start=1)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {"label": value}


def record_table(table: Path, objects: Iterable[tuple[int, Any]]) -> RecordTable:
    """Numbered objects as rows, with a column for each key whose values are texts.

    Raises:
        InputError: an entry is no object, or there are too many keys.
    """
    rows: list[tuple[int, dict[str, list[str]]]] = []
    columns: dict[str, None] = {}
    for number, one in objects:
        if not isinstance(one, dict):
            raise InputError(f"{table} has no object at entry {number}, but {type(one).__name__}; see docs/data.md.")
        fields = {str(key): texts for key, value in one.items() if (texts := _texts(value)) is not None}
        columns.update(dict.fromkeys(fields))
        if len(columns) > _MOST_KEYS:
            raise InputError(f"{table} has more than {_MOST_KEYS} different keys; it is no list of labels.")
        rows.append((number, fields))
    names = list(columns)
    return RecordTable(names, (_row(number, [fields.get(name, []) for name in names]) for number, fields in rows))


def _row(number: int, fields: list[list[str]]) -> TableRow:
    several = {column: len(texts) for column, texts in enumerate(fields) if len(texts) > 1}
    return TableRow(number, [texts[0] if len(texts) == 1 else "" for texts in fields], "", several)


def _texts(value: Any) -> list[str] | None:
    """The texts of a field; None if it holds something else."""
    if isinstance(value, dict):
        return None
    if isinstance(value, list):
        return None if any(isinstance(one, dict | list) for one in value) else [_text(one) for one in value]
    return [_text(value)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
