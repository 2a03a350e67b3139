"""The CTC loss against a plain forward algorithm."""

import numpy as np
import pytest
import tensorflow as tf

from captcha_exp.model import ctc_loss


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def reference_loss(label: list[int], logits: np.ndarray) -> float:
    """Forward algorithm of Graves et al. 2006 over logits (T, K), in float64 and probabilities."""
    probabilities = np.exp(log_softmax(logits.astype(np.float64)))
    states = [0]
    for character in label:
        states += [character, 0]
    alpha = np.zeros(len(states))
    alpha[:2] = [probabilities[0, state] for state in states[:2]]
    for row in probabilities[1:]:
        before = alpha.copy()
        for index, state in enumerate(states):
            alpha[index] = before[index] + (before[index - 1] if index else 0)
            if index > 1 and state != 0 and state != states[index - 2]:
                alpha[index] += before[index - 2]
            alpha[index] *= row[state]
    return float(-np.log(alpha[-2:].sum()))


@pytest.mark.parametrize("seed", range(5))
def test_loss_equals_the_forward_algorithm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(8, 12, 5)).astype(np.float32)
    # Few characters, so that repeats are many; lengths from 1 to 5, so that padding is too.
    labels = [rng.integers(1, 5, size=rng.integers(1, 6)).tolist() for _ in range(8)]
    padded = np.array([label + [0] * (5 - len(label)) for label in labels])
    expected = [reference_loss(label, row) for label, row in zip(labels, logits, strict=True)]
    np.testing.assert_allclose(ctc_loss(padded, logits).numpy(), expected, rtol=1e-5)


def test_repeats_and_the_longest_label_that_fits() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    # 1, blank, 1, blank, 1 is the only alignment of the first.
    expected = [reference_loss([1, 1, 1], logits[0]), reference_loss([2], logits[1])]
    np.testing.assert_allclose(ctc_loss(np.array([[1, 1, 1], [2, 0, 0]]), logits).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(expected[0], -log_softmax(logits[0])[range(5), [1, 0, 1, 0, 1]].sum(), rtol=1e-5)


def test_gradient_equals_finite_differences() -> None:
    rng = np.random.default_rng(1)
    logits = tf.Variable(rng.normal(size=(1, 4, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = ctc_loss(np.array([[2, 2]]), logits)
    gradient = tape.gradient(loss, logits).numpy()
    for index in np.ndindex(gradient.shape):
        step = np.zeros_like(gradient)
        step[index] = 1e-4
        above, below = (
            reference_loss([2, 2], (logits.numpy().astype(np.float64) + sign * step)[0]) for sign in (1, -1)
        )
        assert gradient[index] == pytest.approx((above - below) / 2e-4, abs=1e-4)


def test_a_label_whose_repeat_does_not_fit_has_an_infinite_loss() -> None:
    """Keras' own loss gives a large finite number here, which training would not notice."""
    assert ctc_loss(np.array([[1, 1]]), np.zeros((1, 2, 3), np.float32)).numpy() == [np.inf]


def test_a_label_longer_than_the_time_steps_is_refused() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Not enough time"):
        ctc_loss(np.array([[1, 2, 1]]), np.zeros((1, 2, 3), np.float32))
