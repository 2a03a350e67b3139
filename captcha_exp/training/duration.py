"""Tells how long a training lasts: a number of epochs, or minutes."""

import time
from collections.abc import Callable, Mapping
from typing import cast

from captcha_exp.config import TrainingConfig

# To the schedules, a training of some minutes has so many steps.
TICKS = 10_000


class Duration:
    """Says where a training stands, and when it ends."""

    def place(self, step: int) -> tuple[int, int]:
        """Return where the schedules are in step `step` of the training: their step, from 0, and their last plus 1."""
        raise NotImplementedError

    def is_over(self, epochs: int) -> bool:
        """Tell whether the training ends after so many epochs."""
        raise NotImplementedError

    def is_up(self) -> bool:
        """Tell whether the present epoch must end now."""
        return False

    def note_step(self) -> None:
        """Take note that a step was taken."""

    def note_evaluation(self, seconds: float) -> None:
        """Take note of the seconds in which the held-out images were evaluated."""

    def metrics(self) -> dict[str, float]:
        """Return metrics of an epoch that has just ended."""
        return {}

    def state(self) -> dict[str, float]:
        """Return everything that a later `restore` needs."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from a `state`."""


def build_duration(training: TrainingConfig, steps_per_epoch: int) -> Duration:
    """Build what `training.epochs` or `training.minutes` asks for. The minutes begin now."""
    if training.epochs is not None:
        return Epochs(training.epochs, steps_per_epoch)
    return Minutes(cast(float, training.minutes))  # a run without both chooses its epochs


class Epochs(Duration):
    """Ends after some epochs."""

    def __init__(self, epochs: int, steps_per_epoch: int) -> None:
        self._epochs, self._steps = epochs, epochs * steps_per_epoch

    def place(self, step: int) -> tuple[int, int]:
        """See `Duration`."""
        return step, self._steps

    def is_over(self, epochs: int) -> bool:
        """See `Duration`."""
        return epochs >= self._epochs


class Minutes(Duration):
    """Ends after some minutes, which the schedules follow.

    The first step of a process is mostly compilation. What precedes its end counts for the minutes, but not for the
    schedules. The last epoch ends early enough for one more evaluation. How many steps fit into the minutes depends on
    the machine and its other work. Therefore two such trainings do not give the same numbers.
    """

    def __init__(self, minutes: float, now: Callable[[], float] = time.perf_counter) -> None:
        """Begin now. `now` is a clock in seconds."""
        self._budget, self._now, self._started = 60 * minutes, now, now()
        self._earlier, self._start_up, self._evaluation = 0.0, 0.0, 0.0  # seconds
        self._tick, self._has_stepped = 0, False

    def place(self, step: int) -> tuple[int, int]:
        """See `Duration`. The place never goes back."""
        start_up = self._start_up if self._has_stepped else self._start_up + self._here()
        room = self._budget - start_up - self._evaluation
        share = (self._spent() - start_up) / room if room > 0 else 1.0
        self._tick = max(self._tick, min(int(share * TICKS), TICKS - 1))
        return self._tick, TICKS

    def is_over(self, epochs: int) -> bool:
        """See `Duration`. There is always one epoch."""
        return epochs > 0 and self.is_up()

    def is_up(self) -> bool:
        """See `Duration`."""
        return self._spent() + self._evaluation >= self._budget

    def note_step(self) -> None:
        """See `Duration`."""
        if not self._has_stepped:
            self._has_stepped = True
            self._start_up += self._here()

    def note_evaluation(self, seconds: float) -> None:
        """See `Duration`."""
        self._evaluation = seconds

    def metrics(self) -> dict[str, float]:
        """Return the minutes that are spent."""
        return {"minutes": self._spent() / 60}

    def state(self) -> dict[str, float]:
        """See `Duration`."""
        seconds = {"spent": self._spent(), "start_up": self._start_up, "evaluation": self._evaluation}
        return {**seconds, "tick": self._tick}

    def restore(self, state: Mapping[str, float]) -> None:
        """See `Duration`. The time of earlier processes counts."""
        self._earlier, self._start_up = state["spent"], state["start_up"]
        self._evaluation, self._tick = state["evaluation"], int(state["tick"])

    def _here(self) -> float:
        """The seconds of this process."""
        return self._now() - self._started

    def _spent(self) -> float:
        return self._earlier + self._here()
