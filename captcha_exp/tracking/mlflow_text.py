"""Values and errors as short texts that MLflow takes."""

import json
import re
from typing import Any

from captcha_exp.errors import InputError

_MAX_PARAM_LENGTH = 6_000
_MAX_REASON_LENGTH = 500
_NOT_IN_KEYS = re.compile(r"[^\w\-./ :]")


def param_key(name: str) -> str:
    """A configuration key without the characters that MLflow refuses."""
    return _NOT_IN_KEYS.sub("_", name)


def param_value(value: Any) -> str:
    """A value as it is typed in an override, so that it can be copied from the UI to the command line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:_MAX_PARAM_LENGTH]


def one_line(error: BaseException) -> str:
    """The first line of an error's message that says something, or the error's type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def reason_of(error: BaseException) -> str:
    """Type and first line of an error, short enough for a tag; of an InputError its message alone."""
    name, text = type(error).__name__, one_line(error)
    if text != name and not isinstance(error, InputError):
        text = f"{name}: {text}"
    return text[:_MAX_REASON_LENGTH]
