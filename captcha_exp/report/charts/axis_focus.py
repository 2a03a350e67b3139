"""Which part of an axis deserves the room."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

_GOOD_SHARE = 0.6
_FAR = 1.0
_MARGIN = 0.06


@dataclass(frozen=True)
class Focus:
    """The values from `worst` to `best` are drawn in full, those beyond `worst` at the edge."""

    worst: float
    best: float

    def clip(self, value: float) -> float:
        """Where a value is drawn."""
        return min(max(value, min(self.worst, self.best)), max(self.worst, self.best))

    def outside(self, value: float) -> bool:
        """Whether a value lies beyond the edge."""
        return self.clip(value) != value

    def apply(self, axes: Axes) -> float:
        """Limit the y-axis of `axes`; the height at which values beyond the edge are drawn."""
        low, high = sorted((self.worst, self.best))
        room = (high - low or abs(high) or 1.0) * _MARGIN
        axes.set_ylim(low - room, high + room)
        return self.worst - room if self.worst <= self.best else self.worst + room


def focus_on(values: Sequence[float], *, maximize: bool) -> Focus:
    """Look at the better trials where the others are so far off that all differences among the good ones would vanish.

    Args:
        values: those of all trials.
        maximize: whether more is better.
    """
    ranked = sorted((value for value in values if math.isfinite(value)), reverse=maximize)
    if not ranked:
        return Focus(0.0, 1.0)
    good = ranked[: max(2, math.ceil(_GOOD_SHARE * len(ranked)))]
    spread = abs(good[0] - good[-1]) or 0.05 * abs(good[0])
    near = [value for value in ranked if abs(value - good[-1]) <= _FAR * spread or value in good]
    return Focus(near[-1], near[0])
