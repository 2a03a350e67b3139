"""Finds labels that differ from what a trained model reads."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.dataset.writable_labels import writable
from captcha_exp.prepare.label_statistics import differ_in_case_alone
from captcha_exp.reader.decoding import Decoder

if TYPE_CHECKING:
    import keras

    from captcha_exp.model.evaluator import Evaluator

_log = logging.getLogger(__name__)
_BLOCK = 4096  # images in memory at a time


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, with everything that is needed to read with it.

    `uri` is its address, and `decoder` its way to read a text. `seen` takes images, uint8 (N, H, W) or (N, H, W, 3),
    and returns which of them the model was trained on, bool (N,), or None if this is not known.
    """

    uri: str
    model: "keras.Model"
    decoder: Decoder
    batch_size: int
    seen: Callable[[np.ndarray], np.ndarray] | None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sample whose label the model contradicts, `confidence` in [0, 1].

    `seen` says whether the model was trained on the image, with any label; None if this is not known.
    """

    name: str
    label: str
    split: str
    prediction: str
    confidence: float
    seen: bool | None

    @property
    def case_alone(self) -> bool:
        return differ_in_case_alone(self.label, self.prediction)


@dataclass(frozen=True)
class Contradictions:
    """The contradictions that a model found, the surest first.

    `judged` counts the samples that it read. `beyond` are the samples whose labels it can never read, because it lacks
    a character or time steps.
    """

    uri: str
    judged: int
    beyond: list[str]
    found: list[Contradiction]


def contradictions(trained: TrainedModel, dataset: PreparedDataset) -> Contradictions:
    """Read every split with a model, and sort the readings that differ from the label by confidence.

    A model knows its training images nearly by heart. If it contradicts a label even there, the label is most likely
    wrong.

    Args:
        trained: the model.
        dataset: its images have the model's size. All splits are read.
    """
    from captcha_exp.model.evaluator import Evaluator

    evaluator = Evaluator(trained.model, trained.decoder, trained.batch_size)
    found: list[Contradiction] = []
    beyond, judged = [], 0
    for split in dataset.splits:
        readable, others = _readable(trained, split.labels)
        beyond += [split.names[row] for row in others]
        judged += len(readable)
        if len(readable):
            _log.info("reading %d images of %s with %s", len(readable), split.name, trained.uri)
        for first in range(0, len(readable), _BLOCK):
            found += _contradicted(trained, evaluator, split, readable[first : first + _BLOCK])
    found.sort(key=lambda one: (-one.confidence, one.name))
    return Contradictions(trained.uri, judged, beyond, found)


def _contradicted(
    trained: TrainedModel, evaluator: "Evaluator", split: Split, rows: np.ndarray
) -> Iterator[Contradiction]:
    images = split.images[rows]
    read = evaluator(images, [split.labels[row] for row in rows])
    seen = [None] * len(rows) if trained.seen is None else trained.seen(images).tolist()
    for place, row in enumerate(rows):
        text, confidence = read.predictions[place], read.confidences[place]
        if text != split.labels[row]:
            label = split.labels[row]
            yield Contradiction(split.names[row], label, split.name, text, float(confidence), seen[place])


def _readable(trained: TrainedModel, labels: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    """Positions of the labels that the model can read, and of the others."""
    possible = writable(labels, trained.decoder.characters, trained.model.output_shape[1])
    return np.flatnonzero(possible), np.flatnonzero(~possible).tolist()
