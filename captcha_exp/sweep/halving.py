"""Asynchronous successive halving: trials pause after a few epochs, and only the best of them go on."""

import math

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial

from captcha_exp.config import ObjectiveConfig
from captcha_exp.sweep.attributes import of_type
from captcha_exp.sweep.paused_trials import is_paused
from captcha_exp.sweep.storage import LOSSES
from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run


class PausingHalving(BasePruner):
    """Says when a trial pauses, and which paused trial goes on.

    A rung ends after `shortest` epochs, the next after `reduction` times as many, and so on. At the end of a rung a
    trial goes on if it is among the best 1/`reduction` of all trials that have come so far. If it is not, it pauses,
    and goes on later if it belongs to them then. Nothing waits for a rung to be full, so workers are never idle while
    trials are left to begin.

    Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2.
    """

    def __init__(
        self,
        objective: ObjectiveConfig,
        *,
        shortest: int,
        reduction: int,
        epochs: int,
        n_trials: int | None = None,
        finalists: int = 1,
    ) -> None:
        """Args:
        objective: what is better at the end of a rung, by its `rank`.
        shortest: epochs of the first rung.
        reduction: how many times longer each rung is than the one before, and of how many trials one goes on.
        epochs: the most epochs that a trial can have; no rung ends there.
        n_trials: how many trials will begin; None if there is no limit.
        finalists: how many trials of each rung go on at least once all have begun.
        """
        self._objective, self._reduction, self._epochs = objective, reduction, epochs
        self._n_trials, self._finalists = n_trials, finalists
        self._ends: list[int] = []
        while shortest < epochs:
            self._ends.append(shortest)
            shortest *= reduction

    def ends_at(self, epochs: int) -> bool:
        """Whether a rung ends after so many epochs."""
        return epochs in self._ends

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether `trial`, which has just reported an epoch, pauses."""
        done = epochs_run(trial)
        if not self.ends_at(done):
            return False
        tally = Tally(study.get_trials(deepcopy=False))
        return trial.number not in [other.number for other in self._best(tally, done, last=self._have_begun(tally))]

    def next(self, tally: Tally, *, last: bool = False) -> FrozenTrial | None:
        """The paused trial that goes on now, the one that came farthest first; None if there is none.

        Args:
            tally: all trials of the study.
            last: no new trial will begin, although there are fewer than `n_trials`.
        """
        last = last or self._have_begun(tally)
        for end in reversed(self._ends):
            for trial in self._best(tally, end, last=last):
                if is_paused(trial) and epochs_run(trial) == end:
                    return trial
        return None

    def epochs_of(self, n_trials: int) -> int:
        """How many epochs a search of `n_trials` runs, if each rung lets as many go on as it should."""
        last = self._epochs
        lengths = [end - begin for begin, end in zip([0, *self._ends], [*self._ends, last], strict=True)]
        least = min(n_trials, self._finalists)
        return sum(max(least, n_trials // self._reduction**rung) * length for rung, length in enumerate(lengths))

    def epochs_to_pause(self, done: int) -> int:
        """How many epochs a trial that has `done` so many runs at least until it pauses or ends."""
        return next((end for end in [*self._ends, self._epochs] if end > done), done) - done

    def _have_begun(self, tally: Tally) -> bool:
        queued = tally.of(TrialOutcome.lost, TrialOutcome.waiting)
        return self._n_trials is not None and len(tally.trials) - len(queued) >= self._n_trials

    def _best(self, tally: Tally, end: int, *, last: bool) -> list[FrozenTrial]:
        """The trials that may go beyond the end of a rung."""
        reached = self._reached(tally, end)
        return reached[: max(last * self._finalists, len(reached) // self._reduction)]

    def _reached(self, tally: Tally, end: int) -> list[FrozenTrial]:
        """The trials that have come to the end of a rung, the best first."""
        gone = (TrialOutcome.lost, TrialOutcome.failed)
        reached = [t for t in tally.trials if epochs_run(t) >= end and tally.outcome(t) not in gone]
        return sorted((t for t in reached if t.intermediate_values), key=lambda trial: self._rank(trial, end))

    def _rank(self, trial: FrozenTrial, end: int) -> tuple[float, float, int]:
        # A trial that was retried goes on from its checkpoint, so it may lack the epochs before it.
        seen = [value for epoch, value in trial.intermediate_values.items() if epoch < end]
        losses = of_type(dict, trial.user_attrs.get(LOSSES)) or {}
        loss = of_type(float, losses.get(str(end)))
        known = [value for value in seen or trial.intermediate_values.values() if not math.isnan(value)]
        ranks = [self._objective.rank(value, loss, trial.number) for value in known]
        return min(ranks, default=(math.inf, math.inf, trial.number))
