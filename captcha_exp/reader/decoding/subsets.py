"""From the positions of a pattern to a state table."""

from collections.abc import Iterator, Sequence

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD

# Far beyond what short texts need; a few characters of pattern can ask for millions.
MAX_STATES = 5_000


def deterministic(
    matching: Sequence[frozenset[int]], follow: Sequence[int], first: int, last: int, nullable: bool, classes: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Subset construction; a state is the set of positions that may come next, with whether the text may end.

    Args:
        matching: of each position, the characters (0 to `classes` - 1) that can stand there.
        follow: of each position, those that may come after it, as bits.
        first: positions with which a text may begin, as bits.
        last: positions with which it may end, as bits.
        nullable: whether it may be empty.
        classes: number of characters C.

    Returns:
        int (S, C) transitions and bool (S,) accepting states; None if there would be more than `MAX_STATES`.
    """
    at = [0] * classes  # of each character, the positions that match it
    for position, characters in enumerate(matching):
        for character in characters:
            at[character] |= 1 << position
    numbers = {(first, nullable): 0}
    table: list[list[int]] = []
    queue = [(first, nullable)]
    for following, _ in queue:  # grows while it is read
        known: dict[int, int] = {0: DEAD}  # many characters stand at the same positions
        for mask in at:
            chosen = following & mask
            if chosen not in known:
                subset = _after(follow, chosen), bool(chosen & last)
                if subset not in numbers:
                    if len(numbers) == MAX_STATES:
                        return None
                    numbers[subset] = len(numbers)
                    queue.append(subset)
                known[chosen] = numbers[subset]
        table.append([known[following & mask] for mask in at])
    return np.array(table, np.int64).reshape(len(table), classes), np.array([ends for _, ends in queue])


def bits(mask: int) -> Iterator[int]:
    """Places of the ones in a number, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _after(follow: Sequence[int], positions: int) -> int:
    union = 0
    for position in bits(positions):
        union |= follow[position]
    return union
