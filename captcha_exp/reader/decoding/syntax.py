"""Reads regular expressions in Python's own grammar into trees that a finite automaton can express."""

import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# These modules are private, but Python has no other parser of this grammar: the public `sre_parse` is deprecated, and
# our own parser would differ in some detail. If one of them goes, `tests/reader/decoding/test_pattern.py` fails.
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as grammar  # type: ignore[attr-defined]
from typing import Any

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding.budget import MAX_PATTERN, shown

# Python warns about syntax that may change its meaning in later versions. A server's console should not show that.
warnings.filterwarnings("ignore", r"Possible (nested set|set \w+)", FutureWarning)

_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
}
_REFUSED = {
    sre.AT: "an anchor (^, $, \\b, ...); a pattern covers the whole text anyway",
    sre.ASSERT: "a look-ahead or look-behind",
    sre.ASSERT_NOT: "a look-ahead or look-behind",
    sre.GROUPREF: "a reference to a group",
    sre.GROUPREF_EXISTS: "a condition on a group",
    sre.MIN_REPEAT: "a lazy quantifier (*?, +?, ??); leave its last ? out",
    sre.POSSESSIVE_REPEAT: "a possessive quantifier",
    sre.ATOMIC_GROUP: "an atomic group",
}


@dataclass(frozen=True)
class Part:
    """A part of a pattern, with its size after all repetitions are written out.

    Attributes:
        positions: how many characters it has.
        parts: how many parts it has, including itself.
    """

    positions: int
    parts: int


@dataclass(frozen=True)
class OneOf(Part):
    """One character out of a set, given as bits."""

    characters: int


@dataclass(frozen=True)
class Row(Part):
    """Parts one after another. No parts mean the empty text."""

    content: tuple[Part, ...]


@dataclass(frozen=True)
class Either(Part):
    """One of several parts."""

    content: tuple[Part, ...]


@dataclass(frozen=True)
class Repeated(Part):
    """A part that occurs `least` to `most` times; None means any number."""

    content: Part
    least: int
    most: int | None


EMPTY = Row(0, 1, ())


def parse_pattern(pattern: str, characters: str, longest: int) -> Part:
    """Read a pattern. Parts that match only the empty text are left out, even if they are repeated.

    Args:
        pattern: as for `pattern_states`.
        characters: the characters of texts, ordered by code point.
        longest: length of the longest text that matters. Quantifiers are cut off there.

    Raises:
        InputError: the pattern is malformed, too long, or needs something that a finite automaton cannot do.
    """
    if len(pattern) > MAX_PATTERN:
        raise InputError(f"pattern={shown(pattern)} is too long; a pattern may have {MAX_PATTERN} characters.")
    try:
        # Only the parser knows the flags that are set inside the pattern, e.g. (?i).
        parsed = grammar.parse(pattern)
        if parsed.state.flags != re.UNICODE.value:
            raise InputError(f"pattern={shown(pattern)} sets a flag with (?...), which is not supported.")
        return _Reading(pattern, characters, longest).sequence(parsed)
    except RecursionError as error:
        raise InputError(f"pattern={shown(pattern)} is nested too deeply; leave some groups out.") from error
    except (re.error, OverflowError) as error:
        raise InputError(f"pattern={shown(pattern)} is no regular expression: {error}.") from error


class _Reading:
    """Turns Python's tree into ours."""

    def __init__(self, pattern: str, characters: str, longest: int) -> None:
        self._pattern, self._longest = pattern, longest
        self._characters = characters
        self._codes = [ord(character) for character in characters]
        self._all = (1 << len(characters)) - 1
        self._categories: dict[Any, int] = {}

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> Part:
        parts = tuple(part for part in (self._part(*item) for item in items) if part.positions)
        return parts[0] if len(parts) == 1 else Row(*_size(parts), parts)

    def _part(self, operation: Any, argument: Any) -> Part:
        if operation is sre.SUBPATTERN:
            _, added, removed, content = argument
            if added or removed:
                raise InputError(f"pattern={shown(self._pattern)} sets a flag with (?...), which is not supported.")
            return self.sequence(content)
        if operation is sre.BRANCH:
            return _either([self.sequence(branch) for branch in argument[1]])
        if operation is sre.MAX_REPEAT:
            return self._repeated(*argument)
        if operation in _REFUSED:
            raise InputError(f"pattern={shown(self._pattern)} has {_REFUSED[operation]}.")
        return OneOf(1, 1, self._matching(operation, argument))

    def _repeated(self, least: int, most: int, items: Iterable[tuple[Any, Any]]) -> Part:
        content = self.sequence(items)
        if not content.positions or most == 0:
            return EMPTY
        if least == most == 1:
            return content
        least = min(least, self._longest + 1)
        # If there is no upper limit, the last copy repeats itself.
        endless = most >= self._longest
        copies = max(least, 1) if endless else most
        return Repeated(
            copies * content.positions, 1 + copies * content.parts, content, least, None if endless else most
        )

    def _matching(self, operation: Any, argument: Any) -> int:
        """The characters that an item matches, as bits."""
        if operation is sre.LITERAL:
            return self._range(argument, argument)
        if operation is sre.NOT_LITERAL:
            return self._all & ~self._range(argument, argument)
        if operation is sre.ANY:
            return self._all & ~self._range(ord("\n"), ord("\n"))
        if operation is sre.RANGE:
            return self._range(*argument)
        if operation is sre.CATEGORY:
            return self._category(argument)
        negated = argument[0][0] is sre.NEGATE  # operation is sre.IN
        union = 0
        for kind, value in argument[negated:]:
            union |= self._matching(kind, value)
        return self._all & ~union if negated else union

    def _range(self, first: int, last: int) -> int:
        return (1 << bisect_right(self._codes, last)) - (1 << bisect_left(self._codes, first))

    def _category(self, category: Any) -> int:
        if category not in self._categories:
            matches = re.compile(_CATEGORIES[category]).fullmatch
            found = (1 << place for place, character in enumerate(self._characters) if matches(character))
            self._categories[category] = sum(found)
        return self._categories[category]


def _either(branches: Sequence[Part]) -> Part:
    parts = tuple(part for part in branches if part.positions)
    if not parts:
        return EMPTY
    if len(parts) < len(branches):
        parts = (*parts, EMPTY)
    return parts[0] if len(parts) == 1 else Either(*_size(parts), parts)


def _size(parts: Sequence[Part]) -> tuple[int, int]:
    return sum(part.positions for part in parts), 1 + sum(part.parts for part in parts)
