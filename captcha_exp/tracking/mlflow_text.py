"""Values and errors as short texts that MLflow accepts."""

import json
import posixpath
import re
import zlib
from typing import Any

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError, first_line
from captcha_exp.foreign_text import visible

# The limits of MLflow's databases.
_MAX_PARAM_LENGTH = 6_000
MAX_TAG_LENGTH = 8_000
MAX_RUN_NAME_LENGTH = 250
_MAX_REASON_LENGTH = 500
_MAX_KEY_LENGTH = 250
_NUMBER_LENGTH = 9
_NOT_IN_KEYS = re.compile(r"[^\w\-./ :]")


def param_key(name: str) -> str:
    """A configuration key without the characters that MLflow refuses."""
    return _NOT_IN_KEYS.sub("_", name)


def metric_key(name: str) -> str:
    """A metric's name in a form that MLflow accepts. If the name must change, a number keeps it unique.

    A part of the name can be the name of a user's folder of images.
    """
    plain = _NOT_IN_KEYS.sub("_", name)
    if plain == name == posixpath.normpath(name) and len(name) <= _MAX_KEY_LENGTH:
        return name
    # MLflow accepts only a normalised path that does not leave its folder.
    plain = posixpath.normpath(plain.replace("..", "_")).strip("/.")[: _MAX_KEY_LENGTH - _NUMBER_LENGTH]
    return f"{plain.strip('/.')}-{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"


def storable(text: str, most: int = MAX_TAG_LENGTH) -> str:
    """A text that every database accepts. NULs and lone surrogates become escapes; all else is unchanged.

    Args:
        text: a value or a name.
        most: how many characters to keep.
    """
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()[:most]


def param_value(value: Any) -> str:
    """A value as a user types it in an override, so it can be copied from the UI to the command line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return storable(text, _MAX_PARAM_LENGTH)


def quoted(text: str) -> str:
    """A text in quotes for MLflow's conditions. They cannot express a text that has both kinds of quotes."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def one_line(error: BaseException) -> str:
    """The first useful line of an error's message, without passwords. If there is none, the error's type."""
    return str(without_passwords(first_line(error)))


def reason_of(error: BaseException) -> str:
    """Type and first line of an error, short enough for a tag. For an InputError, the message alone."""
    name, text = type(error).__name__, one_line(error)
    if text != name and not isinstance(error, InputError):
        text = f"{name}: {text}"
    return visible(text)[:_MAX_REASON_LENGTH]
