"""Labels that a trained model reads otherwise."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.config import min_time_steps
from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.prepare.label_statistics import differ_in_case_alone
from captcha_exp.reader.vocabulary import Vocabulary

if TYPE_CHECKING:
    import keras

    from captcha_exp.model.evaluator import Evaluator

_BLOCK = 4096  # images that are in memory at a time


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and what reading with it takes.

    `uri` is its address, `characters[i]` its class `i + 1`. `seen` tells of uint8 (N, H, W) images which of them it was
    trained on, as bool (N,); None where nobody knows.
    """

    uri: str
    model: "keras.Model"
    characters: str
    beam_width: int | None
    batch_size: int
    seen: Callable[[np.ndarray], np.ndarray] | None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sample whose label the model contradicts, `confidence` in [0, 1].

    `seen` tells whether the model was trained on it, under this label or another; None where nobody knows.
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
    """What a model found: the surest first.

    `judged` counts the samples it has read. `beyond` names those it could never read as labelled, for want of a
    character or of time steps.
    """

    uri: str
    judged: int
    beyond: list[str]
    found: list[Contradiction]


def contradictions(trained: TrainedModel, dataset: PreparedDataset, report: Callable[[str], None]) -> Contradictions:
    """Read every split with a model and rank what it reads otherwise than labelled by its confidence.

    A model knows what it was trained on nearly by heart: where it contradicts a label even there, the label is most
    likely wrong.

    Args:
        trained: the model; the images of `dataset` are of its size.
        dataset: all splits of it are read.
        report: told which split is being read.
    """
    from captcha_exp.model.evaluator import Evaluator

    evaluator = Evaluator(trained.model, trained.characters, trained.beam_width, trained.batch_size)
    found: list[Contradiction] = []
    beyond, judged = [], 0
    for split in dataset.splits:
        readable, others = _readable(trained, split.labels)
        beyond += [split.names[row] for row in others]
        judged += len(readable)
        if len(readable):
            report(f"reading {len(readable)} images of {split.name} with {trained.uri}")
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
    """Positions of the labels that the model could read, and of the others."""
    vocabulary = Vocabulary(trained.characters)
    time_steps: int = trained.model.output_shape[1]
    possible = [not vocabulary.unknown(label) and min_time_steps(label) <= time_steps for label in labels]
    return np.flatnonzero(possible), [index for index, fits in enumerate(possible) if not fits]
