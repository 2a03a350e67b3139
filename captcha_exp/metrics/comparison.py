"""Two models on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from captcha_exp.metrics.intervals import Interval


@dataclass(frozen=True)
class Comparison:
    """What tells two models apart on N images.

    Only images that one of them reads right and the other wrong count: `only_first` and `only_second` of them.
    `difference` is the accuracy of the first less that of the second, `interval` its bootstrap interval of level
    `1 - alpha`, `p_value` that of McNemar's exact test.
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
        first: of each image, whether the first model reads it right; at least one image.
        second: the same of the second model, in the same order.
        alpha: one less the level of the interval, above 0 and below 1.
        resamples: draws of the bootstrap.
        seed: of the draws.

    Raises:
        ValueError: another number of images.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} images of the first model cannot be paired with {len(second)} of the second.")
    steps = np.asarray(first, int) - np.asarray(second, int)
    total, ahead, behind = len(steps), int((steps > 0).sum()), int((steps < 0).sum())
    # To draw images with replacement is to draw how many of each of the three kinds there are.
    shares = np.array([ahead, total - ahead - behind, behind]) / total
    draws = np.random.default_rng(seed).multinomial(total, shares, size=resamples)
    low, high = np.quantile((draws[:, 0] - draws[:, 2]) / total, (alpha / 2, 1 - alpha / 2))
    return Comparison(
        total, ahead, behind, (ahead - behind) / total, Interval(float(low), float(high)), mcnemar_p(ahead, behind)
    )


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Two-sided p-value of McNemar's exact test; 1 where the models never differ.

    Were the models equally good, each image on which they differ would be a fair coin.

    Source:
        McNemar 1947, with the binomial distribution in place of its approximation.
    """
    if not only_first + only_second:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)
