"""A network that learns from another, beside its labels."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.model import with_probabilities
from captcha_exp.model.distillation import distillation_loss
from captcha_exp.training.engines import Engine
from captcha_exp.training.engines.keras_engine import KerasEngine
from captcha_exp.training.engines.tensorflow_engine import TensorflowEngine
from tests.training.engines import engine_steps

GIVEN = ["dataset.image_height=32", "dataset.image_width=64", "cnn.filters=[8,16,24]", "transformer.projection_dim=24"]
GIVEN += ["transformer.dropout=0", "augmentation=strong", "training.ema_decay=0.5"]
ENGINES = [TensorflowEngine, KerasEngine]
Steps = tuple[list[tuple[float, float]], list[np.ndarray]]


@pytest.fixture
def teacher(compose: Callable[..., Config], build: Callable[..., Any]) -> keras.Model:
    """A network with other weights, which answers with probabilities."""
    model = build(compose(*GIVEN), seed=3)
    model.get_layer("logits").set_weights([20 * weight for weight in model.get_layer("logits").get_weights()])
    return with_probabilities(model)


@pytest.fixture
def steps(compose: Callable[..., Config], build: Callable[..., Any]) -> Callable[..., Steps]:
    def run(make: Callable[..., Engine], teacher: keras.Model | None, *overrides: str) -> Steps:
        config = compose(*GIVEN, *overrides)
        model = build(config)
        engine = make(model, config.optimizer, config.augmentation, config.training, teacher)
        return engine_steps.losses_and_weights(engine, model)

    return run


def test_the_loss_is_least_where_the_probabilities_are_the_teachers() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), (3, 5)).astype(np.float32)
    entropy = -(probabilities * np.log(probabilities)).sum(axis=(1, 2))
    same = np.asarray(distillation_loss(probabilities, np.log(probabilities) + 7))
    np.testing.assert_allclose(same, entropy, rtol=1e-4)
    other = np.asarray(distillation_loss(probabilities, random.normal(size=(3, 5, 4)).astype(np.float32)))
    assert (other > entropy + 0.1).all()


@pytest.mark.parametrize("head", ["training.auxiliary_ctc=0", "training.auxiliary_ctc=0.3"])
def test_both_engines_learn_the_same_of_the_same_altered_images(
    steps: Callable[..., Steps], teacher: keras.Model, head: str
) -> None:
    told, left = steps(TensorflowEngine, teacher, head)
    kept = [np.array(weight) for weight in teacher.get_weights()]
    told_too, left_too = steps(KerasEngine, teacher, head)
    np.testing.assert_allclose(told, told_too, rtol=1e-3)
    for one, other in zip(left, left_too, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    for before, after in zip(kept, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_weight_decides_how_much_is_learnt(steps: Callable[..., Steps], teacher: keras.Model) -> None:
    norms = [steps(TensorflowEngine, given, f"training.distil_weight={weight}")[0][0] for given, weight in
             ((None, 1), (None, 9), (teacher, 1), (teacher, 9))]  # fmt: skip
    losses = {loss for loss, _ in norms}
    assert len(losses) == 1, "only the CTC loss is told"
    assert norms[0] == norms[1]
    assert len({norm for _, norm in norms}) == 3


@pytest.mark.parametrize("make", ENGINES)
def test_a_network_comes_nearer_to_its_teacher(
    make: Callable[..., Engine],
    compose: Callable[..., Config],
    build: Callable[..., Any],
    teacher: keras.Model,
) -> None:
    config = compose(*GIVEN, "augmentation=none", "training.distil_weight=20")
    images, labels = engine_steps.batch(0)
    told = teacher(images).numpy()

    def distance(given: keras.Model | None) -> float:
        model = build(config)
        engine = make(model, config.optimizer, config.augmentation, config.training, given)
        for _ in range(12):
            engine.step(images, labels, None, 3e-3)
        read = with_probabilities(model)(images, training=True)
        return float(np.abs(np.asarray(read) - told).mean())

    assert distance(teacher) < distance(None)
