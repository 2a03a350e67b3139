"""Leak-free splits: equal labels and equal pixels stay on one side."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from captcha_exp.errors import InputError

SPLIT_NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class _Group:
    """Samples that must stay together."""

    members: list[int]
    characters: frozenset[str]


def split_samples(
    labels: Sequence[str],
    pixels: Sequence[int],
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> dict[str, list[int]]:
    """Divide samples into train, validation and test.

    Samples of equal label or equal pixels, directly or through others, form a group. Groups are taken in an order
    drawn by `seed` and go to validation, then to test, while they fit there. A group stays in training if it holds the
    last occurrence of a character in it: what was never trained on cannot be judged, nor encoded by a vocabulary
    taken from the training labels.

    Args:
        labels: label of each sample, of length N.
        pixels: for each sample a number that is equal for equal images.
        validation_fraction: share of N, at least one sample.
        test_fraction: share of N, at least one sample unless it is 0.
        seed: draws the order of the groups.

    Returns:
        Ascending positions of each split's samples, by name of the split.

    Raises:
        InputError: a split would be empty.
    """
    groups = _groups(labels, pixels, seed)
    in_training = Counter(character for group in groups for character in group.characters)
    remaining = groups
    chosen: dict[str, list[int]] = {}
    for name, fraction in (("validation", validation_fraction), ("test", test_fraction)):
        target = max(1, round(fraction * len(labels))) if fraction > 0 else 0
        taken, remaining = _take(remaining, target, in_training)
        chosen[name] = sorted(index for group in taken for index in group.members)
        if target and not taken:
            raise InputError(_empty(name, fraction, len(labels), len(groups)))
    chosen["train"] = sorted(index for group in remaining for index in group.members)
    return {name: chosen[name] for name in SPLIT_NAMES}


def _groups(labels: Sequence[str], pixels: Sequence[int], seed: int) -> list[_Group]:
    """Connected samples, in an order drawn by `seed`."""
    parents = list(range(len(labels)))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    first: dict[str | int, int] = {}
    for index, keys in enumerate(zip(labels, pixels, strict=True)):
        for key in keys:
            parents[find(index)] = find(first.setdefault(key, index))
    members: dict[int, list[int]] = {}
    for index in range(len(labels)):
        members.setdefault(find(index), []).append(index)
    # The order comes from a label, which no two groups share, and not from positions: renaming files, or adding some,
    # hardly moves the other samples between splits.
    ordered = sorted(members.values(), key=lambda group: _order(seed, min(labels[index] for index in group)))
    return [_Group(group, frozenset().union(*(labels[index] for index in group))) for group in ordered]


def _order(seed: int, label: str) -> bytes:
    return hashlib.sha256(f"{seed}:{label}".encode("utf-8", "surrogateescape")).digest()


def _take(groups: list[_Group], target: int, in_training: Counter[str]) -> tuple[list[_Group], list[_Group]]:
    """Groups of together as near to `target` samples as they allow, and the rest; `in_training` is kept up to date."""
    taken: list[_Group] = []
    size = 0
    for group in groups:
        if size + len(group.members) <= target and _can_leave(group, in_training):
            taken.append(group)
            size += len(group.members)
            in_training.subtract(group.characters)
    kept = _without(groups, taken)
    # Every group that could still leave is larger than the gap: one more if that comes nearer than none, or if the
    # split were empty otherwise, but never most of the samples.
    candidates = [group for group in kept if target and _can_leave(group, in_training)]
    smallest = min(candidates, key=lambda group: len(group.members), default=None)
    if smallest and _improves(size, len(smallest.members), target, sum(len(group.members) for group in kept)):
        taken.append(smallest)
        in_training.subtract(smallest.characters)
        kept = _without(kept, [smallest])
    return taken, kept


def _improves(size: int, addition: int, target: int, available: int) -> bool:
    if size == 0:
        return addition * 2 <= available
    return abs(size + addition - target) < target - size


def _can_leave(group: _Group, in_training: Counter[str]) -> bool:
    return all(in_training[character] > 1 for character in group.characters)


def _without(groups: list[_Group], taken: list[_Group]) -> list[_Group]:
    ids = set(map(id, taken))
    return [group for group in groups if id(group) not in ids]


def _empty(name: str, fraction: float, samples: int, groups: int) -> str:
    return (
        f"dataset.{name}_fraction={fraction} leaves the {name} split empty: {samples} samples form {groups} groups of "
        f"equal labels or images, and characters that only one group has must stay in training. "
        f"Add samples, or change `dataset.{name}_fraction`."
    )
