"""What is asked next, and what becomes of each answer."""

import secrets
from collections import deque
from typing import Any

import numpy as np

from captcha_exp.dataset.samples import label_problem
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import visible
from captcha_exp.label.guesses import Guesses
from captcha_exp.label.image_pool import ImagePool
from captcha_exp.label.label_table import TEST, TRAIN, LabelledFile, LabelTable
from captcha_exp.label.query_strategy import held_out, in_random_order, most_worth
from captcha_exp.label.retraining import Retraining

# So many images are chosen at once, each different from the others.
_BATCH = 32


class LabellingSession:
    """The images of a pool, the table of their labels, and the model between them.

    Images are called by their numbers in the pool. All methods must be called in one thread.
    """

    def __init__(
        self,
        pool: ImagePool,
        table: LabelTable,
        retraining: Retraining,
        test_every: int | None,
        retrain_every: int | None,
    ) -> None:
        self._pool, self._table, self._retraining = pool, table, retraining
        self._test_every, self._retrain_every = test_every, retrain_every
        digests = [image.digest for image in pool.images]
        self._random_order = in_random_order(digests)
        self._held_out = held_out(digests, test_every)
        self._for_test = set(self._held_out)
        numbers = {image.name: number for number, image in enumerate(pool.images)}
        self._labelled = {numbers[row.file] for row in table.rows if row.file in numbers}
        # What can be undone, in order: rows (their image may be gone), and skipped images.
        self._steps: list[tuple[int | None, str]] = [(numbers.get(row.file), "labelled") for row in table.rows]
        self._skipped: set[int] = set()
        self._batch: deque[int] = deque()
        self._batch_of: Guesses | None = None
        self._current: int | None = None
        self._undone: str | None = None
        self._tried_with = self._rows_trained
        # A page of an earlier session has other numbers for the images.
        self.token = secrets.token_urlsafe(16)

    @property
    def images(self) -> int:
        """How many images the pool has."""
        return len(self._pool.images)

    @property
    def counts(self) -> tuple[int, int]:
        """How many rows the table has, and how many of them are test images."""
        rows = self._table.rows
        return len(rows), sum(row.split == TEST for row in rows)

    def path(self, number: int) -> str:
        """Where an image lies."""
        return self._pool.images[number].path

    def state(self) -> dict[str, Any]:
        """Everything that the page shows, as plain values. If labels wait for a training, and none runs, it begins."""
        self._retrain()
        number = self._asked()
        labelled, test = self.counts
        guesses = self._retraining.guesses
        return {
            "token": self.token,
            **({"number": None} if number is None else self._question(number)),
            "labelled": labelled,
            "test": test,
            "skipped": len(self._skipped),
            "left": self.images - len(self._labelled),
            "undo": bool(self._steps),
            "model": "" if guesses is None else guesses.told,
            "training": visible(self._retraining.told),
        }

    def label(self, number: int, text: str) -> None:
        """Write the label of an image down, to the letter.

        Raises:
            InputError: it can be no label, the image has one, or the table cannot be written.
        """
        self._check_open(number)
        problem = label_problem(text) or (label_problem(text.strip()) and "its label is blank")
        if problem is not None:
            raise InputError(f"This is not written: {problem}; type what the image shows, or skip it.")
        split = TEST if number in self._for_test else TRAIN
        self._table.append(LabelledFile(self._pool.images[number].name, text, split))
        self._labelled.add(number)
        self._skipped.discard(number)
        self._steps.append((number, "labelled"))
        self._leave()

    def skip(self, number: int) -> None:
        """Ask for this image no more in this session.

        Raises:
            InputError: the image has a label.
        """
        self._check_open(number)
        self._skipped.add(number)
        self._steps.append((number, "skipped"))
        self._leave()

    def undo(self) -> None:
        """Take back the last label or skip, and ask for its image again.

        Raises:
            InputError: there is nothing to take back, or the table cannot be changed.
        """
        if not self._steps:
            raise InputError("There is nothing to undo.")
        number, step = self._steps[-1]
        self._undone = None
        if step == "labelled":
            self._undone = self._table.remove_last().label
        self._steps.pop()
        if number is not None:
            self._labelled.discard(number)
            self._skipped.discard(number)
            self._current = number

    def begin(self, *, shipped: bool) -> None:
        """Train if enough labels wait for it; otherwise, if there is no model yet, read with the `shipped` one."""
        self._retrain()
        if shipped and not self._retraining.running and self._retraining.guesses is None:
            self._retraining.read_with_shipped_model()

    @property
    def _rows_trained(self) -> int:
        guesses = self._retraining.guesses
        # Rows may have been taken away since.
        return 0 if guesses is None else min(guesses.labels, len(self._table.rows))

    def _question(self, number: int) -> dict[str, Any]:
        guesses, name = self._retraining.guesses, self._pool.images[number].name
        is_test = number in self._for_test
        # Whoever sees the model's guess tends to agree with it, and a test would then flatter the model.
        hidden = guesses is None or is_test
        text, confidence = ("", None) if hidden or guesses is None else guesses.texts.get(name, ("", None))
        if self._undone is not None:
            text, confidence = self._undone, None
        return {
            "number": number,
            "name": visible(name),
            "split": TEST if is_test else TRAIN,
            "guess": text,
            "confidence": confidence,
            "undone": self._undone is not None,
        }

    def _check_open(self, number: int) -> None:
        if not 0 <= number < self.images:
            raise InputError(f"There is no image {number}.")
        if number in self._labelled:
            raise InputError("This image has a label already, perhaps from another tab; reload the page.")

    def _leave(self) -> None:
        self._current = self._undone = None

    def _asked(self) -> int | None:
        """The image that is asked for now; None if none is left."""
        if self._current is None:
            self._current = self._next()
        return self._current

    def _next(self) -> int | None:
        turn = self._test_every is not None and (len(self._table.rows) + 1) % self._test_every == 0
        test = next((number for number in self._held_out if self._is_open(number)), None)
        if turn and test is not None:
            return test
        chosen = self._next_for_training()
        return test if chosen is None else chosen

    def _next_for_training(self) -> int | None:
        if self._batch_of is not self._retraining.guesses:
            self._batch.clear()
        while self._batch and not self._is_open(self._batch[0]):
            self._batch.popleft()
        if not self._batch:
            self._batch.extend(self._most_worth())
        return self._batch.popleft() if self._batch else None

    def _most_worth(self) -> list[int]:
        guesses = self._batch_of = self._retraining.guesses
        candidates = [n for n in self._random_order if n not in self._for_test and self._is_open(n)]
        confidences = None
        if guesses is not None:
            read = (guesses.texts.get(image.name, ("", 0.0))[1] for image in self._pool.images)
            confidences = np.fromiter(read, np.float64, self.images)
        return most_worth(candidates, confidences, self._pool.thumbnails, self._labelled, _BATCH)

    def _is_open(self, number: int) -> bool:
        return number not in self._labelled and number not in self._skipped

    def _retrain(self) -> None:
        rows = len(self._table.rows)
        if self._retrain_every is None or rows - self._tried_with < self._retrain_every or self._retraining.running:
            return
        self._tried_with = rows
        self._retraining.start(rows)
