"""What the page tells about one sweep."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from captcha_exp.foreign_text import identifier
from captcha_exp.report import charts
from captcha_exp.report.answer import answer
from captcha_exp.report.cost import Cost, cost_of
from captcha_exp.report.sweep_facts import ACCURACY, EPOCH_ACCURACY, EPOCH_LOSS, LATENCY, PARAMETERS, SweepFacts
from captcha_exp.report.wrong_reads import WrongReads
from captcha_exp.sweep.live_page import Progress
from captcha_exp.sweep.next_search import next_command
from captcha_exp.sweep.study_facts import ReadTrial
from captcha_exp.sweep.sweep_tables import train_command
from captcha_exp.sweep.tally import TrialOutcome

_BEST_METRICS = {
    ACCURACY: "texts read right",
    "best/val/sequence_accuracy_ignore_case": "texts read right, case ignored",
    "best/val/character_error_rate": "character error rate",
    "best/val/ctc_loss": "CTC loss",
    "best/epoch": "epoch that was kept",
    PARAMETERS: "parameters",
    LATENCY: "milliseconds for one image",
}


@dataclass(frozen=True)
class Row:
    """A trial in the table: texts, in the order of the columns."""

    trial: ReadTrial
    value: str
    spread: str
    params: list[str]
    parameters: str
    minutes: str


@dataclass(frozen=True)
class Section:
    """A sweep as the template needs it. `charts` holds drawings by name, without those that cannot be drawn."""

    facts: SweepFacts
    progress: Progress | None
    value: str
    answer: list[str]
    counts: list[tuple[str, int]]
    best_metrics: list[tuple[str, str]]
    train_command: str | None
    charts: dict[str, Markup]
    reads: WrongReads | None
    reasons: list[tuple[str, str, str]]
    cost: Cost
    rows: list[Row]
    ui_hint: str | None
    next_command: str | None

    @property
    def name(self) -> str:
        return self.facts.sweep.name

    @property
    def open_rows(self) -> list[Row]:
        """Trials that run, wait or are paused, the best so far first."""
        outcomes = (TrialOutcome.running, TrialOutcome.paused, TrialOutcome.waiting)
        rank = self.facts.sweep.objectives[0].rank
        rows = [row for row in self.rows if row.trial.outcome in outcomes]
        return sorted(rows, key=lambda row: _place(row.trial, rank))

    @property
    def is_repeated(self) -> bool:
        """Whether values are means of several trainings."""
        return any(row.trial.repeats for row in self.rows)

    @property
    def anchor(self) -> str:
        """The sweep's anchor, for links within the page."""
        return identifier(self.name)

    @property
    def has_conditions(self) -> bool:
        """Whether some trials lack a key that others have."""
        return charts.has_conditions(self.facts)

    @property
    def best_params(self) -> list[tuple[str, str]]:
        """Searched values of the best trial."""
        best = self.facts.sweep.best
        return [(key, charts.short(value)) for key, value in best[0].params.items()] if best else []


def describe(facts: SweepFacts, reads: WrongReads | None, ui_hint: str | None, progress: Progress | None) -> Section:
    """Work out everything the page tells about a sweep; the charts' style must be set.

    Args:
        facts: the sweep.
        reads: what its best trial read wrong; None if that is not known.
        ui_hint: one line that says how to look at its run; None if it has none.
        progress: how far it is; None if its runs tell that.
    """
    sweep, best = facts.sweep, facts.sweep.best
    return Section(
        facts=facts,
        progress=progress,
        value=charts.shown_metric(facts.metric, best[0].values[0]) if best else "none",
        answer=answer(facts, reads),
        counts=[(outcome.name, len(found)) for outcome in TrialOutcome if (found := sweep.of(outcome))],
        best_metrics=_best_metrics(facts),
        train_command=train_command(sweep.folder) if (sweep.folder / "best.yaml").is_file() else None,
        charts=_drawn(facts),
        reads=reads,
        reasons=_reasons(facts),
        cost=cost_of(facts),
        rows=[_row(facts, trial) for trial in _ordered(facts)],
        next_command=next_command(sweep.folder),
        ui_hint=ui_hint,
    )


def _drawn(facts: SweepFacts) -> dict[str, Markup]:
    sweep, name = facts.sweep, identifier(facts.sweep.name)
    drawn: dict[str, Markup] = {}
    if any(trial.value is not None for trial in sweep.trials):
        drawn["history"] = charts.history(facts, f"{name}-history")
    if any(trial.values for trial in sweep.trials):
        drawn["parallel_wide"] = charts.parallel_coordinates(facts, f"{name}-parallel", upright=True)
        drawn["parallel_tall"] = charts.parallel_coordinates(facts, f"{name}-parallel-tall", upright=False)
    if sweep.importance.shares:
        drawn["importance"] = charts.importance(facts, f"{name}-importance")
    for metric in facts.measured:
        key = metric.rpartition("/")[2]
        drawn[key] = charts.tradeoff(facts, metric, f"{name}-{key}")
    known = {metric for curves in facts.curves.values() for metric in curves}
    if EPOCH_ACCURACY in known:
        drawn["accuracy"] = charts.accuracy_curves(facts, f"{name}-accuracy")
    if EPOCH_LOSS in known:
        drawn["loss"] = charts.loss_curves(facts, f"{name}-loss")
    return drawn


def _best_metrics(facts: SweepFacts) -> list[tuple[str, str]]:
    if not facts.sweep.best:
        return []
    found = ((name, metric, facts.metric_of(facts.sweep.best[0], metric)) for metric, name in _BEST_METRICS.items())
    return [(name, charts.shown_metric(metric, value)) for name, metric, value in found if value is not None]


def _reasons(facts: SweepFacts) -> list[tuple[str, str, str]]:
    """Name, outcome and reason of each trial that did not finish."""
    unfinished = facts.sweep.of(TrialOutcome.infeasible, TrialOutcome.pruned, TrialOutcome.failed, TrialOutcome.lost)
    return [(trial.name, trial.outcome.name, facts.reason_of(trial) or "") for trial in unfinished]


def _ordered(facts: SweepFacts) -> list[ReadTrial]:
    """The best first, then the others by their numbers."""
    ranked = {trial.number: rank for rank, trial in enumerate(facts.sweep.best)}
    return sorted(facts.sweep.trials, key=lambda t: (ranked.get(t.number, len(ranked)), t.number))


def _place(trial: ReadTrial, rank: Callable[..., Any]) -> tuple[bool, Any]:
    return trial.value is None, rank(trial.value or 0.0, None, trial.number)


def _row(facts: SweepFacts, trial: ReadTrial) -> Row:
    size = facts.metric_of(trial, PARAMETERS)
    return Row(
        trial=trial,
        value=charts.shown_metric(facts.metric, trial.value) if trial.value is not None else "",
        spread=_spread(facts, trial),
        params=[charts.short(trial.params[p.key]) if p.key in trial.params else "-" for p in facts.sweep.parameters],
        parameters=f"{size:,.0f}" if size is not None else "",
        minutes=f"{trial.seconds / 60:.1f}" if trial.seconds else "",
    )


def _spread(facts: SweepFacts, trial: ReadTrial) -> str:
    """The standard deviation and the value of each repeat."""
    each = " ".join(charts.shown_metric(facts.metric, value) for value in trial.repeats)
    return each if trial.std is None else f"± {charts.shown_metric(facts.metric, trial.std)}: {each}"
