"""Confidence intervals against published values and against every resample there is."""

from itertools import product

import numpy as np
import pytest

from captcha_exp.metrics.comparison import compare, mcnemar_p
from captcha_exp.metrics.intervals import ratio_interval, share_interval


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_the_published_one(successes: int, total: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    found = share_interval(successes, total)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_bootstrap_draws_whole_images() -> None:
    """Of two images, one of which is wrong throughout, a quarter of all draws have none of it, a quarter it twice."""
    assert ratio_interval([0, 4], [4, 4], 2000, seed=0) == ratio_interval([0, 4], [4, 4], 2000, seed=0)
    found = ratio_interval([0, 4], [4, 4], 2000, seed=0)
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_bootstrap_of_a_ratio_is_that_of_every_resample() -> None:
    edits, lengths = [0, 1, 0, 3], [2, 3, 5, 4]
    ratios = [sum(edits[i] for i in rows) / sum(lengths[i] for i in rows) for rows in product(range(4), repeat=4)]
    found = ratio_interval(edits, lengths, 20_000, seed=1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


@pytest.mark.parametrize(
    ("ahead", "behind", "p"),
    [(0, 0, 1.0), (5, 0, 2 / 2**5), (6, 0, 2 / 2**6), (2, 10, 2 * (1 + 12 + 66) / 2**12), (7, 7, 1.0)],
)
def test_mcnemars_exact_test_counts_coin_tosses(ahead: int, behind: int, p: float) -> None:
    assert mcnemar_p(ahead, behind) == pytest.approx(p)
    assert mcnemar_p(behind, ahead) == pytest.approx(p)


def test_models_are_compared_image_by_image() -> None:
    first, second = [True, True, False, True, True], [True, False, False, False, False]
    differences = np.array([0, 1, 0, 1, 1])
    means = [differences[list(rows)].mean() for rows in product(range(5), repeat=5)]
    found = compare(first, second, alpha=0.1, resamples=200_000, seed=0)
    assert (found.images, found.only_first, found.only_second, found.difference) == (5, 3, 0, 0.6)
    assert (found.interval.low, found.interval.high) == pytest.approx(np.quantile(means, (0.05, 0.95)))
    assert found.p_value == pytest.approx(0.25)


def test_models_on_other_images_are_not_compared() -> None:
    with pytest.raises(ValueError, match="3 images of the first model cannot be paired with 2"):
        compare([True] * 3, [True] * 2, 0.05, 100, 0)
