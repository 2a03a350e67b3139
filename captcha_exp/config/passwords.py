"""Recognise passwords, hide them in all output, and hand them from one process to the next."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

MASK = "***"
_NAME = r"\w*(?:password|passwd|passphrase|secret|token|api_?key|access_?key)"
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
_NOT_YET = r"(?!\$\{)"  # an interpolation is no password; it only says where one is
# The password follows `name:` and ends at the last @ before the path. If it was not percent-encoded, it may end at
# the first @. Digits alone are the port of a web address. Lengths are limited, as a text may attack the patterns.
_USER = r"[^:/@\[\s]{0,2048}:"
_IN_ADDRESS = re.compile(
    rf"(?P<before>\b(?:https?:/{{1,2}}{_USER}(?!\d+(?:[/?#\s]|$))|(?!https?:)[a-z][a-z0-9+.-]{{0,40}}:/{{1,2}}{_USER}))"
    rf"{_NOT_YET}(?:[^/?#\s]{{0,2048}}|\S{{0,2048}}?)(?P<after>@)",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    rf"(?P<before>\b{_NAME}=){_NOT_YET}(?!null\b)(?:\"[^\"]+\"|'[^']+'|[^&\s'\"]+)(?P<after>)", re.IGNORECASE
)
_YAML_LINE = re.compile(
    rf"(?P<before>^[ \t]*{_NAME}: +){_NOT_YET}(?!null$|'').+(?P<after>)$", re.IGNORECASE | re.MULTILINE
)
# A shorter value may equal an unrelated variable by chance.
_DISTINCT = 8


def without_passwords(value: Any) -> Any:
    """The same text or nested values with every password and token replaced by `***`.

    These are the text between `user:` and `@` in an address, and the values of names that end in `password`,
    `token`, `secret`, `api_key` and the like, in an address's query, in `NAME=VALUE`, and as keys of mappings.
    """
    return _replace(value, "", lambda key, secret: MASK if _is_named_secret(key) else _masked(secret))


def with_passwords_from_environment(value: Any) -> Any:
    """Replace each text that holds a password, in nested values, by `${oc.env:...}`."""
    return _replace(value, "", kept_in_environment)


def holds_password(key: str, value: object) -> bool:
    """Whether the value of a dotted key is a password or token, or an address with one in it."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    text = str(value)
    return _masked(text) != text or (_is_named_secret(key) and text not in {"", MASK} and not text.startswith("${"))


def kept_in_environment(key: str, value: object) -> str:
    """An interpolation of the environment variable that holds `value`: an existing one, or a new one named after `key`.

    Child processes inherit the variable. Only their own user can read their environment.
    """
    text = str(value)
    known = [name for name, held in os.environ.items() if held == text and re.fullmatch(r"[A-Za-z_]\w*", name)]
    if known and len(text) >= _DISTINCT:
        return f"${{oc.env:{known[0]}}}"
    name = f"CAPTCHA_EXP_{re.sub(r'[^A-Za-z0-9]+', '_', key).upper()}"
    os.environ[name] = text
    return f"${{oc.env:{name}}}"


def _replace(value: Any, key: str, replaced: Callable[[str, str], str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _replace(item, f"{key}.{name}" if key else str(name), replaced) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace(item, key, replaced) for item in value]
    return replaced(key, str(value)) if holds_password(key, value) else value


def _is_named_secret(key: str) -> bool:
    return _SECRET_NAME.fullmatch(key.rpartition(".")[2]) is not None


def _masked(text: str) -> str:
    for pattern in (_IN_ADDRESS, _ASSIGNED, _YAML_LINE):
        text = pattern.sub(rf"\g<before>{MASK}\g<after>", text)
    return text
