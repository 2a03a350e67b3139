"""Confidence intervals: how far a figure may be from the value that more images would give."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Ends of a confidence interval. Its level is `LEVEL` if nothing else is said."""

    low: float
    high: float


def share_interval(successes: int, total: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share.

    If all or none of a few images are right, the usual normal interval is empty; this one is not.

    Args:
        successes: from 0 to `total`.
        total: at least 1.
        level: probability that the interval covers the true share.

    Source:
        Wilson 1927.
    """
    found = stats.binomtest(successes, total).proportion_ci(level, method="wilson")
    return Interval(float(found.low), float(found.high))


def ratio_interval(parts: Sequence[int], wholes: Sequence[int], resamples: int, seed: int) -> Interval:
    """Percentile bootstrap interval of `sum(parts) / sum(wholes)`. It draws whole images.

    Errors within an image depend on each other. An interval that ignored this would be too narrow.

    Args:
        parts: one number for each image, e.g. its edit distance.
        wholes: one number for each image, e.g. the length of its label; at least two images.
        resamples: number of draws.
        seed: seed of the draws.

    Source:
        Efron and Tibshirani 1993, chapter 13.
    """

    def ratio(part: np.ndarray, whole: np.ndarray, axis: int) -> np.ndarray:
        return part.sum(axis) / whole.sum(axis)

    found = stats.bootstrap(
        (np.asarray(parts, float), np.asarray(wholes, float)), ratio, paired=True, vectorized=True, method="percentile",
        n_resamples=resamples, batch=100, confidence_level=LEVEL, rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return Interval(float(found.low), float(found.high))
