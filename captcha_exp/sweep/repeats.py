"""The repeats of a trial: trainings of one configuration whose mean is its value."""

import math
import statistics
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.config import Config, PrunerKind, RepeatOver, SweepConfig
from captcha_exp.errors import InputError
from captcha_exp.interruption import uninterrupted
from captcha_exp.sweep.attributes import of_type
from captcha_exp.sweep.lost_trials import telling_given_up
from captcha_exp.sweep.storage import MEAN, PROGRESS, REPEATS, STD

_OF_EPOCHS = (PrunerKind.asha, PrunerKind.median, PrunerKind.hyperband)
_ENOUGH = 5  # four repeats that are all worse have p = 1/16, three have 1/8; the pruner's own threshold is 0.1


def check_repeats(config: Config) -> None:
    """Refuse a pruner or a number of folds that does not fit `sweep.repeats`.

    Raises:
        InputError: naming the keys, and what to type.
    """
    sweep, kind = config.sweep, config.sweep.pruner.kind
    if sweep.repeats > 1 and kind in _OF_EPOCHS:
        raise InputError(
            f"sweep.repeats={sweep.repeats} judges a trial by whole trainings, but sweep.pruner.kind={kind} stops it "
            "within one; add `sweep.pruner.kind=wilcoxon`, which stops it between them, or `sweep.pruner.kind=none`."
        )
    if sweep.repeats == 1 and kind == PrunerKind.wilcoxon:
        raise InputError(
            "sweep.pruner.kind=wilcoxon compares the repeats of trials, but sweep.repeats=1; set more, e.g. "
            f"`sweep.repeats={_ENOUGH}`, or another kind."
        )
    if sweep.repeat_over is RepeatOver.folds:
        _check_folds(config)


def _check_folds(config: Config) -> None:
    repeats, folds = config.sweep.repeats, config.dataset.validation_folds - config.dataset.validation_fold
    if repeats > folds:
        why = (
            "dataset.given_splits=true gives one validation split"
            if config.dataset.given_splits
            else f"dataset.validation_fraction={config.dataset.validation_fraction:g} gives {folds} from "
            f"dataset.validation_fold={config.dataset.validation_fold} on"
        )
        raise InputError(f"sweep.repeats={repeats} with sweep.repeat_over=folds needs as many folds, but {why}.")


def told_too_few(config: Config) -> str | None:
    """Say that the pruner can stop no trial; None if it can."""
    sweep = config.sweep
    if sweep.pruner.kind != PrunerKind.wilcoxon or not sweep.prunes or sweep.repeats >= _ENOUGH or sweep.pruner.options:
        return None
    return (
        f"no trial is stopped between its repeats: sweep.pruner.kind=wilcoxon is sure after four at the earliest, "
        f"and sweep.repeats={sweep.repeats}"
    )


def is_repeated(trial: FrozenTrial) -> bool:
    """Whether a repeat of `trial` has ended. Then its steps are repeats, and no epochs."""
    return REPEATS in trial.user_attrs


def values_of_repeats(trial: FrozenTrial, metric: str) -> list[float]:
    """A metric in each repeat that ended, without those that do not have it."""
    noted = of_type(list, trial.user_attrs.get(REPEATS)) or []
    return [repeat["metrics"][metric] for repeat in noted if metric in repeat["metrics"]]


def trial_values(trial: FrozenTrial) -> list[float]:
    """The values to show. For a trial that was stopped between its repeats, Optuna keeps the value of the last one."""
    mean = of_type(float, trial.user_attrs.get(MEAN))
    if trial.state is TrialState.PRUNED and mean is not None:
        return [mean]
    return list(trial.values or [])


def deviation(trial: FrozenTrial) -> float | None:
    """The standard deviation of the first objective over the repeats; None without two of them."""
    return of_type(float, trial.user_attrs.get(STD))


class TrialRepeats:
    """The repeats of a trial, for the process that trains them.

    Attributes:
        count: how many there will be.
        done: run id, metrics, and epochs up to its end, of each repeat that ended, also in a process that died.
    """

    def __init__(self, sweep: SweepConfig, trial: optuna.Trial, done: list[dict[str, Any]]) -> None:
        self.count, self.done = sweep.repeats, done
        self._metric, self._prunes, self._trial = sweep.objectives[0].metric, sweep.prunes, trial
        self._epochs = self._before = int(done[-1]["epochs"]) if done else 0
        for number, repeat in enumerate(done):
            self._report(number, repeat["metrics"])  # to this attempt; an earlier one has ended

    def note_epoch(self, epoch: int) -> None:
        """Tell the study about an epoch, from 0, of the repeat that runs."""
        self._epochs = self._before + epoch + 1
        self._trial.set_user_attr(PROGRESS, self._epochs - 1)

    def keep(self, run_id: str, metrics: Mapping[str, float]) -> bool:
        """Keep the result of the repeat that has ended.

        Returns:
            Whether the trial is surely worse than the best one, so that no more repeats are needed.

        Raises:
            GivenUpError: others gave this trial up.
        """
        self._before = self._epochs
        self.done.append({"run_id": run_id, "metrics": dict(metrics), "epochs": self._before})
        with uninterrupted(), telling_given_up():
            self._trial.set_user_attr(REPEATS, self.done)
            values = [repeat["metrics"].get(self._metric, math.nan) for repeat in self.done]
            if all(map(math.isfinite, values)):
                self._trial.set_user_attr(MEAN, statistics.fmean(values))
                self._trial.set_user_attr(STD, statistics.stdev(values) if len(values) > 1 else None)
            is_worse = self._report(len(self.done) - 1, metrics)
        return is_worse and len(self.done) < self.count

    def _report(self, number: int, metrics: Mapping[str, float]) -> bool:
        if not self._prunes or self._metric not in metrics:
            return False
        self._trial.report(metrics[self._metric], number)
        return self._trial.should_prune()
