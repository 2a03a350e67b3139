"""Finds groups of images that are equal or look equal."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Images whose hashes differ in at most this many of 256 bits look the same; docs/data.md has the measurements.
NEAR_BITS = 15
_MAX_COMPARISONS = 2_000_000_000
_MERGE_AT = 200_000
Groups = list[list[int]]


@dataclass(frozen=True)
class NearGroups:
    """Groups of positions whose hashes are near, directly or through others.

    `complete` is false if the search stopped early, because too many hashes agree in part.
    """

    groups: Groups
    complete: bool


def groups_of(keys: Sequence[Hashable]) -> Groups:
    """The positions of each key that occurs more than once."""
    members: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        members.setdefault(key, []).append(position)
    return [group for group in members.values() if len(group) > 1]


def near_groups(hashes: np.ndarray, max_comparisons: int = _MAX_COMPARISONS) -> NearGroups:
    """Group hashes that differ in at most `NEAR_BITS` bits, without comparing all pairs.

    Args:
        hashes: uint8 (N, 32), 256 bits each.
        max_comparisons: the search stops after this many comparisons.

    Source:
        Multi-index hashing: Norouzi, Punjani, Fleet 2012.
    """
    # Merge equal hashes: otherwise a thousand empty images would make half a million pairs.
    unique, of_unique = np.unique(hashes, axis=0, return_inverse=True)
    of_unique = of_unique.reshape(-1)
    part, complete = _connected(unique, max_comparisons) if len(unique) > 1 else (np.zeros(len(unique), int), True)
    return NearGroups(groups_of(part[of_unique].tolist()), complete)


def _connected(hashes: np.ndarray, max_comparisons: int) -> tuple[np.ndarray, bool]:
    """The group number of each hash, and whether the search was completed."""
    words = np.ascontiguousarray(hashes).view(np.uint64)  # (N, 4)
    # If two hashes differ in at most 15 bits, at least one of their 16 parts is equal.
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
    """Positions of all pairs of equal values: first neighbours in sorted order, then those two apart, and so on."""
    order = np.argsort(band, kind="stable")
    values = band[order]
    left = np.arange(len(band))
    for distance in range(1, len(band)):
        left = left[left + distance < len(band)]
        # If a value has no equal at this distance, it has none at a larger one.
        left = left[values[left] == values[left + distance]]
        if not len(left):
            return
        yield order[left], order[left + distance]


def _merged(part: np.ndarray, edges: Sequence[np.ndarray]) -> np.ndarray:
    if not edges:
        return part
    # Imported here because it is slow, and a training run that only looks for an audit does not need it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # Each group is one row of the matrix: `part` counts groups from 0, and there are never more groups than positions.
    left, right = part[np.concatenate(edges, axis=1)]
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(len(part), len(part)))
    return connected_components(graph, directed=False)[1][part]
