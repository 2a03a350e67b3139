"""Texts and paths on a command line, as a person types them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

# The keys whose value is a path or a text, and that do not take null. A test compares all of them with the schema.
_TEXTS = frozenset(
    {
        *("root", "model", "host", "model_name", "tracking.experiment", "cnn.builder", "transformer.builder"),
        *("optimizer.builder", "dataset.path", "dataset.file_column", "dataset.label_column", "dataset.split_column"),
        *("dataset.opener", "dataset.characters", "sweep.sampler.kind", "sweep.pruner.kind", "remove.sweep"),
    }
)
_TEXTS_OR_NULL = frozenset(
    {
        *("alphabet", "pattern", "lexicon", "examples", "output", "sweep.name", "sweep.question", "sweep.storage"),
        *("challenger.run", "challenger.sweep", "report.output", "report.storage", "tracking.run_name"),
        *(
            "tracking.uri",
            "training.initial_model",
            "training.unlabelled",
            "augmentation.function",
            "dataset.label_pattern",
        ),
        *("dataset.image_root", "dataset.vocabulary", "dataset.vocabulary_file", "dataset.expected.alphabet"),
        *("dataset.encoding", "dataset.delimiter", "force", "sweep.on_end", "remove.storage", "table"),
        *("sweep.ray.address",),
    }
)
TEXT_KEYS = _TEXTS | _TEXTS_OR_NULL
_TEXT_OR_LIST = frozenset({"report.sweep"})
_SETTING = re.compile(r"(?P<sign>\+{0,2})(?P<key>[\w.]+)=(?P<value>.*)", re.DOTALL)
_UNREADABLE = object()


def as_typed(arguments: Sequence[str]) -> list[str]:
    """Quote the values of keys that are paths or texts where Hydra's grammar would read something else.

    That is so for letters beyond ASCII, `'`, `=`, `#`, brackets and commas, blanks at an end, numbers that are
    written in another way (`1e3`), and `true` or `null`. `null` stays null where a key can be null. A value in quotes
    and a value with an interpolation that Hydra can read stay as they are. In a sweep, `a,b` is a choice unless a
    file has this name.
    """
    is_sweep = any(one in {"-m", "--multirun", "hydra.mode=MULTIRUN"} or one.startswith("+sweep=") for one in arguments)
    return [text_as_typed(argument, is_sweep=is_sweep) for argument in arguments]


def text_as_typed(argument: str, *, is_sweep: bool = False) -> str:
    """One argument; see `as_typed`."""
    found = _SETTING.fullmatch(argument)
    if found is None or found["key"] not in TEXT_KEYS | _TEXT_OR_LIST:
        return argument
    key, value = found["key"], found["value"]
    if key in _TEXT_OR_LIST:
        return argument if _read_by_hydra(value) is not _UNREADABLE else f"{found['sign']}{key}={quoted(value)}"
    if _hydra_reads_it(value, nullable=key in _TEXTS_OR_NULL, is_sweep=is_sweep):
        return argument
    return f"{found['sign']}{key}={quoted(value)}"


def quoted(value: str) -> str:
    """A text in quotes, so that Hydra takes it as it is."""
    return QuotedString(value, Quote.single).with_quotes().replace("${", "\\${")


def _hydra_reads_it(value: str, *, nullable: bool, is_sweep: bool) -> bool:
    """Whether Hydra reads a value as this text, or as what somebody who knows its grammar means with it."""
    read = _read_by_hydra(value)
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return read is not _UNREADABLE
    if read is None:
        return nullable
    if is_sweep and read == "sweep" and not Path(value).exists():
        return True
    if isinstance(read, bool):
        return False
    if isinstance(read, str):
        # Hydra takes blanks away from the ends. With a backslash, somebody has kept to its rules.
        return read == value or (read != "sweep" and ("\\" in value or "${" in value))
    return isinstance(read, int) and str(read) == value


def _read_by_hydra(value: str) -> Any:
    try:
        override = OverridesParser.create().parse_override(f"key={value}")
    except (HydraException, ValueError):
        return _UNREADABLE
    return "sweep" if override.is_sweep_override() else override.value()
