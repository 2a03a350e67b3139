"""What a source of labelled images provides: named samples, and a way to get their bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import category

MAX_LABEL_LENGTH = 256
# Invisible characters and blanks, which are left out or become plain blanks before a label is used.
_MADE_PLAIN = ("Cf", "Zs")
_NAME_SHOWN = 200
_SKIPPED_NAMED = 3


@dataclass(frozen=True)
class SkippedFile:
    """A file that cannot be used, with its name in messages."""

    name: str
    reason: str


class Sample(NamedTuple):
    """One labelled image.

    `name` is its name in messages, `origin` the set that it comes from, and `locator` the input of the source's loader.
    `stamp` changes if the image may have changed.
    """

    name: str
    label: str
    origin: str
    locator: str
    stamp: str


@dataclass(frozen=True)
class Source:
    """Samples in a fixed order, skipped files, and `load`: locator -> bytes of an image file.

    `load` is sent to other processes, so it must be picklable. `notes` are lines for the user. `given` is the split of
    each sample by its source, in the source's own words; empty for a sample without one, None for a source without.
    """

    name: str
    uri: str
    samples: list[Sample]
    skipped: list[SkippedFile]
    load: Callable[[str], bytes]
    notes: Sequence[str] = ()
    given: Sequence[str] | None = None


def shown(name: str) -> str:
    """A name that can be printed anywhere: one line of limited length, with escapes for unprintable characters."""
    if len(name) > _NAME_SHOWN:
        name = f"{name[:_NAME_SHOWN]}..."
    return name if name.isprintable() else ascii(name)[1:-1]


def named(skipped: Sequence[SkippedFile]) -> str:
    """The first of some skipped files with their reasons, for a message."""
    first = ", ".join(f"{file.name} ({file.reason})" for file in skipped[:_SKIPPED_NAMED])
    return f"{first}{', ...' if len(skipped) > _SKIPPED_NAMED else ''}"


def label_problem(label: str | None) -> str | None:
    """The reason why a text cannot be a label, or None if it can."""
    if not label:
        return "its label is empty"
    if len(label) > MAX_LABEL_LENGTH:
        return f"its label has {len(label)} characters, more than {MAX_LABEL_LENGTH}"
    if not label.isprintable() and not all(one.isprintable() or category(one) in _MADE_PLAIN for one in label):
        return f"its label {label!r} has characters that cannot be printed"
    return None
