"""Trains a recogniser from the first epoch to the choice of the best."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.model import with_probabilities
from captcha_exp.model.evaluator import Evaluation, LabelledImages
from captcha_exp.reader.decoding import Decoder
from captcha_exp.training.best_epoch import best_epoch
from captcha_exp.training.epoch_loop import EpochLoop
from captcha_exp.training.validation import build_judge

# Called after each epoch with its index and metrics. If it returns True, the training stops.
EpochCallback = Callable[[int, dict[str, float]], bool]


@dataclass(frozen=True)
class FitResult:
    """What a training gave.

    `history` has the metrics of each epoch, in order; without epochs, trained members were joined. `best_epoch` (from
    0) is the epoch whose weights the model now has. `best` is its evaluation on the validation images, or None if there
    are none. `stopped` is "pruned" if the callback ended the training, "patience" if no epoch was better for that long,
    else None. `fit_seconds` is the time of this process. It does not count what a checkpoint brought. `steps` counts
    the steps of all epochs.
    """

    history: list[dict[str, float]]
    best_epoch: int
    best: Evaluation | None
    stopped: str | None
    fit_seconds: float
    steps: int = 0


def train(
    model: keras.Model,
    learnt: LabelledImages,
    held_out: LabelledImages,
    decoder: Decoder,
    config: Config,
    on_epoch: EpochCallback | None = None,
    checkpoint_dir: Path | None = None,
    teacher: keras.Model | None = None,
) -> FitResult:
    """Train a model in place, and keep the epoch with the highest validation sequence accuracy.

    Args:
        model: what `build_recogniser` returned. It ends with the weights of the best epoch.
        learnt: the model learns from these images.
        held_out: these images choose the epoch, and are never altered. Without any, the last epoch is kept.
        decoder: how the model reads a text; it also says which class is which character.
        config: its `training`, `optimizer` and `augmentation` decide.
        on_epoch: receives epoch and metrics after each epoch, and first those of the epochs in the checkpoint.
        checkpoint_dir: keeps the state after each epoch. A training that finds a state there continues it, and ends
            with exactly the metrics of an uninterrupted training. None keeps no state.
        teacher: float32 (B, H, W, C) to probabilities (B, T, K). The model also learns these, with
            `training.distil_weight`. None learns from the labels alone.

    Raises:
        DivergedError: the loss or its gradient was not a finite number. It names the step.
        InputError: there are no images, the labels do not fit them or the decoder's characters, or another backend of
            Keras wrote the checkpoint.
    """
    if not len(learnt.images) or len(learnt.images) != len(learnt.labels):
        raise InputError(f"Training needs a label for each image, not {len(learnt.labels)} for {len(learnt.images)}.")
    started = time.perf_counter()
    judge = build_judge(with_probabilities(model), held_out, decoder, config)
    loop = EpochLoop(model, learnt, judge, decoder.characters, config, teacher)
    if checkpoint_dir is not None:
        loop.restore(checkpoint_dir)
    for epoch in range(len(loop.history)):
        _tell(loop, epoch, on_epoch)
    while not loop.is_over():
        loop.next_epoch()
        if checkpoint_dir is not None:
            loop.save(checkpoint_dir)
        _tell(loop, len(loop.history) - 1, on_epoch)
    model.set_weights(loop.best_weights)
    best, seconds = judge(), time.perf_counter() - started
    return FitResult(loop.history, best_epoch(loop.history), best, loop.stopped, seconds, loop.steps)


def _tell(loop: EpochLoop, epoch: int, on_epoch: EpochCallback | None) -> None:
    if on_epoch is not None and on_epoch(epoch, loop.history[epoch]):
        loop.stopped = "pruned"
