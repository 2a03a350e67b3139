"""Reads labels from JSON and JSON lines as rows of a table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from captcha_exp.dataset.table_rows import UNDIVIDED, TableForm, TableRow, table_rows
from captcha_exp.errors import InputError

JSON_LINES = (".jsonl", ".ndjson")
# The whole document is in memory, in several times its size.
_MAX_JSON_BYTES = 2**27
_MOST_KEYS = 200


def json_rows(table: Path, encoding: str) -> tuple[list[str], Iterator[TableRow]]:
    """Column names, and a row for each labelled image.

    These forms are read: JSON lines of objects; a list of objects; an object that maps names to labels or to objects;
    and COCO's, with `images` and `annotations`. Numbers stay as they are written.

    Raises:
        InputError: the file is none of these.
    """
    if table.suffix.lower() in JSON_LINES:
        return _of_objects(table, _json_lines(table, encoding))
    if table.stat().st_size > _MAX_JSON_BYTES:
        raise InputError(f"{table} is larger than {_MAX_JSON_BYTES >> 20} MiB; write it as JSON lines (.jsonl).")
    try:
        document = _parsed(table.read_text(encoding="utf-8-sig" if encoding == "utf-8" else encoding))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{table} cannot be read as JSON: {error}.") from error
    return _of_objects(table, _objects(table, document))


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
    if isinstance(document.get("images"), list) and isinstance(document.get("annotations"), list):
        return enumerate(_coco(document), start=1)
    lists = [value for value in document.values() if isinstance(value, list) and all(map(_is_object, value))]
    if len(lists) == 1 and lists[0] and len(document) <= 10:
        return enumerate(lists[0], start=1)  # {"data": [...], "version": ...}
    return enumerate(({"file": name, **_fields(value)} for name, value in document.items()), start=1)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {"label": value}


def _coco(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """An image with the fields of its annotation. An image of several annotations is several rows."""
    images = {str(image.get("id")): image for image in document["images"] if isinstance(image, dict)}
    for note in document["annotations"]:
        if isinstance(note, dict):
            yield {**note, **images.get(str(note.get("image_id")), {})}


def _of_objects(table: Path, objects: Iterable[tuple[int, Any]]) -> tuple[list[str], Iterator[TableRow]]:
    rows: list[tuple[int, dict[str, str]]] = []
    columns: dict[str, None] = {}
    for number, one in objects:
        if not isinstance(one, dict):
            raise InputError(f"{table} has no object at entry {number}, but {type(one).__name__}; see docs/data.md.")
        fields = {str(key): _text(value) for key, value in one.items() if not isinstance(value, dict | list)}
        columns.update(dict.fromkeys(fields))
        if len(columns) > _MOST_KEYS:
            raise InputError(f"{table} has more than {_MOST_KEYS} different keys; it is no list of labels.")
        rows.append((number, fields))
    names = list(columns)
    return names, (TableRow(number, [fields.get(name, "") for name in names], "") for number, fields in rows)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
