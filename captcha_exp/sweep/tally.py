"""The progress of a study: which trials ended by themselves, and which must run again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property

from optuna.trial import FrozenTrial, TrialState

from captcha_exp.sweep.attributes import are_numbers, of_type
from captcha_exp.sweep.limits import is_beyond_limits
from captcha_exp.sweep.paused_trials import is_paused
from captcha_exp.sweep.storage import DEATHS, HISTORY, PROGRESS, REASON, SPANS


class TrialOutcome(Enum):
    """What became of a trial.

    An infeasible trial finished, but breaks a constraint. A paused trial may go on. A lost trial does not count:
    another trial continues with its parameters.
    """

    finished = "finished"
    infeasible = "infeasible"
    pruned = "pruned"
    failed = "failed"
    running = "running"
    waiting = "waiting"
    paused = "paused"
    lost = "lost"


_BY_STATE = {
    TrialState.COMPLETE: TrialOutcome.finished,
    TrialState.PRUNED: TrialOutcome.pruned,
    TrialState.RUNNING: TrialOutcome.running,
    TrialState.WAITING: TrialOutcome.waiting,
}

# What counts towards `sweep.n_trials`.
ENDED = (TrialOutcome.finished, TrialOutcome.infeasible, TrialOutcome.pruned, TrialOutcome.failed)


@dataclass(frozen=True)
class Tally:
    """The trials of a study at one moment, in the order of their numbers."""

    trials: Sequence[FrozenTrial]

    @cached_property
    def _retried(self) -> dict[int, int]:
        """The number of each lost trial -> the number of the trial that continues it."""
        histories = ((t.system_attrs.get(HISTORY), t.number) for t in self.trials)
        return {numbers[-1]: number for numbers, number in histories if are_numbers(numbers)}

    @cached_property
    def _outcomes(self) -> dict[int, TrialOutcome]:
        """What became of each trial, by its number."""
        return {trial.number: self._find(trial) for trial in self.trials}

    def is_retried(self, trial: FrozenTrial) -> bool:
        """Whether another trial continues `trial`."""
        return trial.number in self._retried

    def outcome(self, trial: FrozenTrial) -> TrialOutcome:
        """What became of `trial`, one of this tally."""
        return self._outcomes[trial.number]

    def _find(self, trial: FrozenTrial) -> TrialOutcome:
        if trial.state is TrialState.COMPLETE and is_beyond_limits(trial):
            return TrialOutcome.infeasible
        if is_paused(trial):
            return TrialOutcome.paused
        if trial.state is not TrialState.FAIL:
            return _BY_STATE[trial.state]
        return TrialOutcome.lost if self.is_retried(trial) else TrialOutcome.failed

    def reason(self, trial: FrozenTrial) -> str | None:
        """Why `trial` failed, was lost or is infeasible; None for any other."""
        outcome = self.outcome(trial)
        if outcome is TrialOutcome.lost:
            return f"its worker ended; retried as trial {self._retried[trial.number]}"
        if outcome not in (TrialOutcome.failed, TrialOutcome.infeasible):
            return None
        if REASON in trial.user_attrs:
            return str(trial.user_attrs[REASON])
        deaths = (of_type(int, trial.user_attrs.get(DEATHS)) or 0) + 1
        return f"its worker died {deaths} times, perhaps out of memory"

    def of(self, *outcomes: TrialOutcome) -> list[FrozenTrial]:
        """Trials with one of `outcomes`."""
        return [t for t in self.trials if self.outcome(t) in outcomes]

    @property
    def ended(self) -> list[FrozenTrial]:
        """Trials that count towards `sweep.n_trials`."""
        return self.of(*ENDED)

    @property
    def running(self) -> list[FrozenTrial]:
        return self.of(TrialOutcome.running)

    def free_slots(self, n_trials: int) -> int:
        """How many more trials may begin now. A trial that waits to be retried takes one of these slots."""
        return n_trials - len(self.ended) - len(self.running) - len(self.of(TrialOutcome.paused))

    def hopeless(self, limit: int, since: int) -> str | None:
        """The reason for which the first `limit` trials all failed, or None.

        Args:
            limit: `sweep.stop_after_failures`.
            since: the first trial number that counts, so that a sweep can be tried again after a repair.
        """
        ended = self.ended
        recent = [t for t in ended if t.number >= since]
        if len(recent) < limit or any(self.outcome(t) is not TrialOutcome.failed for t in ended):
            return None
        reasons = [str(self.reason(t)) for t in recent]
        # The same failure may name a different epoch or step each time.
        alike = len({re.sub(r"[\d.]+", "#", reason) for reason in reasons}) == 1
        return reasons[0] if alike else None


def progress(trial: FrozenTrial) -> tuple[int, float | None] | None:
    """The last epoch (from 0) that `trial` reported, and the first objective's value there."""
    noted = of_type(int, trial.user_attrs.get(PROGRESS))
    if noted is not None:  # then the steps, if there are any, are repeats
        return noted, None
    return None if trial.last_step is None else (trial.last_step, trial.intermediate_values[trial.last_step])


def epochs_run(trial: FrozenTrial) -> int:
    """How many epochs `trial` has reported."""
    at = progress(trial)
    return 0 if at is None else at[0] + 1


def has_paused(trial: FrozenTrial) -> bool:
    """Whether `trial` has paused at least once."""
    return SPANS in trial.user_attrs


def spans_run(trial: FrozenTrial, now: datetime | None = None) -> list[tuple[datetime, datetime]]:
    """Start and end of each time that `trial` ran; more than one if it paused. If it runs, the last ends `now`.

    Raises:
        ValueError: somebody else has written to the study.
    """
    noted = of_type(list, trial.user_attrs.get(SPANS)) or []
    before = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in noted]
    if is_paused(trial) or (before and trial.state is TrialState.PRUNED):
        return before
    end = trial.datetime_complete or now
    return [*before, (trial.datetime_start, end)] if trial.datetime_start and end else before


def seconds_run(trial: FrozenTrial, now: datetime | None = None) -> float:
    """How long `trial` has run, without the times between; until `now` if it still runs."""
    return sum((end - start).total_seconds() for start, end in spans_run(trial, now))
