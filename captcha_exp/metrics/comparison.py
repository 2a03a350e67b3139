"""Compares two models on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from captcha_exp.metrics.intervals import Interval


@dataclass(frozen=True)
class Comparison:
    """The difference between two models on N images.

    An image tells something only if one model reads it right and the other reads it wrong. `only_first` and
    `only_second` count these images. `difference` is the accuracy of the first model minus that of the second.
    `interval` is its bootstrap interval of level `1 - alpha`. `p_value` is from McNemar's exact test.
    """

    images: int
    only_first: int
    only_second: int
    difference: float
    interval: Interval
    p_value: float


def compare(first: Sequence[bool], second: Sequence[bool], alpha: float, resamples: int, seed: int) -> Comparison:
    """Compare two models image by image.

    Args:
        first: whether the first model reads each image right; at least one image.
        second: the same for the second model, in the same order.
        alpha: 1 minus the level of the interval, above 0 and below 1.
        resamples: number of bootstrap draws.
        seed: seed of the draws.

    Raises:
        ValueError: the numbers of images differ.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} images of the first model cannot be paired with {len(second)} of the second.")
    steps = np.asarray(first, int) - np.asarray(second, int)
    total, ahead, behind = len(steps), int((steps > 0).sum()), int((steps < 0).sum())
    # There are three kinds of images. To draw images with replacement, it is enough to draw the count of each kind.
    shares = np.array([ahead, total - ahead - behind, behind]) / total
    draws = np.random.default_rng(seed).multinomial(total, shares, size=resamples)
    low, high = np.quantile((draws[:, 0] - draws[:, 2]) / total, (alpha / 2, 1 - alpha / 2))
    return Comparison(
        total, ahead, behind, (ahead - behind) / total, Interval(float(low), float(high)), mcnemar_p(ahead, behind)
    )


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Two-sided p-value of McNemar's exact test; 1 if the models never differ.

    If the models are equally good, each image on which they differ is like the toss of a fair coin.

    Source:
        McNemar 1947, with the binomial distribution instead of its approximation.
    """
    if not only_first + only_second:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)
