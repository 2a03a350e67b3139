"""Measure how much the result of a sweep depends on each searched key."""

import math
import warnings
from dataclasses import dataclass

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial

from captcha_exp.errors import first_line
from captcha_exp.sweep.repeats import is_repeated, trial_values
from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run, has_paused

_FEWEST, _FEWEST_TO_NAME = 4, 10
# The shares of trials that count as good. Optuna's default, a tenth, would be a single trial of a dozen.
_GOOD_SHARES = (0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class Share:
    """A key's share of the difference between trials: mean and bounds over the values of `_GOOD_SHARES`."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Importance:
    """Each key's share of the difference between trials, the largest first.

    `trials` trials were compared after `epoch` epochs, or at their ends if it is None. `paused`: by how far they came
    before they paused for good. `missing` says why there are no shares.
    """

    shares: dict[str, Share]
    trials: int
    epoch: int | None
    missing: str | None
    paused: bool = False

    @property
    def foremost(self) -> str | None:
        """The key with the largest share for every definition of good; None if there is none, or too few trials."""
        keys = list(self.shares)
        if not keys or self.trials < _FEWEST_TO_NAME:
            return None
        return keys[0] if all(self.shares[keys[0]].low > self.shares[key].high for key in keys[1:]) else None


def measure_importance(tally: Tally, direction: StudyDirection) -> Importance:
    """Compare trials by the first objective.

    Pruned trials have no final result. The finished trials alone are too few and too similar to show what was bad
    about the others. So if some trials were pruned, all are compared after the last epoch that all of them reached.
    If trials paused, one that went on is better than one that did not, and equally far ones are compared by their
    values there.

    The share of a key says how much the good trials (the best fifth to half) differ from all trials in that key.

    Source:
        Watanabe et al. 2023, PED-ANOVA, as Optuna computes it.
    """
    paused = any(map(has_paused, tally.of(TrialOutcome.pruned)))
    compared, epoch = (_by_distance(tally, direction), None) if paused else _compared(tally)
    values = {value for _, value in compared}
    if len(compared) < _FEWEST:
        missing = f"it takes {_FEWEST} trials that can be compared, and there are {len(compared)}"
        return Importance({}, len(compared), epoch, missing)
    if len(values) == 1:
        return Importance({}, len(compared), epoch, "all trials reached the same value")
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(0))
    for trial, value in compared:
        study.add_trial(create_trial(value=value, params=trial.params, distributions=trial.distributions))
    try:
        found = [_shares(study, good_share, _shared(compared)) for good_share in _GOOD_SHARES]
    except (ValueError, RuntimeError, ZeroDivisionError) as error:
        return Importance({}, len(compared), epoch, first_line(error).rstrip("."))
    ranges = {key: Share(*_range([shares[key] for shares in found])) for key in found[0]}
    ordered = dict(sorted(ranges.items(), key=lambda item: -item[1].mean))
    return Importance(ordered, len(compared), epoch, None if ordered else "the trials share no searched key", paused)


def _shares(study: optuna.Study, good_share: float, keys: list[str]) -> dict[str, float]:
    # This imports scikit-learn, which takes longer than all other imports of a worker together.
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of conditional keys, which are not measured
        evaluator = PedAnovaImportanceEvaluator(target_quantile=good_share)
        return get_param_importances(study, evaluator=evaluator, params=keys)


def _range(values: list[float]) -> tuple[float, float, float]:
    return sum(values) / len(values), min(values), max(values)


def _by_distance(tally: Tally, direction: StudyDirection) -> list[tuple[FrozenTrial, float]]:
    """Each trial with its rank; only the order matters to PED-ANOVA."""
    sign = 1.0 if direction is StudyDirection.MAXIMIZE else -1.0
    trials = [trial for trial in tally.of(TrialOutcome.finished, TrialOutcome.pruned) if trial.intermediate_values]
    places = {trial.number: (epochs_run(trial), _signed_best(trial, sign)) for trial in trials}
    ranks = {place: sign * rank for rank, place in enumerate(sorted(set(places.values())))}
    return [(trial, ranks[places[trial.number]]) for trial in trials]


def _signed_best(trial: FrozenTrial, sign: float) -> float:
    return max(
        (sign * value for value in trial.intermediate_values.values() if not math.isnan(value)), default=-math.inf
    )


def _compared(tally: Tally) -> tuple[list[tuple[FrozenTrial, float]], int | None]:
    finished, pruned = tally.of(TrialOutcome.finished), tally.of(TrialOutcome.pruned)
    repeated = [trial for trial in [*finished, *pruned] if is_repeated(trial)]
    if repeated:
        return [(trial, trial_values(trial)[0]) for trial in repeated if trial.values], None
    with_curves = [trial for trial in [*finished, *pruned] if trial.intermediate_values]
    if not pruned or not with_curves:
        return [(trial, trial.values[0]) for trial in finished], None
    epoch = min(max(trial.intermediate_values) for trial in with_curves)
    return [
        (trial, trial.intermediate_values[epoch]) for trial in with_curves if epoch in trial.intermediate_values
    ], epoch + 1


def _shared(compared: list[tuple[FrozenTrial, float]]) -> list[str]:
    """Keys that every trial has. A conditional key says nothing about the trials without it."""
    keys = set.intersection(*(set(trial.params) for trial, _ in compared))
    return [key for key in compared[0][0].params if key in keys and len({t.params[key] for t, _ in compared}) > 1]
