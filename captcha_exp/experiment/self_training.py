"""Self-training: a network also learns from texts that it reads itself, in images without labels."""

import json
import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.config import Config
from captcha_exp.dataset import Split
from captcha_exp.experiment.long_enough import with_epochs
from captcha_exp.experiment.tracked_fit import TrackedFit
from captcha_exp.files import replacing
from captcha_exp.foreign_text import csv_table
from captcha_exp.metrics.accuracy import standard_error
from captcha_exp.reader.decoding import Decoder

if TYPE_CHECKING:
    import keras

    from captcha_exp.training import FitResult

_log = logging.getLogger(__name__)
_BATCH = 256
_FILE = "pseudo_labels.json"


@dataclass(frozen=True)
class PseudoLabels:
    """Images without labels, with the texts that a network reads in them.

    `confidences` are float64 (N,), the probability of each text in `split.labels` given what is known of all texts.
    """

    split: Split
    confidences: np.ndarray

    def as_sure_as(self, least: float) -> "PseudoLabels":
        """Those whose text has at least this confidence, without empty texts."""
        rows = np.flatnonzero((self.confidences >= least) & np.array([text != "" for text in self.split.labels]))
        return PseudoLabels(self.split.only(rows), self.confidences[rows])

    def table(self) -> str:
        """All of them as CSV."""
        rows = zip(self.split.names, self.split.labels, self.confidences, strict=True)
        return csv_table([["name", "text", "confidence"], *([name, text, f"{sure:.6f}"] for name, text, sure in rows)])


class SelfTraining:
    """The rounds of a training with unlabelled images.

    Attributes:
        taught: the pseudo-labels that the kept weights have learnt from; None if they have learnt from labels alone.
    """

    def __init__(self, config: Config, learnt: Split, unlabelled: Split, decoder: Decoder, fit: TrackedFit) -> None:
        """Stand before the first round.

        Args:
            config: its `training` says how many rounds there are, and how sure a text must be.
            learnt: the labelled images to learn from.
            unlabelled: images that are in no split of the dataset.
            decoder: how the network reads.
            fit: trains a network.
        """
        self._config, self._learnt, self._unlabelled = _each_round(config), learnt, unlabelled
        self._decoder, self._fit = decoder, fit
        self.taught: PseudoLabels | None = None

    def train(self, model: "keras.Model", checkpoint_dir: Path | None) -> "FitResult":
        """Train a network on the labels, and in each round anew on the labels and on what it reads by then.

        Every round starts from the weights that the model has now. If a round reads fewer validation texts than the one
        before, by more than a standard error, the model keeps the weights of the one before, and no round follows.

        Args:
            model: float32 (B, H, W, C) to logits (B, T, K).
            checkpoint_dir: keeps the state of each round; None keeps none.

        Raises:
            DivergedError: see `train` of `captcha_exp.training`.
        """
        initial = model.get_weights()
        result = self._fit_to(self._learnt, model, _below(checkpoint_dir, "labelled"))
        for number in range(1, self._config.training.unlabelled_rounds + 1):
            folder = _below(checkpoint_dir, f"round-{number}")
            sure = self._pseudo_labels(model, folder).as_sure_as(self._config.training.unlabelled_confidence)
            _log.info(self._told(number, len(sure.split)))
            if not len(sure.split):
                break
            before = model.get_weights()
            model.set_weights(initial)
            again = self._fit_to(self._learnt.followed_by(sure.split), model, folder)
            fell = _fell(again, result)
            result = _followed(result, again, keep=not fell)
            if fell:
                model.set_weights(before)
                _log.info("round %d reads fewer validation texts, so the network before it is kept", number)
                break
            self.taught = sure
        return result

    def _fit_to(self, learnt: Split, model: "keras.Model", folder: Path | None) -> "FitResult":
        return self._fit(model, learnt, with_epochs(self._config, len(learnt)), folder)

    def _pseudo_labels(self, model: "keras.Model", folder: Path | None) -> PseudoLabels:
        """What the model reads, or what it has read in a process that died in this round."""
        found = None if folder is None else _kept(folder, self._unlabelled)
        if found is None:
            found = self._read(model)
            if folder is not None:
                _keep(folder, found)
        return found

    def _read(self, model: "keras.Model") -> PseudoLabels:
        from captcha_exp.model import with_probabilities
        from captcha_exp.model.forward_pass import ForwardPass

        compute, images = ForwardPass(with_probabilities(model)), self._unlabelled.images
        readings = [
            reading
            for first in range(0, len(images), _BATCH)
            for reading in self._decoder(compute(images[first : first + _BATCH]))
        ]
        texts = [reading.text for reading in readings]
        return PseudoLabels(
            replace(self._unlabelled, labels=texts), np.array([reading.confidence for reading in readings])
        )

    def _told(self, number: int, sure: int) -> str:
        training = self._config.training
        told = (
            f"round {number} of {training.unlabelled_rounds}: {sure:,} of {len(self._unlabelled):,} unlabelled images "
            f"are read with a confidence of at least {training.unlabelled_confidence:g}"
        )
        return told if sure else f"{told}, so there is nothing more to learn from"


def _each_round(config: Config) -> Config:
    """The configuration of each training. All together take `training.minutes`."""
    training = config.training
    if training.minutes is None:
        return config
    minutes = training.minutes / (1 + training.unlabelled_rounds)
    return config.model_copy(update={"training": training.model_copy(update={"minutes": minutes})})


def _fell(again: "FitResult", before: "FitResult") -> bool:
    if again.best is None or before.best is None:
        return False  # nothing can tell
    now, then = (best.metrics["sequence_accuracy"] for best in (again.best, before.best))
    return then - now > standard_error(then, len(before.best.labels))


def _followed(first: "FitResult", second: "FitResult", *, keep: bool) -> "FitResult":
    """Two trainings as one, with the best epoch of the second or of the first."""
    return replace(
        second if keep else first,
        history=first.history + second.history,
        best_epoch=len(first.history) + second.best_epoch if keep else first.best_epoch,
        steps=first.steps + second.steps,
        fit_seconds=first.fit_seconds + second.fit_seconds,
    )


def _below(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


def _kept(folder: Path, unlabelled: Split) -> PseudoLabels | None:
    """What `_keep` wrote; None if there is nothing, or if it was about other images."""
    try:
        kept = json.loads((folder / _FILE).read_bytes())
    except (OSError, ValueError):
        return None
    if kept["names"] != unlabelled.names:
        return None
    return PseudoLabels(replace(unlabelled, labels=kept["texts"]), np.array(kept["confidences"]))


def _keep(folder: Path, found: PseudoLabels) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # the state of a training on other pseudo-labels
    folder.mkdir(parents=True)
    kept = {"names": found.split.names, "texts": found.split.labels, "confidences": found.confidences.tolist()}
    with replacing(folder / _FILE) as file:
        file.write(json.dumps(kept).encode())
