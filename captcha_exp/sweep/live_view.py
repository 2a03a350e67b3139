"""What a sweep shows while it runs: a live table in a terminal, plain lines elsewhere."""

import math
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, RenderableType
from rich.live import Live

from captcha_exp.config import ObjectiveConfig
from captcha_exp.sweep.attributes import of_type
from captcha_exp.sweep.live_table import last_ended, live_table, short_names, tell
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.repeats import deviation, trial_values, values_of_repeats
from captcha_exp.sweep.storage import LOSS, PROCESS
from captcha_exp.sweep.tally import Tally, TrialOutcome, has_paused, progress, seconds_run
from captcha_exp.sweep.time_left import planned_epochs, seconds_left

_SILENCE_S = 60  # without a terminal, the longest time between two lines


class View:
    """Shows a tally whenever it is given a new one."""

    def __init__(self, plan: SweepPlan, console: Console, now: Callable[[], datetime] = datetime.now) -> None:
        self._plan, self._console, self._now = plan, console, now
        self._live = Live(console=console, refresh_per_second=2, transient=True) if console.is_terminal else None
        self._seen: dict[int, TrialOutcome] | None = None
        self._spoke = now()
        self._tally = Tally([])

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Print one line above the live table."""
        self._spoke = self._now()
        tell(self._console, line)

    def update(self, tally: Tally) -> None:
        """Show what changed since the last call."""
        self._tally = tally
        # A running trial that no process has taken yet does not have all its parameters.
        shown = [t for t in tally.trials if t.state is not TrialState.RUNNING or PROCESS in t.user_attrs]
        outcomes = {t.number: tally.outcome(t) for t in shown}
        first, before = self._seen is None, self._seen or {}
        self._seen = outcomes
        if self._live is not None:
            self._live.update(self._table(tally))
        for trial in shown:
            outcome = outcomes[trial.number]
            # The first line sums up what earlier starts did, so do not print those trials one by one.
            new = before.get(trial.number) is not outcome and not (first and outcome is not TrialOutcome.running)
            # At the end, all paused trials are given up. That is no news of each of them.
            new = new and not (outcome is TrialOutcome.pruned and has_paused(trial))
            # The live table shows the rest.
            if new and (self._live is None or outcome is TrialOutcome.failed):
                self._tell(trial, tally)
        if self._live is None and (self._now() - self._spoke).total_seconds() > _SILENCE_S:
            running = [f"trial {t.number} {' '.join(self._at(t))}".rstrip() for t in tally.running]
            self.say("; ".join([self.summary(tally), *running]))

    def _at(self, trial: FrozenTrial) -> tuple[str, str]:
        """The current epoch and value of a running trial."""
        at = progress(trial)
        if at is None:
            return "starting", ""
        epochs = planned_epochs(trial, self._plan.config)
        shown = str(at[0] + 1) if epochs is None else f"{at[0] + 1}/{epochs}"
        return shown, f"{at[1]:.4f}" if at[1] is not None else ""

    def _tell(self, trial: FrozenTrial, tally: Tally) -> None:
        outcome = tally.outcome(trial)
        if outcome is TrialOutcome.waiting:
            return
        begins = "goes on" if has_paused(trial) else "started"
        line = f"trial {trial.number} {begins if outcome is TrialOutcome.running else outcome.name}"
        if outcome is TrialOutcome.running:
            line += f": {_params(trial)}"
        elif outcome is TrialOutcome.paused:
            line += f" after epoch {' with '.join(filter(None, self._at(trial)))}"
        elif tally.reason(trial) is not None:
            line += f": {tally.reason(trial)}"
        elif trial.values is not None:
            line += f": {shown_values(trial, self._plan.config.sweep.objectives)}"
        if outcome not in (TrialOutcome.running, TrialOutcome.lost):
            line += f" ({self.summary(tally)})"
        self.say(line)

    @property
    def told(self) -> str:
        """How far the sweep was at the last update."""
        return self.summary(self._tally)

    def summary(self, tally: Tally) -> str:
        """How far the sweep is, in one line."""
        parts = [f"{len(tally.ended)} of {self._plan.n_trials} trials ended"]
        for outcome in (TrialOutcome.infeasible, TrialOutcome.pruned, TrialOutcome.failed, TrialOutcome.paused):
            if tally.of(outcome):
                parts.append(f"{len(tally.of(outcome))} {outcome.name}")
        objectives = self._plan.config.sweep.objectives
        best = best_trials(tally, objectives)
        if best and len(objectives) == 1:
            parts.append(f"best {best[0].values[0]:.4f} in trial {best[0].number}")
        left = seconds_left(tally, self._plan.config, self._plan.n_trials, self._now())
        if left is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)

    def _table(self, tally: Tally) -> RenderableType:
        objectives = self._plan.config.sweep.objectives
        running = [
            [str(t.number), *self._at(t), duration(seconds_run(t, self._now())), self._short(t)] for t in tally.running
        ]
        ended = [
            [
                str(trial.number),
                tally.outcome(trial).name,
                shown_values(trial, objectives),
                duration(seconds_run(trial)),
                tally.reason(trial) or self._short(trial),
            ]
            for trial in last_ended(tally)
        ]
        share = (len(tally.ended), self._plan.n_trials)
        return live_table(f"sweep {self._plan.name}", self.summary(tally), share, running, ended)

    def _short(self, trial: FrozenTrial) -> str:
        names = short_names([parameter.key for parameter in self._plan.space.parameters])
        return " ".join(f"{names.get(key, key)}={shown_value(value)}" for key, value in trial.params.items())


def best_trials(tally: Tally, objectives: list[ObjectiveConfig]) -> list[FrozenTrial]:
    """Finished trials, the best first by the first objective's `rank`."""
    finished = [t for t in tally.of(TrialOutcome.finished) if not math.isnan(t.values[0])]
    losses = {t.number: of_type(float, t.user_attrs.get(LOSS)) for t in finished}
    return sorted(finished, key=lambda t: objectives[0].rank(t.values[0], losses[t.number], t.number))


