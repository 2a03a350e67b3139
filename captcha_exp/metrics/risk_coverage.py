"""Accuracy of a model if a person reads the images that it is least sure of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OperatingPoint:
    """Coverage (share of images read) and accuracy, if only images of at least the confidence `threshold` are read."""

    threshold: float
    coverage: float
    accuracy: float


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[OperatingPoint]:
    """All operating points that a threshold can give, by rising coverage.

    Args:
        confidences: one for each image, in [0, 1]; at least one.
        right: whether each image's text is right, in the same order.

    Source:
        Geifman and El-Yaniv 2017.
    """
    order = np.argsort(-np.asarray(confidences, float), kind="stable")
    sure, hits = np.asarray(confidences, float)[order], np.cumsum(np.asarray(right, int)[order])
    # Images with equal confidence are all read or all not read.
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))
    return [OperatingPoint(float(sure[end]), (end + 1) / len(sure), float(hits[end] / (end + 1))) for end in ends]


def widest(points: Sequence[OperatingPoint], accuracy: float) -> OperatingPoint | None:
    """The point with the largest coverage among those of at least `accuracy`; None if there is none."""
    return max((point for point in points if point.accuracy >= accuracy), key=lambda p: p.coverage, default=None)


def operate(confidences: Sequence[float], right: Sequence[bool], threshold: float) -> OperatingPoint | None:
    """The operating point of a threshold that was chosen on other images; None if no image reaches it."""
    read = np.asarray(confidences, float) >= threshold
    if not read.any():
        return None
    return OperatingPoint(threshold, float(read.mean()), float(np.asarray(right, bool)[read].mean()))
