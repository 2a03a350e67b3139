"""A training against one that is written down step by step."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.training import FitResult, train
from tests.training.plain_training import judged, plain_steps

EPOCHS, STEPS = 2, 5  # of 40 images in batches of 8
RANDOM = ["augmentation=strong", "transformer.dropout=0.3", "cnn.dropout=0.1", f"training.epochs={EPOCHS}"]
Metrics = dict[str, float]


@pytest.fixture
def fit(build: Callable[..., Any], texts: Any, other_texts: Any, characters: str) -> Callable[..., FitResult]:
    def _fit(config: Config, model: keras.Model) -> FitResult:
        decoder = label_decoder(config.decoding, characters, texts.labels)
        return train(model, texts, other_texts, decoder, config)

    return _fit


def only(metrics: Metrics, prefix: str) -> Metrics:
    return {name: value for name, value in metrics.items() if name.startswith(prefix)}


def test_a_training_without_extras_has_the_numbers_of_the_plain_one(
    small: Callable[..., Config], fit: Any, build: Any, texts: Any, other_texts: Any, characters: str
) -> None:
    """To the last digit."""
    config = small(*RANDOM)
    history = fit(config, build(config)).history
    model, steps, expected = build(config), [], []
    for loss, rate in plain_steps(model, texts, characters, config):
        steps.append(loss)
        if len(steps) % STEPS == 0:
            learnt = {"train/ctc_loss": float(np.mean(steps[-STEPS:])), "learning_rate": rate}
            expected.append(learnt | judged(model, texts, other_texts, characters, config))
    assert [{**epoch, "images_per_second": 0} for epoch in history] == [
        {**epoch, "images_per_second": 0} for epoch in expected
    ]


def test_averaged_weights_are_judged_and_kept_and_the_steps_stay_the_same(
    small: Callable[..., Config], fit: Any, build: Any, texts: Any, other_texts: Any, characters: str
) -> None:
    config = small(*RANDOM, "training.ema_decay=0.4")
    averaged = build(config)
    result = fit(config, averaged)
    model, losses, expected = build(config), [], []
    averages = [weight.astype(np.float64) for weight in model.get_weights()]
    for count, (loss, _) in enumerate(plain_steps(model, texts, characters, config)):
        losses.append(loss)
        decay = min(0.4, (1 + count) / (10 + count))
        weights = model.get_weights()
        averages = [decay * one + (1 - decay) * other for one, other in zip(averages, weights, strict=True)]
        if len(losses) % STEPS == 0:
            model.set_weights(averages)
            expected.append((judged(model, texts, other_texts, characters, config), [one.copy() for one in averages]))
            model.set_weights(weights)
    assert [epoch["train/ctc_loss"] for epoch in result.history] == [
        float(np.mean(losses[at : at + STEPS])) for at in range(0, EPOCHS * STEPS, STEPS)
    ]
    for epoch, (metrics, _) in zip(result.history, expected, strict=True):
        assert only(epoch, "val/") == pytest.approx(metrics, rel=1e-4)
    assert any(weight.shape == () or "moving_mean" in weight.path for weight in averaged.weights)
    for one, other in zip(averaged.get_weights(), expected[result.best_epoch][1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_last_part_learns_from_images_as_they_are(
    small: Callable[..., Config], fit: Any, build: Any, texts: Any, characters: str
) -> None:
    config = small(*RANDOM, "training.unaltered_share=0.3")
    history = fit(config, build(config)).history
    losses = [loss for loss, _ in plain_steps(build(config), texts, characters, config, altered_steps=7)]
    assert [epoch["train/ctc_loss"] for epoch in history] == [
        float(np.mean(losses[at : at + STEPS])) for at in range(0, EPOCHS * STEPS, STEPS)
    ]
