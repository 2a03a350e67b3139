"""Everything a report tells about one sweep, from its study and its runs."""

from dataclasses import dataclass
from functools import cached_property

from captcha_exp.report.charts.svg_style import shown_metric
from captcha_exp.sweep.study_facts import ReadSweep, ReadTrial
from captcha_exp.sweep.tally import ENDED, TrialOutcome
from captcha_exp.tracking import Store
from captcha_exp.tracking.trial_runs import ReadRun, read_curves, read_run, read_trials

ACCURACY, PARAMETERS, LATENCY = "best/val/sequence_accuracy", "model/parameters", "latency_ms"
FIT_SECONDS = "seconds/fit"
EPOCH_ACCURACY, EPOCH_LOSS = "val/sequence_accuracy", "val/ctc_loss"


@dataclass(frozen=True)
class SweepFacts:
    """A sweep, the runs of its trials by run id, and the curves of its best trials by number and metric."""

    sweep: ReadSweep
    parent: ReadRun | None
    runs: dict[str, ReadRun]
    curves: dict[int, dict[str, dict[int, float]]]

    @property
    def metric(self) -> str:
        """The first objective."""
        return self.sweep.objectives[0].metric

    def run_of(self, trial: ReadTrial) -> ReadRun | None:
        """The run of a trial; None if the store has no such run."""
        return self.runs.get(trial.run_id) if trial.run_id is not None else None

    def metric_of(self, trial: ReadTrial, metric: str) -> float | None:
        """A metric from the trial's run, or an objective from the study; None if it was not measured."""
        run = self.run_of(trial)
        if run is not None and metric in run.metrics:
            return run.metrics[metric]
        objectives = [objective.metric for objective in self.sweep.objectives]
        if trial.outcome is TrialOutcome.finished and metric in objectives:
            return trial.values[objectives.index(metric)]
        return None

    def reason_of(self, trial: ReadTrial) -> str | None:
        """Why a trial did not finish."""
        if trial.outcome is not TrialOutcome.pruned:
            return trial.reason
        if trial.paused and trial.values:
            return self._why_it_paused(trial)
        if trial.repeats:
            return f"stopped after repeat {len(trial.repeats)}, as it is surely worse than the best trial"
        there = self.sweep.median_at(trial.epochs, trial.ended)
        if not trial.values or there is None:
            return f"stopped after epoch {trial.epochs}"
        shown = [shown_metric(self.metric, value) for value in (trial.values[0], there)]
        return f"after epoch {trial.epochs} at {shown[0]}; the median of those that had finished by then was {shown[1]}"

    def _why_it_paused(self, trial: ReadTrial) -> str:
        came = [other for other in self.sweep.trials if other.curve and other.epochs >= trial.epochs]
        further = sum(other.epochs > trial.epochs for other in came)
        value = shown_metric(self.metric, trial.values[0])
        return f"after epoch {trial.epochs} at {value}; {further} of the {len(came)} that came so far went on"

    @cached_property
    def measured(self) -> list[str]:
        """The costs (size, latency) that at least one trial has together with an accuracy."""
        trials = self.sweep.trials
        return [
            metric
            for metric in (PARAMETERS, LATENCY)
            if any(self.metric_of(t, metric) is not None and self.metric_of(t, ACCURACY) is not None for t in trials)
        ]

    @property
    def fingerprints(self) -> set[str]:
        """Fingerprints of the data that the trials saw."""
        tags = (run.tags.get("dataset.fingerprint") for run in self.runs.values())
        return {tag for tag in tags if tag is not None}

    @property
    def state(self) -> str | None:
        """Say how far the sweep is if it has not ended; None if it has."""
        ended = len(self.sweep.of(*ENDED))
        total = f" of {self.sweep.n_trials}" if self.sweep.n_trials is not None else ""
        running = len(self.sweep.of(TrialOutcome.running))
        if self.parent is not None and self.parent.status == "KILLED":
            return f"This sweep was interrupted: {ended}{total} trials ended. The same command goes on with it."
        if running or (self.parent is not None and self.parent.status == "RUNNING"):
            return f"This sweep has not ended: {ended}{total} trials ended so far, {running} running."
        if self.sweep.n_trials is not None and ended < self.sweep.n_trials:
            return f"This sweep did not reach its end: {ended}{total} trials ended."
        return None


def so_far(sweep: ReadSweep, best_curves: int) -> SweepFacts:
    """What a study alone knows of its sweep; the curves are those of the trials that are the best so far."""
    objective = sweep.objectives[0]
    metric = objective.metric.removeprefix("best/")
    ranked = sorted(
        (t for t in sweep.trials if t.curve), key=lambda t: objective.rank(t.curve[max(t.curve)], None, t.number)
    )
    return SweepFacts(sweep, None, {}, {trial.number: {metric: trial.curve} for trial in ranked[:best_curves]})


def gather(sweep: ReadSweep, store: Store, best_curves: int) -> SweepFacts:
    """Read the runs of a sweep.

    Args:
        sweep: the sweep.
        store: where its runs are.
        best_curves: how many of the best trials get their learning curves read.
    """
    parent = read_run(store, sweep.parent_run_id) if sweep.parent_run_id is not None else None
    runs = read_trials(store, parent.run_id) if parent is not None else {}
    curves = {
        trial.number: read_curves(store, trial.run_id, [EPOCH_ACCURACY, EPOCH_LOSS])
        for trial in sweep.best[:best_curves]
        if trial.run_id in runs and trial.run_id is not None
    }
    return SweepFacts(sweep, parent, runs, curves)
