"""Random numbers for the alteration of images."""

import numpy as np
import pytest
import tensorflow as tf

from captcha_exp.config import AugmentationConfig
from captcha_exp.training.draws import draw
from captcha_exp.training.engines.tensorflow_engine import draw_in_graph
from tests.training.test_augmentation import only

NOISY: AugmentationConfig = only(noise_stddev=0.1)


@pytest.mark.parametrize("seed", [(0, 0), (1, 2), (-5, 2**31 - 1), (-(2**31), -1)])
def test_numpy_draws_what_tensorflow_draws_to_the_last_bit(seed: tuple[int, int]) -> None:
    shape = (3, 5, 7, 1)
    drawn = draw(np.array(seed, np.int32), shape, NOISY)
    in_graph = draw_in_graph(tf.constant(seed), tf.zeros(shape), NOISY)
    np.testing.assert_array_equal(drawn.numbers, in_graph.numbers.numpy())
    np.testing.assert_array_equal(drawn.noise, in_graph.noise.numpy())
    assert drawn.numbers.dtype == drawn.noise.dtype == np.float32


def test_noise_is_drawn_only_where_it_is_asked_for() -> None:
    assert draw(np.array([1, 2], np.int32), (3, 5, 7, 1), only(brightness=0.1)).noise is None


def test_numbers_are_even_and_of_no_period() -> None:
    numbers = draw(np.array([3, 4], np.int32), (5000, 1, 1, 1), only()).numbers
    assert -1 <= numbers.min() < -0.999 and 0.999 < numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(numbers.var(axis=0), 1 / 3, atol=0.02)
    assert len(np.unique(numbers)) > 0.99 * numbers.size
