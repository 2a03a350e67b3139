"""Turns patterns into state tables. A pattern must match the whole text."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

import numpy as np

from captcha_exp.reader.decoding.budget import MAX_POSITIONS, MAX_STEPS, Budget
from captcha_exp.reader.decoding.subsets import Places, bits, deterministic
from captcha_exp.reader.decoding.syntax import Either, OneOf, Part, Repeated, Row, parse_pattern


class _Span(NamedTuple):
    """A part of a pattern: the positions (bits) where its texts can begin and end."""

    nullable: bool
    first: int
    last: int


_EMPTY = _Span(True, 0, 0)


def pattern_states(
    pattern: str, characters: str, longest: int, most_states: int, budget: Budget | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The state table of a pattern.

    Args:
        pattern: literals, escapes, classes, `.`, groups, `|` and the quantifiers `? * + {m,n}`, as in Python's `re`.
        characters: the characters of texts, ordered by code point. Other characters are never matched.
        longest: length of the longest text that matters. Quantifiers are cut off there.
        most_states: the most states of the table.
        budget: limits the work; None for a new budget.

    Returns:
        int (S, C) transitions and bool (S,) accepting states, as for `automaton_of`.

    Raises:
        InputError: the pattern is malformed, too large, or needs something that a finite automaton cannot do.

    Source:
        The position automaton of Glushkov 1961, made deterministic by subsets.
    """
    budget = budget or Budget(pattern)
    whole = parse_pattern(pattern, characters, longest)
    # Check the size before the pattern is written out.
    if whole.positions > MAX_POSITIONS:
        raise budget.exceeded(f"written out it has over {MAX_POSITIONS} places")
    if whole.parts > MAX_STEPS:
        raise budget.exceeded(f"it needs more than {MAX_STEPS} steps to be prepared")
    positions = _Positions(budget)
    span = positions.span(whole)
    places = Places(positions.places(len(characters)), positions.follow, *span)
    return deterministic(places, most_states, budget)


class _Positions:
    """The positions of a pattern, each for one character, and the positions that may follow each of them."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._standing: dict[int, int] = {}  # for each set of characters (bits), its positions (bits)
        self.follow: list[int] = []

    def span(self, part: Part) -> _Span:
        """Write a part out."""
        self._budget.spend(1)
        if isinstance(part, OneOf):
            return self._one_of(part.characters)
        if isinstance(part, Row):
            return self._row(part.content, _EMPTY)
        if isinstance(part, Either):
            spans = [self.span(branch) for branch in part.content]
            nullable, first, last = zip(*spans, strict=True)
            return _Span(any(nullable), reduce(or_, first), reduce(or_, last))
        if isinstance(part, Repeated):
            return self._repeated(part)
        raise TypeError(part)

    def places(self, classes: int) -> list[int]:
        """For each character, the positions where it may stand."""
        at = [0] * classes
        for characters, standing in self._standing.items():
            for character in bits(characters):
                at[character] |= standing
        return at

    def _repeated(self, part: Repeated) -> _Span:
        if part.most is None:
            last = self.span(part.content)
            self._connect(last.last, last.first)
            whole = last._replace(nullable=last.nullable or part.least == 0)
            return self._row([part.content] * (part.least - 1), whole)
        whole = _EMPTY
        for _ in range(part.most - part.least):
            # Write x{0,3} as (x(x(x)?)?)?: each copy follows only one other. In x?x?x? it would follow all before it.
            whole = self._row([part.content], whole)._replace(nullable=True)
        return self._row([part.content] * part.least, whole)

    def _row(self, parts: Sequence[Part], end: _Span) -> _Span:
        """Connect parts one after another, and an end after them. From the right, each part is connected only once."""
        for part in reversed(parts):
            left = self.span(part)
            self._connect(left.last, end.first)
            first = left.first | end.first if left.nullable else left.first
            last = left.last | end.last if end.nullable else end.last
            end = _Span(left.nullable and end.nullable, first, last)
        return end

    def _one_of(self, characters: int) -> _Span:
        bit = 1 << len(self.follow)
        self.follow.append(0)
        self._standing[characters] = self._standing.get(characters, 0) | bit
        return _Span(False, bit, bit)

    def _connect(self, ends: int, begins: int) -> None:
        if begins:
            self._budget.spend(ends.bit_count())
            for position in bits(ends):
                self.follow[position] |= begins
