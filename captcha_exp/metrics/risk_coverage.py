"""What a model reads right if its least certain images are left to a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OperatingPoint:
    """Reading only what has at least the confidence `threshold`: the share that is, and how much of it is right."""

    threshold: float
    coverage: float
    accuracy: float


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[OperatingPoint]:
    """Every operating point that a threshold can give, by rising coverage.

    Args:
        confidences: of each image, in [0, 1]; at least one.
        right: of each image, in the same order.

    Source:
        Geifman and El-Yaniv 2017.
    """
    order = np.argsort(-np.asarray(confidences, float), kind="stable")
    sure, hits = np.asarray(confidences, float)[order], np.cumsum(np.asarray(right, int)[order])
    # Images of equal confidence are read together or not at all.
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))
    return [OperatingPoint(float(sure[end]), (end + 1) / len(sure), float(hits[end] / (end + 1))) for end in ends]


def widest(points: Sequence[OperatingPoint], accuracy: float) -> OperatingPoint | None:
    """The point of the largest coverage with at least that accuracy; None if no threshold reaches it."""
    return max((point for point in points if point.accuracy >= accuracy), key=lambda p: p.coverage, default=None)


def operate(confidences: Sequence[float], right: Sequence[bool], threshold: float) -> OperatingPoint | None:
    """What a threshold that was chosen elsewhere gives; None if no image reaches it."""
    read = np.asarray(confidences, float) >= threshold
    if not read.any():
        return None
    return OperatingPoint(threshold, float(read.mean()), float(np.asarray(right, bool)[read].mean()))
