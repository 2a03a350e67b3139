"""The faster twin of a model against the model."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from captcha_exp.config import Config
from captcha_exp.training.engines.fused_twin import fused_twin


@pytest.mark.parametrize("cnn", ["original", "compact", "residual", "vgg"])
def test_the_twin_trains_the_same_weights_with_the_same_numbers(
    compose: Callable[..., Config], build: Callable[..., Any], cnn: str
) -> None:
    sizes = ["dataset.image_height=32", "dataset.image_width=64"]
    config = compose(f"cnn={cnn}", "transformer.dropout=0", "cnn.norm_momentum=0.9", *sizes)
    images = np.random.default_rng(0).random((4, 32, 64, 1), np.float32)

    def step(make: Callable[[keras.Model], keras.Model]) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
        model = build(config)
        run = tf.function(make(model), autograph=False)
        variables = [weight.value for weight in model.trainable_variables]
        with tf.GradientTape() as tape:
            logits = run(images, training=True)
            loss = tf.reduce_sum(logits**2)
        gradients = [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(loss, variables)]
        return logits.numpy(), gradients, model.get_weights()

    logits, gradients, weights = step(lambda model: model)
    twin_logits, twin_gradients, twin_weights = step(fused_twin)
    np.testing.assert_allclose(twin_logits, logits, rtol=1e-3, atol=1e-4)
    for one, other in zip(twin_gradients, gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=2e-3 * max(1.0, np.abs(other).max()))
    # The moving averages among them: neither the biased nor the unbiased variance may be mistaken for the other.
    for one, other in zip(twin_weights, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_the_twin_has_no_weights_of_its_own(compose: Callable[..., Config], build: Callable[..., Any]) -> None:
    model = build(compose("dataset.image_height=40", "dataset.image_width=128"))
    twin = fused_twin(model)
    assert {id(weight) for weight in twin.weights} == {id(weight) for weight in model.weights}
    images = np.random.default_rng(0).random((2, 40, 128, 1), np.float32)
    np.testing.assert_array_equal(twin(images, training=False), model(images, training=False))
