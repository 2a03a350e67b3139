"""Leak-free splits: equal labels and equal pixels stay on one side."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from captcha_exp.errors import InputError

# Splits are kept beside the cache. Raise this number with every change here that moves a sample.
SPLIT_VERSION = 1
SPLIT_NAMES = ("train", "validation", "test")
# The keys of `dataset` that decide which of its samples are in which split.
DIVIDING = (
    *("validation_fraction", "test_fraction", "validation_fold", "test_fold", "split_seed", "label_case"),
    *("equal_labels", "given_splits", "leaks"),
)


_Group = list[int]  # samples that must stay together


@dataclass(frozen=True)
class _HeldOut:
    """A split being filled up to `target` samples."""

    name: str
    target: int
    members: list[int] = field(default_factory=list)

    @property
    def gap(self) -> int:
        return self.target - len(self.members)


def split_samples(
    labels: Sequence[str],
    pixels: Sequence[int],
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    test_fold: int = 0,
    validation_fold: int = 0,
    labels_together: bool = True,
) -> dict[str, list[int]]:
    """Divide samples into train, validation and test.

    Samples with equal labels or equal pixels, directly or through other samples, form a group. The groups are taken in
    an order drawn by `seed`, and go to validation or test while they fit there. A group stays in training if it has a
    character that no other training group has: a model cannot read a character that it was not trained on, and a
    vocabulary from the training labels would not include it.

    Args:
        labels: label of each sample, of length N.
        pixels: for each sample a number that is equal for equal images.
        validation_fraction: share of N, at least one sample.
        test_fraction: share of N, at least one sample unless it is 0.
        seed: draws the order of the groups.
        test_fold: which of the test splits that have no sample in common. The first is 0.
        validation_fold: which of the validation splits that have no sample in common, beside this test split.
        labels_together: whether equal labels make a group; otherwise only equal pixels do.

    Returns:
        Ascending positions of each split's samples, by name of the split.

    Raises:
        InputError: a split would be empty.
    """
    fractions = {"validation": validation_fraction, "test": test_fraction}
    groups, tested = _groups(labels, pixels, seed, labels_together=labels_together), set[int]()
    for _ in range(test_fold):
        tested.update(_divided(groups, labels, fractions, tested)["test"])
    divided, judged = _divided(groups, labels, fractions, tested), set[int]()
    for _ in range(validation_fold):
        judged.update(divided["validation"])
        divided = _with_other_validation(divided, groups, labels, validation_fraction, judged)
    return divided


def _divided(
    groups: list[_Group], labels: Sequence[str], fractions: dict[str, float], tested: set[int]
) -> dict[str, list[int]]:
    """Divide the groups. The samples `tested` belong to earlier folds, and do not go to test."""
    in_training = _groups_by_character(groups, labels)
    held_out = [_HeldOut(name, _target(fraction, labels)) for name, fraction in fractions.items() if fraction > 0]
    if tested:
        remaining = _fill_fold(held_out, groups, labels, in_training, tested)
    else:
        remaining = _fill(held_out, groups, labels, in_training)
        for split in held_out:
            remaining = _top_up(split, remaining, labels, in_training)
    for split in held_out:
        if not split.members:
            raise InputError(_empty(split.name, fractions[split.name], len(labels), len(groups)))
    chosen = {"train": [index for group in remaining for index in group]}
    chosen |= {split.name: split.members for split in held_out}
    return {name: sorted(chosen.get(name, [])) for name in SPLIT_NAMES}


def _with_other_validation(
    divided: dict[str, list[int]], groups: list[_Group], labels: Sequence[str], fraction: float, judged: set[int]
) -> dict[str, list[int]]:
    """The same test split, and a validation split without the samples `judged`, which belong to earlier folds."""
    test = set(divided["test"])
    others = [group for group in groups if test.isdisjoint(group)]
    split = _HeldOut("validation", _target(fraction, labels))
    remaining = _fill_free(split, others, labels, _groups_by_character(others, labels), judged)
    if not split.members:
        raise InputError(_empty(split.name, fraction, len(labels), len(groups)))
    train = sorted(index for group in remaining for index in group)
    return {"train": train, "validation": sorted(split.members), "test": divided["test"]}


def _target(fraction: float, labels: Sequence[str]) -> int:
    return max(1, round(fraction * len(labels)))


def _groups_by_character(groups: list[_Group], labels: Sequence[str]) -> Counter[str]:
    """For each character, the number of groups that have it."""
    counts = Counter(chain.from_iterable(map(set, (labels[group[0]] for group in groups if len(group) == 1))))
    for group in groups:
        if len(group) > 1:
            counts.update(_characters(group, labels))
    return counts


def _groups(labels: Sequence[str], pixels: Sequence[int], seed: int, *, labels_together: bool) -> list[_Group]:
    """Connected samples, in an order drawn by `seed`."""
    members: dict[int, list[int]] = {}
    for index, root in enumerate(_roots([labels, pixels] if labels_together else [pixels])):
        members.setdefault(root, []).append(index)
    # Each group has labels of its own, so the order is drawn from a label and not from positions. If files are renamed
    # or added, hardly any other sample moves to another split.
    firsts = [_first_label(group, labels) for group in members.values()]
    orders = [_order(seed, label) for label in (firsts if labels_together else _numbered(firsts))]
    return [group for _, group in sorted(zip(orders, members.values(), strict=True), key=lambda pair: pair[0])]


def _numbered(labels: Sequence[str]) -> list[str]:
    """Labels that differ, because each has its number among its equals."""
    counts: Counter[str] = Counter()
    numbered = []
    for label in labels:
        numbered.append(f"{label}\0{counts[label]}")
        counts[label] += 1
    return numbered


def _roots(keys: Sequence[Sequence[object]]) -> list[int]:
    """For each sample, one sample that represents its group; it is the same for all samples of the group.

    Samples are connected that have an equal value in one of `keys`.
    """
    parents = list(range(len(keys[0])))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for values in keys:
        first: dict[object, int] = {}
        firsts = [first.setdefault(value, index) for index, value in enumerate(values)]
        # Most samples have no equal, so only the others are connected one by one.
        for index, earlier in enumerate(firsts):
            if index != earlier:
                parents[find(index)] = find(earlier)
    return [index if parent == index else find(index) for index, parent in enumerate(parents)]


def _order(seed: int, label: str) -> bytes:
    return hashlib.sha256(f"{seed}:{label}".encode("utf-8", "surrogateescape")).digest()


def _first_label(group: _Group, labels: Sequence[str]) -> str:
    return labels[group[0]] if len(group) == 1 else min([labels[index] for index in group])


def _characters(group: _Group, labels: Sequence[str]) -> set[str]:
    return set(labels[group[0]]) if len(group) == 1 else set().union(*[labels[index] for index in group])


def _fill(
    held_out: Sequence[_HeldOut], groups: list[_Group], labels: Sequence[str], in_training: Counter[str]
) -> list[_Group]:
    """Give each group that fits to the split that lacks more of its target; return the other groups."""
    remaining: list[_Group] = []
    for position, group in enumerate(groups):
        fitting = [split for split in held_out if len(group) <= split.gap]
        if not fitting and not any(split.gap for split in held_out):
            return remaining + groups[position:]
        characters = _characters(group, labels)
        if fitting and _can_leave(characters, in_training):
            max(fitting, key=lambda split: split.gap / split.target).members.extend(group)
            in_training.subtract(characters)
        else:
            remaining.append(group)
    return remaining


def _fill_fold(
    held_out: Sequence[_HeldOut],
    groups: list[_Group],
    labels: Sequence[str],
    in_training: Counter[str],
    tested: set[int],
) -> list[_Group]:
    """Fill test with groups that no earlier fold tested, then validation with any; return the other groups."""
    remaining = groups
    for split in reversed(held_out):
        barred = tested if split.name == "test" else set[int]()
        remaining = _fill_free(split, remaining, labels, in_training, barred)
    return remaining


def _fill_free(
    split: _HeldOut, groups: list[_Group], labels: Sequence[str], in_training: Counter[str], barred: set[int]
) -> list[_Group]:
    """Fill a split with groups that have none of the samples `barred`; return the other groups."""
    kept = [group for group in groups if not barred.isdisjoint(group)]
    free = [group for group in groups if barred.isdisjoint(group)]
    return kept + _top_up(split, _fill([split], free, labels, in_training), labels, in_training)


def _top_up(split: _HeldOut, groups: list[_Group], labels: Sequence[str], in_training: Counter[str]) -> list[_Group]:
    """Add one group that is larger than the gap, if this brings the split nearer to its target; return the rest.

    If the split would otherwise be empty, it takes the group in any case, unless the group has most of the samples.
    """
    if split.gap <= 0:
        return groups
    candidates = [group for group in groups if _can_leave(_characters(group, labels), in_training)]
    smallest = min(candidates, key=len, default=None)
    if smallest is None:
        return groups
    addition = len(smallest)
    nearer = addition - split.gap < split.gap
    if nearer or (not split.members and addition * 2 <= sum(map(len, groups))):
        split.members.extend(smallest)
        in_training.subtract(_characters(smallest, labels))
        return [group for group in groups if group is not smallest]
    return groups


def _can_leave(characters: set[str], in_training: Counter[str]) -> bool:
    return all(in_training[character] > 1 for character in characters)


def _empty(name: str, fraction: float, samples: int, groups: int) -> str:
    return (
        f"dataset.{name}_fraction={fraction} leaves the {name} split empty: {samples} samples form {groups} groups "
        f"of equal labels or images, and characters that only one group has must stay in training. "
        f"Add samples, or change `dataset.{name}_fraction`."
    )
