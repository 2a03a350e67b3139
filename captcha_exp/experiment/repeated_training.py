"""Trains the configuration of a trial several times, with other seeds or on other folds, and joins the results."""

import logging
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from captcha_exp.config import Config, RepeatOver
from captcha_exp.experiment.trial_handle import Outcome, Repeats, TrialHandle

if TYPE_CHECKING:
    from captcha_exp.tracking import TrackedRun

_log = logging.getLogger(__name__)
_SEEDS_APART = 100  # the members of one training have the seeds that follow its own
# Of these a trial has what all its trainings took.
_SUMMED = ("seconds/", "training/steps")


class _Train(Protocol):
    def __call__(self, config: Config, *, trial: TrialHandle) -> Outcome: ...


@dataclass(frozen=True)
class Repeat:
    """One training of a trial, as a trial of its own below the trial's run."""

    number: int
    parent_run_id: str
    _trial: TrialHandle
    pause: None = None
    repeats: None = None

    @property
    def name(self) -> str:
        return f"repeat-{self.number}"

    @property
    def tags(self) -> dict[str, str]:
        return {"kind": "repeat", "repeat": str(self.number)}

    @property
    def searched(self) -> dict[str, Any]:
        return self._trial.searched

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        return self._trial.report(epoch, metrics)


def first_outcome(trial: TrialHandle | None) -> Outcome | None:
    """The outcome of the first training of a trial, if that has ended in a process that died."""
    if trial is None or trial.repeats is None or not trial.repeats.done:
        return None
    done = trial.repeats.done[0]
    return Outcome("finished", done["metrics"], done["run_id"], None)


def conduct_repeats(
    config: Config, trial: TrialHandle, repeats: Repeats, run: "TrackedRun", first: Outcome, train: _Train
) -> Outcome:
    """Train again until the trial has as many trainings as it should, or is surely worse than others.

    The first training is the trial's own run, with its model. The others are runs below it. In the end the metrics of
    the trial's run are means over all trainings; `repeat/<i>/...` and `std/...` are theirs.

    Args:
        config: the configuration of the first training.
        trial: the trial.
        repeats: its trainings.
        run: the trial's run, which is open.
        first: how the first training ended.
        train: `run_experiment`.
    """
    is_worse = not repeats.done and repeats.keep(first.run_id, first.metrics)
    while len(repeats.done) < repeats.count and not is_worse:
        number = len(repeats.done) + 1
        _log.info("repeat %d of %d", number, repeats.count)
        outcome = train(config_of(config, number), trial=Repeat(number, run.run_id, trial))
        is_worse = repeats.keep(outcome.run_id, outcome.metrics)
    each = [repeat["metrics"] for repeat in repeats.done]
    metrics = means(each)
    run.log_metrics({**metrics, **_apart(each)})
    if not is_worse:
        return Outcome("finished", metrics, run.run_id, None)
    reason = f"stopped after repeat {len(each)}: worse than the best trial"
    run.set_outcome("pruned", reason)
    return Outcome("pruned", metrics, run.run_id, reason)


def config_of(config: Config, number: int) -> Config:
    """The configuration of a training, counted from 1. The first has the seed and the fold that were chosen."""
    if config.sweep.repeat_over is RepeatOver.folds:
        fold = config.dataset.validation_fold + number - 1
        return config.model_copy(update={"dataset": config.dataset.model_copy(update={"validation_fold": fold})})
    seed = config.training.seed + (number - 1) * _SEEDS_APART
    return config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})


def means(each: Sequence[dict[str, float]]) -> dict[str, float]:
    """Each metric that all trainings have: its mean, or for times and steps its sum."""
    names = [name for name in each[0] if all(name in metrics for metrics in each)]
    return {name: _joined(name, [metrics[name] for metrics in each]) for name in names}


def _joined(name: str, values: list[float]) -> float:
    return sum(values) if name.startswith(_SUMMED) else statistics.fmean(values)


def _apart(each: Sequence[dict[str, float]]) -> dict[str, float]:
    """By training, its best metrics; and how far they scatter."""
    best = {
        name: [metrics[name] for metrics in each if name in metrics] for name in each[0] if name.startswith("best/")
    }
    apart = {f"repeat/{at}/{name}": value for name, values in best.items() for at, value in enumerate(values, 1)}
    return apart | {f"std/{name}": statistics.stdev(values) for name, values in best.items() if len(values) > 1}
