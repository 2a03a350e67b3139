"""Accuracy of the parts of a set of images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from captcha_exp.metrics.accuracy import align
from captcha_exp.metrics.intervals import Interval, share_interval


@dataclass(frozen=True)
class Part:
    """Accuracy of one part, which has `total` images or characters, with Wilson's interval."""

    name: str
    total: int
    right: int
    accuracy: float
    interval: Interval


def by_length(labels: Sequence[str], right: Sequence[bool]) -> list[Part]:
    """Accuracy of texts for each label length, the shortest first."""
    return _parts((f"{len(label):3d}", hit) for label, hit in zip(labels, right, strict=True))


def by_origin(origins: Sequence[str], right: Sequence[bool]) -> list[Part]:
    """Accuracy of texts for each origin."""
    return _parts(zip(origins, right, strict=True))


def by_character(labels: Sequence[str], predictions: Sequence[str]) -> list[Part]:
    """Accuracy of each character in the labels, by the alignment with the fewest edits."""
    pairs = (align(label, text) for label, text in zip(labels, predictions, strict=True))
    return _parts((wanted, wanted == read) for pair in pairs for wanted, read in pair if wanted)


def _parts(outcomes: Iterable[tuple[str, bool]]) -> list[Part]:
    counts: dict[str, list[int]] = {}
    for name, hit in outcomes:
        count = counts.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += hit
    return [
        Part(name.strip() or name, total, right, right / total, share_interval(right, total))
        for name, (total, right) in sorted(counts.items())
    ]
