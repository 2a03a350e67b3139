"""From the positions of a pattern to a state table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD
from captcha_exp.reader.decoding.budget import Budget


@dataclass(frozen=True)
class Places:
    """The positions of a pattern; sets of them are bits.

    Attributes:
        at: of each character, the positions where it can stand.
        follow: of each position, those that may come after it.
        nullable: whether the text may be empty.
        first, last: positions with which a text may begin and end.
    """

    at: list[int]
    follow: list[int]
    nullable: bool
    first: int
    last: int


def deterministic(places: Places, most_states: int, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
    """Subset construction; a state is the set of positions that may come next, with whether the text may end.

    Returns:
        int (S, C) transitions and bool (S,) accepting states.

    Raises:
        InputError: there would be more states or more work than are allowed.
    """
    kinds = list(dict.fromkeys(places.at))  # many characters stand at the same positions
    numbers = {(places.first, places.nullable): 0}
    queue = [*numbers]
    reached: dict[int, int] = {0: DEAD}  # from the positions that a character chose
    table: list[list[int]] = []
    for following, _ in queue:  # grows while it is read
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
    """Places of the ones in a number, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _after(follow: list[int], positions: int) -> int:
    union = 0
    for position in bits(positions):
        union |= follow[position]
    return union
