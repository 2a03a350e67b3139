"""Trains epoch after epoch, and keeps what grows with them."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from captcha_exp.config import Config
from captcha_exp.errors import DivergedError, InputError
from captcha_exp.model.evaluator import LabelledImages
from captcha_exp.reader.image import to_input
from captcha_exp.reader.vocabulary import Vocabulary
from captcha_exp.training.batches import epoch_batches, steps_per_epoch
from captcha_exp.training.best_epoch import best_epoch, out_of_patience
from captcha_exp.training.dropout import seed_dropout
from captcha_exp.training.duration import build_duration
from captcha_exp.training.engines import build_engine
from captcha_exp.training.own_augmentation import own_augmentation
from captcha_exp.training.schedules import learning_rate
from captcha_exp.training.training_state import Checkpoint, load_checkpoint, save_checkpoint
from captcha_exp.training.validation import Judge


class EpochLoop:
    """A training that stands between two epochs.

    Attributes:
        history: metrics of each epoch so far.
        best_weights: what `keras.Model.get_weights` returned at the best epoch so far. These may be averages.
        stopped: why the training ended before its last epoch, else None.
    """

    def __init__(
        self,
        model: keras.Model,
        learnt: LabelledImages,
        judge: Judge,
        characters: str,
        config: Config,
        teacher: keras.Model | None,
    ) -> None:
        """Stand before the first epoch. See `train` for the arguments; `judge` evaluates the model."""
        self._model, self._images, self._judge, self._config = model, learnt.images, judge, config
        self._class_ids = Vocabulary(characters).encode(learnt.labels)
        self._engine = build_engine(model, config.optimizer, config.augmentation, config.training, teacher)
        self._alter = own_augmentation(config.augmentation, config.training.seed)
        self._steps_per_epoch = steps_per_epoch(len(learnt.images), config.training.batch_size)
        self._duration = build_duration(config.training, self._steps_per_epoch)
        self.history: list[dict[str, float]] = []
        self.best_weights: list[np.ndarray] = model.get_weights()
        self.stopped: str | None = None

    @property
    def steps(self) -> int:
        """How many steps the epochs so far took."""
        return len(self.history) * self._steps_per_epoch

    def is_over(self) -> bool:
        """Tell whether no epoch is left to train. `stopped` then says why, if epochs were planned."""
        if self.stopped is not None or self._duration.is_over(len(self.history)):
            return True
        if out_of_patience(self.history, self._config.training.patience):
            self.stopped = "patience"
        return self.stopped is not None

    def next_epoch(self) -> None:
        """Train and judge one epoch, and keep its weights if it is the best."""
        metrics = self._train()
        with self._averaged():
            self.history.append(metrics | self._validate())
            if best_epoch(self.history) == len(self.history) - 1:
                self.best_weights = self._model.get_weights()

    def save(self, folder: Path) -> None:
        """Write the state into a folder."""
        weights, engine = self._model.get_weights(), self._engine
        clock = self._duration.state()
        save_checkpoint(
            folder, Checkpoint(weights, self.best_weights, engine.state(), self.history, engine.name, clock)
        )

    def restore(self, folder: Path) -> None:
        """Take up the state in a folder, if there is one.

        Raises:
            InputError: another backend of Keras computed it.
        """
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
        self._duration.restore(checkpoint.duration)
        self.history, self.best_weights = checkpoint.history, checkpoint.best_weights

    def _train(self) -> dict[str, float]:
        """Train one epoch, and return its metrics without those of validation."""
        epoch, training = len(self.history), self._config.training
        seed_dropout(self._model, training.seed, epoch)
        started = time.perf_counter()
        losses, rate = [], 0.0
        for step, rows in enumerate(epoch_batches(len(self._images), training.batch_size, training.seed, epoch)):
            count = epoch * self._steps_per_epoch + step
            rate = learning_rate(*self._duration.place(count), self._config.optimizer)
            loss, norm = self._step(rows, count, rate)
            self._duration.note_step()
            _check_finite(f"training loss at epoch {epoch}, step {step}", loss)
            _check_finite(f"norm of the gradient at epoch {epoch}, step {step}", norm)
            losses.append(loss)
            if self._duration.is_up():
                break
        return {
            "train/ctc_loss": float(np.mean(losses)),
            "learning_rate": rate,
            "images_per_second": len(losses) * len(rows) / (time.perf_counter() - started),
        }

    def _step(self, rows: np.ndarray, count: int, rate: float) -> tuple[float, float]:
        """Learn from the images `rows` in step `count` of the training. Return loss and norm of the gradient."""
        images, class_ids = self._images[rows], self._class_ids[rows]
        if self._is_unaltered(count):
            return self._engine.step(to_input(images), class_ids, None, rate)
        seed = _step_seed(self._config.training.seed, count)
        return self._engine.step(to_input(self._alter(images, count)), class_ids, seed, rate)

    def _is_unaltered(self, count: int) -> bool:
        """Whether step `count` belongs to the last part, which learns from images as they are."""
        augmentation, (step, steps) = self._config.augmentation, self._duration.place(count)
        if augmentation.function is None and not any(augmentation.bounds):
            return False  # nothing is altered anyway, and a step without alterations would be compiled for nothing
        return steps - step <= self._config.training.unaltered_share * steps

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Give the model its averaged weights, if the configuration asks for them, and take them away afterwards."""
        averages, trained = self._engine.averaged_weights(), self._model.get_weights()
        if averages is not None:
            self._model.set_weights(averages)
        try:
            yield
        finally:
            if averages is not None:
                self._model.set_weights(trained)

    def _validate(self) -> dict[str, float]:
        started = time.perf_counter()
        evaluation = self._judge()
        self._duration.note_evaluation(time.perf_counter() - started)
        if evaluation is None:
            return self._duration.metrics()
        _check_finite(f"validation loss at epoch {len(self.history)}", evaluation.metrics["ctc_loss"])
        validation = {f"val/{name}": value for name, value in evaluation.metrics.items()}
        return validation | self._duration.metrics()


def _step_seed(seed: int, step: int) -> np.ndarray:
    return np.random.SeedSequence([seed, step]).generate_state(2).view(np.int32)


def _check_finite(what: str, value: float) -> None:
    if not math.isfinite(value):
        raise DivergedError(
            f"The {what} is {value}; lower `optimizer.learning_rate` or set a smaller `optimizer.clip_norm`."
        )
