"""What a sweep cost, in minutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from captcha_exp.report.sweep_facts import FIT_SECONDS, SweepFacts
from captcha_exp.sweep.study_facts import ReadTrial
from captcha_exp.sweep.tally import TrialOutcome

_MINUTE = 60.0


@dataclass(frozen=True)
class Cost:
    """Minutes of a sweep.

    `busy` is the time in which at least one trial ran, so a pause between two starts does not count. `trials` is the
    sum over all trials, `fit` the part of it that was training, `pruned` the part that went into pruned trials.
    `epochs_saved` counts the epochs that pruned trials did not run.
    """

    busy: float
    trials: float
    fit: float
    pruned: float
    epochs_run: int
    epochs_saved: int


def cost_of(facts: SweepFacts) -> Cost:
    """Add up the trials of a sweep."""
    sweep = facts.sweep
    pruned = sweep.of(TrialOutcome.pruned)
    return Cost(
        busy=busy_minutes(sweep.trials),
        trials=sum(trial.seconds for trial in sweep.trials) / _MINUTE,
        fit=sum(facts.metric_of(trial, FIT_SECONDS) or 0.0 for trial in sweep.trials) / _MINUTE,
        pruned=sum(trial.seconds for trial in pruned) / _MINUTE,
        epochs_run=sum(trial.epochs for trial in sweep.trials),
        epochs_saved=sum(_planned(facts, trial) - trial.epochs for trial in pruned),
    )


def busy_minutes(trials: Iterable[ReadTrial], until: datetime | None = None) -> float:
    """Minutes in which at least one of `trials` ran, up to the moment `until`."""
    spans = sorted(span for trial in trials for span in trial.spans)
    total, reached = 0.0, None
    for started, ended in spans:
        begin = started if reached is None else max(started, reached)
        end = ended if until is None else min(ended, until)
        total += max(0.0, (end - begin).total_seconds())
        reached = ended if reached is None else max(reached, ended)
    return total / _MINUTE


def _planned(facts: SweepFacts, trial: ReadTrial) -> int:
    return int(trial.params["training.epochs"]) if "training.epochs" in trial.params else facts.sweep.epochs
