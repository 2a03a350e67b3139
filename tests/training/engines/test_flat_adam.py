"""The optimizer against that of Keras."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from captcha_exp.config import CustomOptimizerConfig, Schedule
from captcha_exp.errors import InputError
from captcha_exp.training.engines.flat_adam import FlatAdam, build_optimizer
from captcha_exp.training.engines.keras_optimizer import KerasOptimizer


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


OWN = """
import keras


def momentum(optimizer):
    return keras.optimizers.SGD(optimizer.learning_rate, momentum=optimizer.options["momentum"])


def falling(optimizer):
    return keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(1.0, 10))


def nothing(optimizer):
    return None
"""


def own(builder: str, clip_norm: float | None = None) -> CustomOptimizerConfig:
    return CustomOptimizerConfig(
        kind="custom",
        learning_rate=0.1,
        schedule=Schedule.constant,
        warmup_share=0.0,
        clip_norm=clip_norm,
        builder=f"own_optimizers:{builder}",
        options={"momentum": 0.9},
    )


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_optimizers.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("own_module")
def test_an_optimizer_of_ones_own_takes_its_steps_at_the_given_rates_and_goes_on_after_a_pause() -> None:
    def weights() -> list[keras.Variable]:
        return [keras.Variable(np.zeros(2), dtype="float32"), keras.Variable(np.zeros((1, 1)), dtype="float32")]

    gradients = [tf.constant([3.0, 0.0]), tf.constant([[4.0]])]

    def steps(optimizer: KerasOptimizer, rates: list[float]) -> list[float]:
        apply = tf.function(lambda rates: optimizer.apply(gradients, rates), autograph=False)
        return [float(apply(optimizer.next_rates(rate))) for rate in rates]

    whole, first, rest = weights(), weights(), weights()
    assert steps(KerasOptimizer(whole, own("momentum", clip_norm=1.0)), [1.0, 0.5]) == [5.0, 5.0]
    # The clipped gradient is (0.6, 0, 0.8); the second step at half the rate takes 0.9 of the first one along.
    np.testing.assert_allclose(whole[0].numpy(), [-0.6 + 0.9 * -0.6 - 0.3, 0.0], rtol=1e-6)
    interrupted = KerasOptimizer(first, own("momentum", clip_norm=1.0))
    steps(interrupted, [1.0])
    resumed = build_optimizer(rest, own("momentum", clip_norm=1.0))
    for variable, value in zip(rest, first, strict=True):
        variable.assign(value)
    resumed.restore(interrupted.state())
    steps(resumed, [0.5])
    np.testing.assert_array_equal(rest[0].numpy(), whole[0].numpy())


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize("builder", ["falling", "nothing"])
def test_what_is_no_optimizer_whose_rate_can_be_set_is_refused(builder: str) -> None:
    message = (
        rf"^optimizer\.builder=own_optimizers:{builder} must return a keras\.optimizers\.Optimizer with a number as"
    )
    with pytest.raises(InputError, match=message):
        build_optimizer([keras.Variable(np.zeros(2))], own(builder))
