"""Choose the part of an axis to show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

_GOOD_SHARE = 0.6
_FAR = 1.0
_MARGIN = 0.06


@dataclass(frozen=True)
class Focus:
    """Values from `worst` to `best` are drawn in place. Values beyond `worst` are drawn at the edge."""

    worst: float
    best: float

    def clip(self, value: float) -> float:
        """Where a value is drawn."""
        return min(max(value, min(self.worst, self.best)), max(self.worst, self.best))

    def outside(self, value: float) -> bool:
        """Whether a value lies beyond the edge."""
        return self.clip(value) != value

    def apply(self, axes: Axes) -> float:
        """Limit the y-axis of `axes`. Returns the height at which values beyond the edge are drawn."""
        low, high = sorted((self.worst, self.best))
        if low == high == 0:  # nothing was read: an axis around 0 would show shares below it
            high = 1.0
        room = (high - low or abs(high) or 1.0) * _MARGIN
        axes.set_ylim(low - room, high + room)
        return self.worst - room if self.worst <= self.best else self.worst + room


def focus_on(values: Sequence[float], *, maximize: bool) -> Focus:
    """Show only the better trials if the others are so far away that the good ones would look equal.

    Args:
        values: the values of all trials.
        maximize: whether more is better.
    """
    ranked = sorted((value for value in values if math.isfinite(value)), reverse=maximize)
    if not ranked:
        return Focus(0.0, 1.0)
    good = ranked[: max(2, math.ceil(_GOOD_SHARE * len(ranked)))]
    spread = abs(good[0] - good[-1]) or 0.05 * abs(good[0])
    near = [value for value in ranked if abs(value - good[-1]) <= _FAR * spread or value in good]
    return Focus(near[-1], near[0])
