"""Counts the characters and lengths of a dataset's labels."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Characters that look alike in print: letters whose cases differ only in size, and other characters like them.
_LOOK_ALIKES = ("oO0", "Il1", "cC", "kK", "pP", "sS5", "uU", "vV", "wW", "xX", "yY", "zZ2", "B8", "g9q")


@dataclass(frozen=True)
class LabelFacts:
    """Counts over all labels.

    `adjacent_repeats` counts each doubled character, `labels_with_repeats` the labels that have one. `look_alikes` are
    groups of characters that look alike, if the labels use more than one of a group. `case_twins` are labels that
    differ only in case, `twins_across_splits` those in different splits. `shared` are labels in several splits, with
    the names of the splits; no prepared dataset has them. `unseen` are characters that are in no training label.
    """

    different: int
    lengths: dict[int, int]
    characters: dict[str, int]
    adjacent_repeats: dict[str, int]
    labels_with_repeats: int
    look_alikes: list[dict[str, int]]
    case_twins: list[list[str]]
    twins_across_splits: list[list[str]]
    shared: dict[str, list[str]]
    unseen: list[str]


def label_facts(labels: Mapping[str, Sequence[str]]) -> LabelFacts:
    """Count the characters, lengths and twins of labels.

    Args:
        labels: the labels by name of their split; there is a split `train`.
    """
    everything = [label for split in labels.values() for label in split]
    characters = Counter(character for label in everything for character in label)
    splits = _splits_of(labels)
    twins = _case_twins(splits)
    doubled = [[left for left, right in pairwise(label) if left == right] for label in everything]
    return LabelFacts(
        different=len(splits),
        lengths=dict(sorted(Counter(map(len, everything)).items())),
        characters=dict(sorted(characters.items())),
        adjacent_repeats=dict(Counter(c for pairs in doubled for c in pairs).most_common()),
        labels_with_repeats=sum(map(bool, doubled)),
        look_alikes=_look_alikes(characters),
        case_twins=twins,
        twins_across_splits=[group for group in twins if len(set().union(*(splits[label] for label in group))) > 1],
        shared={label: names for label, names in splits.items() if len(names) > 1},
        unseen=sorted(characters.keys() - set().union(*labels["train"])),
    )


def differ_in_case_alone(left: str, right: str) -> bool:
    """Whether two different texts are equal if case is ignored."""
    return left != right and left.casefold() == right.casefold()


def _splits_of(labels: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for name, members in labels.items():
        for label in dict.fromkeys(members):
            splits.setdefault(label, []).append(name)
    return splits


def _case_twins(labels: Mapping[str, object]) -> list[list[str]]:
    folded: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        folded[label.casefold()].append(label)
    return [sorted(group) for group in folded.values() if len(group) > 1]


def _look_alikes(characters: Mapping[str, int]) -> list[dict[str, int]]:
    present = [{c: characters[c] for c in group if c in characters} for group in _LOOK_ALIKES]
    return [group for group in present if len(group) > 1]
