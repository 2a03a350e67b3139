"""Which searched keys the result of a sweep depends on."""

import warnings
from dataclasses import dataclass

import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial

from captcha_exp.sweep.tally import Tally, TrialOutcome

_FEWEST = 4
# Of a dozen trials, Optuna's usual tenth would be a single one.
_GOOD_SHARE = 0.3


@dataclass(frozen=True)
class Importance:
    """Shares of the spread that go with each key, summing to 1.

    `trials` were compared after `epoch` epochs, from 1, or at their ends where that is None. `missing` says why there
    are no shares.
    """

    shares: dict[str, float]
    trials: int
    epoch: int | None
    missing: str | None


def measure_importance(tally: Tally, direction: StudyDirection) -> Importance:
    """Compare trials by the first objective.

    Pruned trials have no result, and those that finished are too few and too alike to tell what was bad about the
    others. So where there are pruned ones, all are compared after the last epoch that each of them saw.

    A key counts by how much the best third of the trials differ in it from all.

    Source:
        Watanabe et al. 2023, PED-ANOVA, as Optuna computes it.
    """
    compared, epoch = _compared(tally)
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about conditional keys, which are left out
            evaluator = PedAnovaImportanceEvaluator(target_quantile=_GOOD_SHARE)
            found = optuna.importance.get_param_importances(study, evaluator=evaluator, params=_shared(compared))
    except (ValueError, RuntimeError, ZeroDivisionError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        return Importance({}, len(compared), epoch, first_line)
    return Importance(dict(found), len(compared), epoch, None if found else "the trials share no searched key")


def _compared(tally: Tally) -> tuple[list[tuple[FrozenTrial, float]], int | None]:
    finished, pruned = tally.of(TrialOutcome.finished), tally.of(TrialOutcome.pruned)
    with_curves = [trial for trial in [*finished, *pruned] if trial.intermediate_values]
    if not pruned or not with_curves:
        return [(trial, trial.values[0]) for trial in finished], None
    epoch = min(max(trial.intermediate_values) for trial in with_curves)
    return [
        (trial, trial.intermediate_values[epoch]) for trial in with_curves if epoch in trial.intermediate_values
    ], epoch + 1


def _shared(compared: list[tuple[FrozenTrial, float]]) -> list[str]:
    """Keys that every trial has; a conditional one says nothing about the trials without it."""
    keys = set.intersection(*(set(trial.params) for trial, _ in compared))
    return [key for key in compared[0][0].params if key in keys and len({t.params[key] for t, _ in compared}) > 1]
