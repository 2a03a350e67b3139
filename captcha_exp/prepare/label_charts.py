"""Counts as the columns of small charts."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from captcha_exp.prepare.label_statistics import LabelFacts

_MOST_COLUMNS = 26
_MOST_LENGTHS = 12


@dataclass(frozen=True)
class Column:
    """One column. `share` is its share of the chart's height, in [0, 1]."""

    name: str
    count: int
    share: float

    @property
    def short(self) -> str:
        """The count in at most four characters."""
        return f"{self.count}" if self.count < 10_000 else f"{self.count / 1000:.0f}k"


@dataclass(frozen=True)
class Chart:
    """A row of columns under a title."""

    title: str
    columns: list[Column]

    @property
    def top(self) -> float:
        """The share of the highest column."""
        return max(column.share for column in self.columns)


def length_chart(labels: LabelFacts) -> Chart:
    """How many labels have each length. If there are few lengths, the gaps between them are shown."""
    lengths = labels.lengths
    every = range(min(lengths), max(lengths) + 1)
    shown = every if len(every) <= _MOST_LENGTHS else sorted(lengths)[:_MOST_COLUMNS]
    return _chart("Length of labels", {str(length): lengths.get(length, 0) for length in shown})


def character_charts(labels: LabelFacts) -> list[Chart]:
    """How often each character occurs: separate charts for digits, capitals, small letters and others, on one scale."""
    kinds = {"Digits": string.digits, "Capitals": string.ascii_uppercase, "Small letters": string.ascii_lowercase}
    known = set("".join(kinds.values()))
    highest = max(labels.characters.values())
    charts = []
    for title, members in kinds.items():
        # If a kind occurs at all, its missing characters are shown as gaps.
        if any(c in labels.characters for c in members):
            charts.append(_chart(title, {c: labels.characters.get(c, 0) for c in members}, highest))
    others = {c: count for c, count in labels.characters.items() if c not in known}
    return charts + [_chart("Other characters", part, highest) for part in _parts(others)]


def _parts(counts: Mapping[str, int]) -> Iterator[dict[str, int]]:
    items = list(counts.items())
    for first in range(0, len(items), _MOST_COLUMNS):
        yield dict(items[first : first + _MOST_COLUMNS])


def _chart(title: str, counts: Mapping[str, int], highest: int | None = None) -> Chart:
    top = highest or max(counts.values())
    return Chart(title, [Column(name, count, count / top) for name, count in counts.items()])
