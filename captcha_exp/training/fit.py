"""Training a recogniser from the first epoch to the choice of the best."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from captcha_exp.config import Config
from captcha_exp.errors import DivergedError, InputError
from captcha_exp.model import with_probabilities
from captcha_exp.model.evaluator import Evaluation, Evaluator, LabelledImages
from captcha_exp.reader.image import Images, to_input
from captcha_exp.reader.vocabulary import Vocabulary
from captcha_exp.training.batches import epoch_batches, steps_per_epoch
from captcha_exp.training.best_epoch import best_epoch, out_of_patience
from captcha_exp.training.dropout import seed_dropout
from captcha_exp.training.engines import build_engine
from captcha_exp.training.own_augmentation import own_augmentation
from captcha_exp.training.own_metrics import own_metrics
from captcha_exp.training.schedules import learning_rate
from captcha_exp.training.training_state import Checkpoint, load_checkpoint, save_checkpoint

# Called after each epoch with its index and metrics; returning True stops the training.
EpochCallback = Callable[[int, dict[str, float]], bool]


@dataclass(frozen=True)
class FitResult:
    """What a training gave.

    `history` has the metrics of each epoch, in order; `best_epoch` (from 0) is the one whose weights the model now
    has, `best` their evaluation on the validation images, None where there are none. `stopped` is "pruned" where the
    callback ended the training, "patience" where no epoch was better for that long, else None. `fit_seconds` is the
    time of this process, without what a checkpoint brought.
    """

    history: list[dict[str, float]]
    best_epoch: int
    best: Evaluation | None
    stopped: str | None
    fit_seconds: float


def train(
    model: keras.Model,
    learnt: LabelledImages,
    held_out: LabelledImages,
    characters: str,
    config: Config,
    on_epoch: EpochCallback | None = None,
    checkpoint_dir: Path | None = None,
) -> FitResult:
    """Train a model in place, keeping the epoch with the highest validation sequence accuracy.

    Args:
        model: what `build_recogniser` returned; ends with the weights of the best epoch.
        learnt: what the model learns from.
        held_out: what chooses the epoch, never altered; without any the last epoch is kept.
        characters: `characters[i]` is class `i + 1`.
        config: its `training`, `optimizer`, `augmentation` and `decoding` decide.
        on_epoch: called with epoch and metrics after each epoch, and first for those that a checkpoint brings.
        checkpoint_dir: where the state is kept after each epoch; a training that finds one there continues it, and
            ends with exactly the metrics of an uninterrupted one. Null keeps nothing.

    Raises:
        DivergedError: the loss or its gradient was not a finite number, at the step where that happened.
        InputError: no images, labels that do not go with them or with `characters`, or a checkpoint of another backend
            of Keras.
    """
    if not len(learnt.images) or len(learnt.images) != len(learnt.labels):
        raise InputError(f"Training needs a label for each image, not {len(learnt.labels)} for {len(learnt.images)}.")
    started = time.perf_counter()
    evaluator = Evaluator(
        with_probabilities(model), characters, config.decoding.search_width, config.training.batch_size
    )
    extend = own_metrics(config.training.metrics)
    loop = _Loop(model, learnt.images, Vocabulary(characters).encode(learnt.labels), config)
    if checkpoint_dir is not None:
        loop.restore(checkpoint_dir)
    for epoch, metrics in enumerate(loop.history):
        if on_epoch is not None and on_epoch(epoch, metrics):
            loop.stopped = "pruned"
    while not loop.is_over():
        metrics = loop.train_epoch()
        if len(held_out.labels):
            validation = extend(evaluator(held_out.images, held_out.labels))
            metrics |= {f"val/{name}": value for name, value in validation.metrics.items()}
        loop.finish_epoch(metrics)
        if checkpoint_dir is not None:
            loop.save(checkpoint_dir)
        if on_epoch is not None and on_epoch(len(loop.history) - 1, loop.history[-1]):
            loop.stopped = "pruned"
    model.set_weights(loop.best_weights)
    best = extend(evaluator(held_out.images, held_out.labels)) if len(held_out.labels) else None
    return FitResult(loop.history, best_epoch(loop.history), best, loop.stopped, time.perf_counter() - started)


class _Loop:
    """The state that grows from epoch to epoch."""

    def __init__(self, model: keras.Model, images: Images, class_ids: np.ndarray, config: Config) -> None:
        self._model, self._images, self._class_ids, self._config = model, images, class_ids, config
        self._engine = build_engine(model, config.optimizer, config.augmentation)
        self._alter = own_augmentation(config.augmentation, config.training.seed)
        self._steps = steps_per_epoch(len(images), config.training.batch_size)
        self.history: list[dict[str, float]] = []
        self.best_weights: list[np.ndarray] = model.get_weights()
        self.stopped: str | None = None

    def is_over(self) -> bool:
        """Whether no epoch is left to train; says in `stopped` why, where that is earlier than planned."""
        training = self._config.training
        if self.stopped is None and len(self.history) < training.epochs:
            self.stopped = "patience" if out_of_patience(self.history, training.patience) else None
            return self.stopped is not None
        return True

    def train_epoch(self) -> dict[str, float]:
        """Train one epoch, and return its metrics but those of validation."""
        epoch, training = len(self.history), self._config.training
        seed_dropout(self._model, training.seed, epoch)
        started = time.perf_counter()
        losses, rate = [], 0.0
        for step, rows in enumerate(epoch_batches(len(self._images), training.batch_size, training.seed, epoch)):
            count = epoch * self._steps + step
            rate = learning_rate(count, training.epochs * self._steps, self._config.optimizer)
            seed = _step_seed(training.seed, count)
            images = to_input(self._alter(self._images[rows], count))
            loss, norm = self._engine.step(images, self._class_ids[rows], seed, rate)
            _check_finite(f"training loss at epoch {epoch}, step {step}", loss)
            _check_finite(f"norm of the gradient at epoch {epoch}, step {step}", norm)
            losses.append(loss)
        return {
            "train/ctc_loss": float(np.mean(losses)),
            "learning_rate": rate,
            "images_per_second": len(losses) * len(rows) / (time.perf_counter() - started),
        }

    def finish_epoch(self, metrics: dict[str, float]) -> None:
        """Add an epoch's metrics to the history, and keep its weights where it is the best."""
        if "val/ctc_loss" in metrics:
            _check_finite(f"validation loss at epoch {len(self.history)}", metrics["val/ctc_loss"])
        self.history.append(metrics)
        if best_epoch(self.history) == len(self.history) - 1:
            self.best_weights = self._model.get_weights()

    def save(self, folder: Path) -> None:
        weights, engine = self._model.get_weights(), self._engine
        state = Checkpoint(weights, self.best_weights, engine.state(), self.history, engine.name)
        save_checkpoint(folder, state)

    def restore(self, folder: Path) -> None:
        checkpoint = load_checkpoint(folder)
        if checkpoint is None:
            return
        if checkpoint.engine != self._engine.name:
            raise InputError(
                f"An interrupted run like this one was computed by KERAS_BACKEND={checkpoint.engine}, this process "
                f"computes by {self._engine.name}: set that to continue it, or training.resume=false to begin anew."
            )
        self._model.set_weights(checkpoint.weights)
        self._engine.restore(checkpoint.optimizer)
        self.history, self.best_weights = checkpoint.history, checkpoint.best_weights


def _step_seed(seed: int, step: int) -> np.ndarray:
    return np.random.SeedSequence([seed, step]).generate_state(2).view(np.int32)


def _check_finite(what: str, value: float) -> None:
    if not math.isfinite(value):
        raise DivergedError(
            f"The {what} is {value}; lower `optimizer.learning_rate` or set a smaller `optimizer.clip_norm`."
        )
