"""The reasons to end a search before its last trial."""

import time

from optuna.trial import FrozenTrial

from captcha_exp.config import Direction, SweepConfig
from captcha_exp.sweep.tally import Tally, TrialOutcome, spans_run


class Ends:
    """Watches a search from its start, or from its latest start."""

    def __init__(self, sweep: SweepConfig) -> None:
        self._sweep, self._began = sweep, time.monotonic()

    def reason(self, tally: Tally) -> str | None:
        """Why the search has ended, or None if it goes on."""
        return self._reached(tally) or self._stands_still(tally) or self._is_late()

    def _reached(self, tally: Tally) -> str | None:
        target = self._sweep.target
        if target is None:
            return None
        for trial in tally.of(TrialOutcome.finished):
            if self._signed(trial) >= self._sign * target:
                return f"trial {trial.number} reached sweep.target={target:g} with {trial.values[0]:.6g}"
        return None

    def _stands_still(self, tally: Tally) -> str | None:
        most = self._sweep.no_improvement_trials
        if most is None:
            return None
        outcomes = (TrialOutcome.finished, TrialOutcome.infeasible, TrialOutcome.pruned, TrialOutcome.paused)
        ended = sorted(tally.of(*outcomes), key=_end)
        finished = [trial for trial in ended if tally.outcome(trial) is TrialOutcome.finished]
        if not finished:
            return None
        best = max(finished, key=self._signed)  # of equal ones the first
        if len(ended) - 1 - ended.index(best) < most:
            return None
        return f"{most} trials in a row were no better than trial {best.number} (sweep.no_improvement_trials)"

    def _is_late(self) -> str | None:
        minutes = self._sweep.minutes
        if minutes is None or time.monotonic() - self._began < 60 * minutes:
            return None
        return f"sweep.minutes={minutes:g} are over"

    @property
    def _sign(self) -> int:
        return 1 if self._sweep.objectives[0].direction is Direction.maximize else -1

    def _signed(self, trial: FrozenTrial) -> float:
        return float(self._sign * trial.values[0])


def _end(trial: FrozenTrial) -> tuple[float, int]:
    spans = spans_run(trial)
    return (spans[-1][1].timestamp() if spans else 0.0, trial.number)
