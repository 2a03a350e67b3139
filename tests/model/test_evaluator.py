"""Evaluation of a model on labelled images."""

from collections.abc import Callable

import keras
import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.model import build_recogniser, ctc_loss, with_probabilities
from captcha_exp.model.evaluator import evaluate
from captcha_exp.reader.decoding import Decoder
from captcha_exp.reader.image import to_input


@pytest.fixture
def model(compose: Callable[..., Config]) -> keras.Model:
    config = compose("cnn.filters=[4,8]", "transformer=none")
    return with_probabilities(build_recogniser(config.cnn, config.transformer, 16, 40, 3, seed=1))


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 16, 40), np.uint8)


def test_the_batch_size_changes_nothing(model: keras.Model, images: np.ndarray) -> None:
    labels = ["ab", "b", "a", "aa", "ba", "b", "aab"]
    whole, parts, single = (evaluate(model, images, labels, Decoder("ab"), size) for size in (32, 3, 1))
    assert whole.predictions == parts.predictions == single.predictions
    for result in (parts, single):
        assert result.metrics == pytest.approx(whole.metrics, rel=1e-5)
    assert whole.labels == labels
    assert len(whole.confidences) == 7


def test_the_loss_is_the_mean_of_the_ctc_loss(model: keras.Model, images: np.ndarray) -> None:
    result = evaluate(model, images[:2], ["ab", "b"], Decoder("ab"), 2)
    logits = np.log(model(to_input(images[:2])).numpy())
    expected = ctc_loss(np.array([[1, 2], [2, 0]]), logits).numpy().mean()
    assert result.metrics["ctc_loss"] == pytest.approx(float(expected), rel=1e-5)


def test_case_is_ignored_where_that_is_asked(images: np.ndarray) -> None:
    """A model that reads "Aa" in everything."""
    inputs = keras.Input((16, 40, 1))
    path = np.eye(3, dtype=np.float32)[[1, 0, 2, 0]]
    outputs = keras.ops.zeros_like(inputs[:, :4, :3, 0]) + path
    result = evaluate(keras.Model(inputs, outputs), images[:4], ["Aa", "aA", "AA", "A"], Decoder("Aa"), 4)
    assert result.predictions == ["Aa"] * 4
    assert result.metrics["sequence_accuracy"] == 0.25
    assert result.metrics["sequence_accuracy_ignore_case"] == 0.75
    assert result.metrics["character_error_rate"] == (0 + 2 + 1 + 1) / 7
    assert result.confidences == [1.0] * 4


def test_an_unknown_character_is_named(model: keras.Model, images: np.ndarray) -> None:
    with pytest.raises(InputError, match="Label 'axb' has the character 'x'"):
        evaluate(model, images[:1], ["axb"], Decoder("ab"), 1)


def test_a_label_without_room_is_named(model: keras.Model, images: np.ndarray) -> None:
    with pytest.raises(InputError, match="Label 'aaaaaa' needs at least 11 time steps, but this model gives 10;"):
        evaluate(model, images[:2], ["a", "aaaaaa"], Decoder("ab"), 1)


def test_images_without_labels_are_refused(model: keras.Model, images: np.ndarray) -> None:
    with pytest.raises(InputError, match="not 2 labels for 7"):
        evaluate(model, images, ["a", "b"], Decoder("ab"), 4)
    with pytest.raises(InputError, match="not 0 labels for 0"):
        evaluate(model, images[:0], [], Decoder("ab"), 4)
