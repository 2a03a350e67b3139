"""Groups of images that are the same, or look it."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Images that differ in at most this many of 256 bits look the same; docs/data.md has what was measured.
NEAR_BITS = 15
_MAX_COMPARISONS = 2_000_000_000
_MERGE_AT = 200_000
Groups = list[list[int]]


@dataclass(frozen=True)
class NearGroups:
    """Groups of positions whose hashes are near, directly or through others.

    `complete` is false where so many hashes agree in part that the search was ended before it had compared them all.
    """

    groups: Groups
    complete: bool


def groups_of(keys: Sequence[Hashable]) -> Groups:
    """Positions of equal keys, of every key that occurs more than once."""
    members: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        members.setdefault(key, []).append(position)
    return [group for group in members.values() if len(group) > 1]


def near_groups(hashes: np.ndarray, max_comparisons: int = _MAX_COMPARISONS) -> NearGroups:
    """Group hashes of at most `NEAR_BITS` different bits, without comparing each with each.

    Args:
        hashes: uint8 (N, 32), 256 bits each.
        max_comparisons: ends the search.

    Source:
        Multi-index hashing: Norouzi, Punjani, Fleet 2012.
    """
    # Equal hashes are one: a thousand empty images would otherwise be half a million pairs.
    unique, of_unique = np.unique(hashes, axis=0, return_inverse=True)
    of_unique = of_unique.reshape(-1)
    part, complete = _connected(unique, max_comparisons) if len(unique) > 1 else (np.zeros(len(unique), int), True)
    return NearGroups(groups_of(part[of_unique].tolist()), complete)


def _connected(hashes: np.ndarray, max_comparisons: int) -> tuple[np.ndarray, bool]:
    """For each hash the number of its group, and whether the search went to its end."""
    words = np.ascontiguousarray(hashes).view(np.uint64)  # (N, 4)
    # Of 16 parts, two hashes that differ in no more than 15 bits have one in common at least.
    bands = words.view(np.uint16)  # (N, 16)
    part = np.arange(len(hashes))
    edges: list[np.ndarray] = []
    waiting = compared = 0
    for band in bands.T:
        for left, right in _agreeing(band):
            compared += len(left)
            if compared > max_comparisons:
                return _merged(part, edges), False
            apart = part[left] != part[right]
            left, right = left[apart], right[apart]
            bits = np.bitwise_count(words[left] ^ words[right]).sum(axis=1, dtype=np.int64)
            edges.append(np.stack([left, right])[:, bits <= NEAR_BITS])
            waiting += edges[-1].shape[1]
            if waiting > _MERGE_AT:
                part, edges, waiting = _merged(part, edges), [], 0
        part, edges, waiting = _merged(part, edges), [], 0
    return part, True


def _agreeing(band: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of every two equal values: first neighbours in sorted order, then those two apart, and so on."""
    order = np.argsort(band, kind="stable")
    values = band[order]
    left = np.arange(len(band))
    for distance in range(1, len(band)):
        left = left[left + distance < len(band)]
        # Whoever has no equal at this distance has none farther on.
        left = left[values[left] == values[left + distance]]
        if not len(left):
            return
        yield order[left], order[left + distance]


def _merged(part: np.ndarray, edges: Sequence[np.ndarray]) -> np.ndarray:
    if not edges:
        return part
    # Slow to import, for training runs that only look for an audit.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # A member of each group stands for it: `part` numbers groups from 0, and there are no more of them than members.
    left, right = part[np.concatenate(edges, axis=1)]
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(len(part), len(part)))
    return connected_components(graph, directed=False)[1][part]