def best_so_far(tally: Tally, objective: ObjectiveConfig) -> FrozenTrial | None:
    """The paused trial with the best value at any of its epochs; None if no trial is paused."""
    seen = {t.number: [v for v in t.intermediate_values.values() if not math.isnan(v)] for t in tally.trials}
    paused = [trial for trial in tally.of(TrialOutcome.paused) if seen[trial.number]]
    ranks = {t.number: min(objective.rank(value, None, t.number) for value in seen[t.number]) for t in paused}
    return min(paused, key=lambda trial: ranks[trial.number], default=None)


def shown_values(trial: FrozenTrial, objectives: list[ObjectiveConfig]) -> str:
    """Objective values; with their names if there are several, and with what they are means of."""
    values, repeats = trial_values(trial), told_repeats(trial, objectives[0])
    if len(objectives) == 1:
        return ", ".join(f"{value:.4f}" for value in values) + repeats
    # A pruned trial has one value, however many objectives there are.
    return ", ".join(f"{o.metric} {value:.6g}" for o, value in zip(objectives, values, strict=False)) + repeats


def told_repeats(trial: FrozenTrial, objective: ObjectiveConfig) -> str:
    """How the repeats of a trial scatter; empty if there are not two of them."""
    std, values = deviation(trial), values_of_repeats(trial, objective.metric)
    return "" if std is None else f" ± {std:.4f} over {len(values)} repeats"


def shown_value(value: object) -> str:
    """A parameter's value, short."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _params(trial: FrozenTrial) -> str:
    return " ".join(f"{key}={shown_value(value)}" for key, value in trial.params.items())


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole >= 600 else f"{whole // 60} min {whole % 60} s"
