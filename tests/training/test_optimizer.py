"""The optimizer against that of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from captcha_exp.training.optimizer import FlatAdam


@pytest.mark.parametrize(("weight_decay", "clip_norm"), [(0.0, None), (0.1, None), (0.1, 0.5), (0.0, 100.0)])
def test_steps_equal_those_of_keras(weight_decay: float, clip_norm: float | None) -> None:
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (4,), (2, 2, 2)]
    ours, theirs = (
        [keras.Variable(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape), dtype="float32") for shape in shapes]
        for _ in range(2)
    )
    optimizer = FlatAdam(ours, weight_decay, clip_norm)
    reference = keras.optimizers.AdamW(weight_decay=weight_decay, global_clipnorm=clip_norm)
    reference.exclude_from_weight_decay([theirs[1]])
    reference.build(theirs)
    for step in range(5):
        gradients = [tf.constant(rng.normal(size=shape), tf.float32) for shape in shapes]
        rate = 0.01 * (step + 1)
        norm = optimizer.apply(gradients, optimizer.next_rates(rate))
        reference.learning_rate = rate
        reference.apply(gradients)
        assert float(norm) == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-6)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


def test_a_restored_optimizer_takes_the_same_steps() -> None:
    gradients = [tf.constant([1.0, -2.0]), tf.constant([[0.5]])]

    def steps(optimizer: FlatAdam, count: int) -> None:
        for _ in range(count):
            optimizer.apply(gradients, optimizer.next_rates(0.1))

    whole, first, rest = (
        [keras.Variable(np.zeros(2), dtype="float32"), keras.Variable(np.zeros((1, 1)), dtype="float32")]
        for _ in range(3)
    )
    steps(FlatAdam(whole, 0.1, 1.0), 4)
    interrupted = FlatAdam(first, 0.1, 1.0)
    steps(interrupted, 2)
    resumed = FlatAdam(rest, 0.1, 1.0)
    for variable, value in zip(rest, first, strict=True):
        variable.assign(value)
    resumed.restore(interrupted.state())
    steps(resumed, 2)
    for one, other in zip(whole, rest, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
