"""What a model reads in labelled images, compared with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import DecodingConfig, min_time_steps
from captcha_exp.errors import InputError
from captcha_exp.image import to_input
from captcha_exp.metrics import character_error_rate, sequence_accuracy
from captcha_exp.model import ctc_loss, decode
from captcha_exp.vocabulary import Vocabulary

_TINY = 1e-30


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a set of images, and what was read in each.

    `metrics` has `ctc_loss` (mean over images, in nats), `sequence_accuracy`, `sequence_accuracy_ignore_case` and
    `character_error_rate`; the lists are in the order of the images.
    """

    metrics: dict[str, float]
    labels: list[str]
    predictions: list[str]
    confidences: list[float]


class Evaluator:
    """Evaluates one model any number of times, compiling it once."""

    def __init__(self, model: keras.Model, characters: str, decoding: DecodingConfig, batch_size: int) -> None:
        """See `evaluate` for the arguments."""
        self._vocabulary = Vocabulary(characters)
        self._decoding = decoding
        self._batch_size = batch_size
        self._time_steps: int = model.output_shape[1]

        def run(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            probabilities = model(images, training=False)
            return probabilities, ctc_loss(labels, tf.math.log(tf.maximum(probabilities, _TINY)))

        self._run = tf.function(run, autograph=False)

    def __call__(self, images: np.ndarray, labels: Sequence[str]) -> Evaluation:
        """Evaluate on uint8 (N, H, W) images and their N labels."""
        if len(images) != len(labels) or not len(labels):
            raise InputError(f"Evaluation needs a label for each image, not {len(labels)} labels for {len(images)}.")
        self._check_labels_fit(labels)
        class_ids = self._vocabulary.encode(labels)
        # A smaller last batch would be compiled once more: repeat its last image, and drop what comes of it.
        size = min(self._batch_size, len(labels))
        predictions, losses = [], []
        for start in range(0, len(labels), size):
            rows = np.minimum(np.arange(start, start + size), len(labels) - 1)
            count = min(size, len(labels) - start)
            probabilities, loss = self._run(to_input(images[rows]), class_ids[rows])
            predictions += decode(probabilities.numpy()[:count], self._decoding, self._vocabulary.characters)
            losses.append(loss.numpy()[:count])
        texts = [prediction.text for prediction in predictions]
        metrics = {
            "ctc_loss": float(np.concatenate(losses).mean(dtype=np.float64)),
            "sequence_accuracy": sequence_accuracy(labels, texts),
            "sequence_accuracy_ignore_case": sequence_accuracy(labels, texts, ignore_case=True),
            "character_error_rate": character_error_rate(labels, texts),
        }
        return Evaluation(metrics, list(labels), texts, [prediction.confidence for prediction in predictions])

    def _check_labels_fit(self, labels: Sequence[str]) -> None:
        for label in labels:
            needed = min_time_steps(label)
            if needed > self._time_steps:
                raise InputError(
                    f"Label {label!r} needs at least {needed} time steps, but this model gives {self._time_steps}; "
                    "train one with a lower `cnn.width_stride` or a larger `dataset.image_width`."
                )


def evaluate(
    model: keras.Model,
    images: np.ndarray,
    labels: Sequence[str],
    characters: str,
    decoding: DecodingConfig,
    batch_size: int,
) -> Evaluation:
    """Read images and compare with their labels.

    Args:
        model: float32 (B, H, W, 1) to probabilities (B, T, K), as `with_probabilities` returns it.
        images: uint8 (N, H, W), N at least 1.
        labels: the N reference texts.
        characters: `characters[i]` is class `i + 1`.
        decoding: how probabilities become text.
        batch_size: images at a time; has no influence on the result but for rounding.

    Raises:
        InputError: no images, another number of labels, a label with a character that the model does not know, or one
            that has no room in its time steps.
    """
    return Evaluator(model, characters, decoding, batch_size)(images, labels)
