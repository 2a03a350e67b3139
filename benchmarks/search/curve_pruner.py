"""Stops trials that will hardly become the best, by what finished trials still gained after the same epoch."""

import math
from dataclasses import dataclass

import numpy as np
from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import t as student


@dataclass(frozen=True)
class Forecast:
    """What a trial is expected to reach, and the most that it will reach with the pruner's confidence."""

    expected: float
    most: float


class CurvePruner(BasePruner):
    """Forecasts a trial's result from its best value so far, and prunes it if even the most it may reach is too little.

    After each epoch, a line is fitted to the finished trials: their results over their best values up to the same
    epoch. The interval in which a new point on this line lies tells what the trial may still reach. If the upper end of
    the interval is below the best result so far, the trial is pruned. With few finished trials, or few alike, the
    interval is wide and prunes little.

    Args:
        confidence: the share of trials that reach no more than the upper end, if the line holds.
        n_startup_trials: the number of finished trials before any trial is pruned, at least 3.
        n_warmup_steps: no trial is pruned in its first epochs, as many as this.
    """

    def __init__(self, confidence: float = 0.9, n_startup_trials: int = 4, n_warmup_steps: int = 1) -> None:
        """See the class."""
        self._confidence, self._fewest, self._warmup = confidence, max(3, n_startup_trials), n_warmup_steps

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """See `optuna.pruners.BasePruner`."""
        forecast, best = self.forecast(study, trial), _best_result(study)
        return forecast is not None and best is not None and forecast.most < best

    def told(self, study: Study, trial: FrozenTrial) -> str | None:
        """The forecast for people, in the values of the objective."""
        forecast, best = self.forecast(study, trial), _best_result(study)
        if forecast is None or best is None:
            return None
        expected, most, best = (_signed(study, value) for value in (forecast.expected, forecast.most, best))
        return f"expected to reach {expected:.4f}, at best {most:.4f}; the best has {best:.4f}"

    def forecast(self, study: Study, trial: FrozenTrial) -> Forecast | None:
        """What the trial will reach; the larger, the better. None: too little is known.

        If smaller values of the objective are better, all values have the other sign.
        """
        step = trial.last_step
        if step is None or step < self._warmup:
            return None
        value = _best_until(study, trial, step)
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        known = [(_best_until(study, other, step), _signed(study, other.values[0])) for other in finished]
        known = [pair for pair in known if all(map(math.isfinite, pair))]
        if len(known) < self._fewest or not math.isfinite(value):
            return None
        return _forecast(np.array(known), value, self._confidence)


def _forecast(known: np.ndarray, value: float, confidence: float) -> Forecast:
    """The interval of a new point on the line through `known` (N, 2), at `value`."""
    x, y = known.T
    spread = float(((x - x.mean()) ** 2).sum())
    slope = max(0.0, float(((x - x.mean()) * (y - y.mean())).sum()) / spread) if spread > 0 else 0.0
    expected = float(y.mean() + slope * (value - x.mean()))
    free = len(x) - 2
    deviation = math.sqrt(float(((y - y.mean() - slope * (x - x.mean())) ** 2).sum()) / free)
    far = (value - x.mean()) ** 2 / spread if spread > 0 else 0.0
    most = expected + float(student.ppf(confidence, free)) * deviation * math.sqrt(1 + 1 / len(x) + far)
    return Forecast(expected, max(most, value))


def _best_result(study: Study) -> float | None:
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max((_signed(study, trial.values[0]) for trial in finished), default=None)


def _best_until(study: Study, trial: FrozenTrial, step: int) -> float:
    """The best value of the steps up to `step`; minus infinity if there is none."""
    values = [value for at, value in trial.intermediate_values.items() if at <= step and not math.isnan(value)]
    return max((_signed(study, value) for value in values), default=-math.inf)


def _signed(study: Study, value: float) -> float:
    return value if study.directions[0] is StudyDirection.MAXIMIZE else -value
