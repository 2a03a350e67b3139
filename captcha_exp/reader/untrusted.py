"""Files and values that somebody else made: read within bounds, shown without harm."""

import json
import os
from pathlib import Path
from typing import Any

from captcha_exp.errors import InputError

_MAX_VALUES = 20_000
_MAX_DEPTH = 32
_SHOWN = 60


def read_file(path: Path, limit: int, where: str) -> bytes:
    """The bytes of a file, read once, so that what was checked is what is used.

    Args:
        path: the file.
        limit: most bytes that it may have.
        where: what the user called what it belongs to, for messages, e.g. `model=reader.onnx`.

    Raises:
        InputError: it is no file, larger, or cannot be read.
    """
    if not path.is_file():  # a pipe would be waited for, a device never ends
        raise InputError(f"{where} cannot be read: {path.name} is no file.")
    try:
        with path.open("rb") as file:
            # The size first: what is refused need not be read. It may grow meanwhile.
            large = os.fstat(file.fileno()).st_size > limit
            data = b"" if large else file.read(limit + 1)
    except OSError as error:
        raise InputError(f"{where} cannot be read: {path.name}: {error.strerror or error}.") from error
    if large or len(data) > limit:
        raise InputError(f"{where}: {path.name} is larger than {limit >> 10} KiB, which captcha_exp does not write.")
    return data


def parse_json(text: str | bytes, where: str) -> Any:
    """The content of a JSON text of a stranger's.

    Raises:
        InputError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON that can be read: {' '.join(str(error).split())}") from error


def shown(value: object) -> str:
    """A stranger's value in a message: on one line, without control characters, shortened."""
    text = ascii(value[:_SHOWN] if isinstance(value, str | bytes | list) else value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def check_plain(where: str, key: str, value: Any) -> None:
    """Refuse what is no plain value, or nested or repeated without end, as aliases in YAML allow.

    Raises:
        InputError: it is not numbers, texts, lists and mappings alone, or there are too many.
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
    """The error of a value that is not what it must be."""
    return InputError(f"{where}: {key} must be {expected}, not {shown(received)}.")
