"""Reads untrusted files and values within limits, and shows them safely."""

import json
import os
from pathlib import Path
from typing import Any

from captcha_exp.errors import InputError

_MAX_VALUES = 20_000
_MAX_DEPTH = 32
_SHOWN = 60


def read_file(path: Path, limit: int, where: str) -> bytes:
    """The bytes of a file. It is read only once, so the checked bytes are the used bytes.

    Args:
        path: the file.
        limit: the most bytes that it may have.
        where: the user's name for the model, for messages, e.g. `model=reader.onnx`.

    Raises:
        InputError: the path is no file, or the file is too large or cannot be read.
    """
    if not path.is_file():  # reading a pipe would block, reading a device would never end
        raise InputError(f"{where} cannot be read: {path.name} is no file.")
    try:
        with path.open("rb") as file:
            # Check the size first, so a large file is not read. The file may still grow, so the length is checked, too.
            large = os.fstat(file.fileno()).st_size > limit
            data = b"" if large else file.read(limit + 1)
    except OSError as error:
        raise InputError(f"{where} cannot be read: {path.name}: {error.strerror or error}.") from error
    if large or len(data) > limit:
        raise InputError(f"{where}: {path.name} is larger than {limit >> 10} KiB, which captcha_exp does not write.")
    return data


def parse_json(text: str | bytes, where: str) -> Any:
    """The content of an untrusted JSON text.

    Raises:
        InputError: the text is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON that can be read: {' '.join(str(error).split())}") from error


def shown(value: object) -> str:
    """An untrusted value as text for a message: one short line without control characters."""
    text = ascii(value[:_SHOWN] if isinstance(value, str | bytes | list) else value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def check_plain(where: str, key: str, value: Any) -> None:
    """Refuse a value that is not plain, or that is nested or repeated without end (YAML aliases allow this).

    Raises:
        InputError: the value has something else than numbers, texts, lists and mappings, or too many of them.
    """
    count, todo = 0, [(value, 0)]
    while todo:
        found, depth = todo.pop()
        count += 1
        if count > _MAX_VALUES or depth > _MAX_DEPTH:
            raise InputError(f"{where}: {key} holds more values, or deeper ones, than captcha_exp writes.")
        if isinstance(found, dict):
            if not all(isinstance(name, str) for name in found):
                raise must_be(where, key, "a mapping whose keys are texts", found)
            todo += [(inner, depth + 1) for inner in found.values()]
        elif isinstance(found, list):
            todo += [(inner, depth + 1) for inner in found]
        elif not isinstance(found, str | int | float | None):
            raise must_be(where, key, "numbers, texts, lists and mappings", found)


def must_be(where: str, key: str, expected: str, received: object) -> InputError:
    """The error for a value that is not valid."""
    return InputError(f"{where}: {key} must be {expected}, not {shown(received)}.")
