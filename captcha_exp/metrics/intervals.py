"""How far a figure may be from what more images would give."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Ends of a confidence interval, of the level `LEVEL` where nothing else is said."""

    low: float
    high: float


def share_interval(successes: int, total: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share.

    It is not empty where all or none of few images are right, as the usual normal interval is.

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
    """Percentile bootstrap interval of `sum(parts) / sum(wholes)`, drawing whole images.

    Characters of one image are wrong together, so an interval that took them for independent would be too narrow.

    Args:
        parts: of each image, e.g. its edit distance.
        wholes: of each image, e.g. the length of its label; at least two images.
        resamples: number of draws.
        seed: of the draws.

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
