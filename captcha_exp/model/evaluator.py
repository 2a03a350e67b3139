"""Lets a model read labelled images and compares its texts with the labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
from keras import ops

from captcha_exp.config import min_time_steps
from captcha_exp.dataset.writable_labels import writable
from captcha_exp.errors import InputError
from captcha_exp.metrics.accuracy import character_error_rate, length_error_rate, sequence_accuracy
from captcha_exp.model.ctc import ctc_loss
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.reader.decoding import Decoder, Prediction
from captcha_exp.reader.image import Images
from captcha_exp.reader.vocabulary import Vocabulary

TINY = 1e-30


class LabelledImages(Protocol):
    """Images and their texts, for example a split of a dataset."""

    @property
    def images(self) -> Images: ...

    @property
    def labels(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a set of images, and the text that was read in each image.

    `metrics` has `ctc_loss` (mean over the images whose label the model can write, in nats; left out if there are
    none), `sequence_accuracy`, `sequence_accuracy_ignore_case`, `character_error_rate` and `length_error_rate`. The
    lists are in the order of the images.
    """

    metrics: dict[str, float]
    labels: list[str]
    predictions: list[str]
    confidences: list[float]

    @classmethod
    def of(cls, labels: Sequence[str], predictions: Sequence[Prediction], losses: np.ndarray) -> "Evaluation":
        """Compute the metrics from N labels, N predictions and the CTC losses that exist, float (at most N,)."""
        texts = [prediction.text for prediction in predictions]
        metrics = {"ctc_loss": float(losses.mean(dtype=np.float64))} if len(losses) else {}
        metrics |= {
            "sequence_accuracy": sequence_accuracy(labels, texts),
            "sequence_accuracy_ignore_case": sequence_accuracy(labels, texts, ignore_case=True),
            "character_error_rate": character_error_rate(labels, texts),
            "length_error_rate": length_error_rate(labels, texts),
        }
        return cls(metrics, list(labels), texts, [prediction.confidence for prediction in predictions])


def text_reader(forward_pass: ForwardPass, decoder: Decoder) -> Callable[[Images], list[str]]:
    """Make a function that reads images: uint8 (N, H, W) or (N, H, W, 3), N at least 1, to N texts."""

    def read(images: Images) -> list[str]:
        return [prediction.text for prediction in decoder(forward_pass(images))]

    return read


class Evaluator:
    """Evaluates one model any number of times. The model is compiled only once."""

    def __init__(self, model: keras.Model, decoder: Decoder, batch_size: int) -> None:
        """See `evaluate` for the arguments."""
        self._decoder = decoder
        self._time_steps: int = model.output_shape[1]
        self._forward_pass = ForwardPass(model, batch_size)

    def __call__(self, images: Images, labels: Sequence[str]) -> Evaluation:
        """Evaluate on uint8 (N, H, W) or (N, H, W, 3) images and their N labels."""
        checked_class_ids(len(images), labels, Vocabulary(self._decoder.characters), self._time_steps)
        return evaluate_probabilities(self._forward_pass(images), labels, self._decoder)


def evaluate(
    model: keras.Model, images: Images, labels: Sequence[str], decoder: Decoder, batch_size: int
) -> Evaluation:
    """Read images and compare the texts with the labels.

    Args:
        model: float32 (B, H, W, C) to probabilities (B, T, K), as `with_probabilities` returns it.
        images: uint8 (N, H, W) or (N, H, W, 3), N at least 1.
        labels: the N reference texts.
        decoder: how the model reads a text.
        batch_size: number of images that are computed at once; it changes the result only by rounding.

    Raises:
        InputError: there are no images, the number of labels differs, a label has a character that the model does not
            know, or a label needs more time steps than the model has.
    """
    return Evaluator(model, decoder, batch_size)(images, labels)


def evaluate_probabilities(probabilities: np.ndarray, labels: Sequence[str], decoder: Decoder) -> Evaluation:
    """Decode class probabilities, float32 (N, T, K), and compare the texts with the N labels.

    A label that the model cannot write, see `writable`, counts as wrong and has no loss.

    Raises:
        InputError: there are no images, or the number of labels differs.
    """
    _check_one_each(len(probabilities), labels)
    can = writable(labels, decoder.characters, probabilities.shape[1])
    losses = np.empty(0, np.float32)
    if can.any():
        class_ids = Vocabulary(decoder.characters).encode([labels[row] for row in np.flatnonzero(can).tolist()])
        possible = probabilities if can.all() else probabilities[can]
        losses = ops.convert_to_numpy(ctc_loss(class_ids, ops.log(ops.maximum(possible, TINY))))
    return Evaluation.of(labels, decoder(probabilities), losses)


def checked_class_ids(images: int, labels: Sequence[str], vocabulary: Vocabulary, time_steps: int) -> np.ndarray:
    """The class ids of the labels, int32 (N, L).

    Raises:
        InputError: see `evaluate`.
    """
    _check_one_each(images, labels)
    for label in labels:
        needed = min_time_steps(label)
        if needed > time_steps:
            raise InputError(
                f"Label {label!r} needs at least {needed} time steps, but this model gives {time_steps}; "
                "train a model with a lower `cnn.width_stride` or a larger `dataset.image_width`."
            )
    return vocabulary.encode(labels)


def _check_one_each(images: int, labels: Sequence[str]) -> None:
    if images != len(labels) or not len(labels):
        raise InputError(f"Evaluation needs one label for each image, not {len(labels)} labels for {images} images.")
