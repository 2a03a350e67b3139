"""Separate the files of a command line from its settings."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from captcha_exp import typed_texts
from captcha_exp.errors import InputError

_SETTING = re.compile(r"([+~]{0,2})([A-Za-z_][\w./@-]*)=(.*)", re.DOTALL)
# Hydra's options whose value is the next argument.
_OPTIONS_WITH_VALUE = {"--cfg", "-c", "--package", "-p", "--config-dir", "-cd", "--config-name", "-cn"}


def split_arguments(
    arguments: Sequence[str], keys: Iterable[str], verbatim: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Split a command line into Hydra's overrides and options, and files.

    An argument is a file if such a file exists or if it comes after `--`. Otherwise, `KEY=VALUE` is a setting, and
    an argument that begins with `-` is an option.

    Args:
        arguments: as typed.
        keys: the top-level keys of the configuration.
        verbatim: keys whose values are used as typed, without Hydra's grammar.

    Raises:
        InputError: an argument looks like a setting, but neither such a key nor such a file exists.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    overrides, files = [], []
    known, plain = {*keys, "hydra"}, set(verbatim)
    parts = iter(arguments[:end])
    for argument in parts:
        setting = _SETTING.fullmatch(argument)
        if _exists(argument):
            files.append(argument)
        elif setting is not None:
            sign, key, value = setting.groups()
            if re.split(r"[./@]", key)[0] not in known:
                _refuse(argument, key, known)
            overrides.append(f"{sign}{key}={quoted(value) if key in plain else value}")
        elif argument.startswith("-") and argument != "-":
            overrides.append(argument)
            if argument in _OPTIONS_WITH_VALUE:
                overrides.extend(islice(parts, 1))
        else:
            files.append(argument)
    return overrides, [*files, *arguments[end + 1 :]]


def _exists(argument: str) -> bool:
    """Whether an argument is the path of something."""
    try:
        return Path(argument).exists()
    except (OSError, ValueError):  # too long for a path
        return False


def quoted(value: str) -> str:
    """Quote a value so that Hydra takes it as typed. `null` and quoted values stay as they are."""
    if value == "null" or (len(value) > 1 and value[0] == value[-1] and value[0] in "'\""):
        return value
    return typed_texts.quoted(value)


def _refuse(argument: str, key: str, known: Iterable[str]) -> None:
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}=...?" if near else f"settings are {', '.join(sorted(known))}."
    raise InputError(f"{argument} is neither a file nor a setting; {hint}")
