"""Regular expressions as state tables: Python's own grammar, matched against whole texts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as grammar  # type: ignore[attr-defined]
from typing import Any

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding.subsets import MAX_STATES, bits, deterministic

# Far beyond what short texts need. Without bounds a few characters of pattern could fill the memory.
MAX_POSITIONS = 2_000
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
class _Part:
    """A part of a pattern, by the positions (bits) at which a text in it can begin and end."""

    nullable: bool
    first: int
    last: int


_EMPTY = _Part(True, 0, 0)


def pattern_states(pattern: str, characters: str, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """The state table of a pattern.

    Args:
        pattern: literals, escapes, classes, `.`, groups, `|` and the quantifiers `? * + {m,n}`, as in Python's `re`.
        characters: what texts are made of; nothing else is ever matched.
        longest: length of the longest text that matters; quantifiers are cut off there.

    Returns:
        int (S, C) transitions and bool (S,) accepting states, as `automaton_of` takes them.

    Raises:
        InputError: the pattern is malformed, too large, or asks for what a finite automaton cannot do.

    Source:
        The position automaton of Glushkov 1961, made deterministic by subsets.
    """
    try:
        # Flags that are given inside, e.g. (?i), are told by the parser alone.
        parsed = grammar.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(f"pattern={pattern} is no regular expression: {error}.") from error
    if parsed.state.flags != re.UNICODE.value:
        raise InputError(f"pattern={pattern} sets a flag with (?...), which is not supported.")
    positions = _Positions(pattern, characters, longest)
    try:
        whole = positions.sequence(parsed)
    except RecursionError as error:
        raise InputError(f"pattern={pattern} is nested too deeply.") from error
    table = deterministic(
        positions.matching, positions.follow, whole.first, whole.last, whole.nullable, len(characters)
    )
    if table is None:
        raise InputError(f"pattern={pattern} is too large: it needs more than {MAX_STATES} states.")
    return table


class _Positions:
    """The places of a pattern where one character stands, and which of them may follow which."""

    def __init__(self, pattern: str, characters: str, longest: int) -> None:
        self._pattern = pattern
        self._characters = characters
        self._longest = longest
        self.matching: list[frozenset[int]] = []  # indices into the characters
        self.follow: list[int] = []

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> _Part:
        whole = _EMPTY
        for operation, argument in items:
            whole = self._join(whole, self._part(operation, argument))
        return whole

    def _part(self, operation: Any, argument: Any) -> _Part:
        if operation is sre.SUBPATTERN:
            _, added, removed, content = argument
            if added or removed:
                raise InputError(f"pattern={self._pattern} sets a flag with (?...), which is not supported.")
            return self.sequence(content)
        if operation is sre.BRANCH:
            return _either([self.sequence(branch) for branch in argument[1]])
        if operation is sre.MAX_REPEAT:
            return self._repeat(*argument)
        if operation in _REFUSED:
            raise InputError(f"pattern={self._pattern} has {_REFUSED[operation]}.")
        return self._one_of(self._matching(operation, argument))

    def _repeat(self, least: int, most: int, content: Sequence[tuple[Any, Any]]) -> _Part:
        whole = _EMPTY
        for _ in range(min(least, self._longest + 1)):
            whole = self._join(whole, self.sequence(content))
        if most >= self._longest:
            part = self.sequence(content)
            self._connect(part.last, part.first)
            return self._join(whole, _Part(True, part.first, part.last))
        for _ in range(most - least):
            part = self.sequence(content)
            whole = self._join(whole, _Part(True, part.first, part.last))
        return whole

    def _matching(self, operation: Any, argument: Any) -> frozenset[int]:
        return frozenset(i for i, char in enumerate(self._characters) if _matches(operation, argument, char))

    def _one_of(self, matching: frozenset[int]) -> _Part:
        if len(self.matching) == MAX_POSITIONS:
            raise InputError(f"pattern={self._pattern} is too large: written out it has over {MAX_POSITIONS} places.")
        self.matching.append(matching)
        self.follow.append(0)
        bit = 1 << (len(self.matching) - 1)
        return _Part(False, bit, bit)

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        first = left.first | right.first if left.nullable else left.first
        last = left.last | right.last if right.nullable else right.last
        return _Part(left.nullable and right.nullable, first, last)

    def _connect(self, ends: int, begins: int) -> None:
        for position in bits(ends):
            self.follow[position] |= begins


def _either(parts: Sequence[_Part]) -> _Part:
    first = last = 0
    for part in parts:
        first, last = first | part.first, last | part.last
    return _Part(any(part.nullable for part in parts), first, last)


def _matches(operation: Any, argument: Any, char: str) -> bool:
    """Whether one character is what an item of the parsed pattern asks for."""
    if operation is sre.LITERAL:
        return ord(char) == argument
    if operation is sre.NOT_LITERAL:
        return ord(char) != argument
    if operation is sre.ANY:
        return char != "\n"
    if operation is sre.RANGE:
        return argument[0] <= ord(char) <= argument[1]
    if operation is sre.CATEGORY:
        return re.fullmatch(_CATEGORIES[argument], char) is not None
    negated = argument[0][0] is sre.NEGATE  # operation is sre.IN
    return any(_matches(kind, value, char) for kind, value in argument[negated:]) != negated
