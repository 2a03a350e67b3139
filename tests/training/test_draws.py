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


@pytest.mark.parametrize("channels", [1, 3])
def test_numpy_and_tensorflow_draw_the_same_inversion_which_changes_no_other_draw(channels: int) -> None:
    seed, shape = np.array([5, -6], np.int32), (40, 5, 7, channels)
    inverted = only(noise_stddev=0.1, invert_probability=0.5)
    drawn, without = draw(seed, shape, inverted), draw(seed, shape, NOISY)
    in_graph = draw_in_graph(tf.constant(seed), tf.zeros(shape), inverted)
    assert without.numbers.shape == (40, 14) and drawn.numbers.shape == (40, 15)
    np.testing.assert_array_equal(drawn.numbers[:, :14], without.numbers)
    np.testing.assert_array_equal(drawn.noise, without.noise)
    np.testing.assert_array_equal(drawn.numbers, in_graph.numbers.numpy())
    np.testing.assert_array_equal(drawn.noise, in_graph.noise.numpy())
    last = drawn.numbers[:, 14]
    assert -1 <= last.min() < -0.8 and 0.8 < last.max() < 1
    assert np.abs(np.corrcoef(drawn.numbers.T)[14, :14]).max() < 0.6


def test_numpy_and_tensorflow_draw_the_same_second_row_which_changes_no_other_draw() -> None:
    seed, shape = np.array([5, -6], np.int32), (40, 5, 7, 3)
    struck = only(noise_stddev=0.1, strokes=2, stroke_width=0.1)
    drawn, without = draw(seed, shape, struck), draw(seed, shape, NOISY)
    in_graph = draw_in_graph(tf.constant(seed), tf.zeros(shape), struck)
    np.testing.assert_array_equal(drawn.further, in_graph.further.numpy())
    np.testing.assert_array_equal(drawn.numbers, without.numbers)
    np.testing.assert_array_equal(drawn.noise, without.noise)
    assert without.further is None and drawn.further.shape == (40, 28 + 2 * 13)
    assert np.abs(np.corrcoef(drawn.numbers.T, drawn.further.T)[:14, 14:]).max() < 0.6


def test_noise_is_drawn_only_where_it_is_asked_for() -> None:
    assert draw(np.array([1, 2], np.int32), (3, 5, 7, 1), only(brightness=0.1)).noise is None


def test_numbers_are_even_and_of_no_period() -> None:
    numbers = draw(np.array([3, 4], np.int32), (5000, 1, 1, 1), only()).numbers
    assert -1 <= numbers.min() < -0.999 and 0.999 < numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(numbers.var(axis=0), 1 / 3, atol=0.02)
    assert len(np.unique(numbers)) > 0.99 * numbers.size
