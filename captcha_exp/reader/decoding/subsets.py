"""Turns the positions of a pattern into a state table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD
from captcha_exp.reader.decoding.budget import Budget


@dataclass(frozen=True)
class Places:
    """The positions of a pattern. A set of positions is a number, one bit per position.

    Attributes:
        at: for each character, the positions where it can stand.
        follow: for each position, the positions that may come after it.
        nullable: whether the text may be empty.
        first, last: the positions where a text may begin and end.
    """

    at: list[int]
    follow: list[int]
    nullable: bool
    first: int
    last: int


def deterministic(places: Places, most_states: int, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
    """Subset construction. A state is the set of positions that may come next, and whether the text may end here.

    Returns:
        int (S, C) transitions and bool (S,) accepting states.

    Raises:
        InputError: this would need more states or more work than is allowed.
    """
    kinds = list(dict.fromkeys(places.at))  # many characters stand at the same positions
    numbers = {(places.first, places.nullable): 0}
    queue = [*numbers]
    reached: dict[int, int] = {0: DEAD}  # the state for each set of positions that a character selected
    table: list[list[int]] = []
    for following, _ in queue:  # the queue grows during the loop
        budget.spend(len(kinds))
        row = []
        for mask in kinds:
            chosen = following & mask
            if chosen not in reached:
                budget.spend(chosen.bit_count())
                subset = _after(places.follow, chosen), bool(chosen & places.last)
                if subset not in numbers:
                    if len(numbers) == most_states:
                        raise budget.exceeded(f"it needs more than {most_states} states")
                    numbers[subset] = len(numbers)
                    queue.append(subset)
                reached[chosen] = numbers[subset]
            row.append(reached[chosen])
        table.append(row)
    column = {mask: place for place, mask in enumerate(kinds)}
    transitions = np.array(table, np.int64)[:, [column[mask] for mask in places.at]]
    return transitions, np.array([ends for _, ends in queue])


def bits(mask: int) -> Iterator[int]:
    """The positions of the one bits in a number, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _after(follow: list[int], positions: int) -> int:
    union = 0
    for position in bits(positions):
        union |= follow[position]
    return union
