"""Tells the store of a sweep what is searched, and how far the search is."""

import json

from captcha_exp.config import Direction
from captcha_exp.config.sweep_order import CONSTRAINTS_TAG, OBJECTIVE_TAG
from captcha_exp.foreign_text import markdown, markdown_code
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.live_view import best_trials, shown_value, shown_values
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.study import OpenStudy
from captcha_exp.sweep.sweep_store import SweepRecord
from captcha_exp.sweep.sweep_tables import counts, train_command
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.unread import told_unread


def introduce(plan: SweepPlan, opened: OpenStudy, record: SweepRecord) -> None:
    """Describe the search in the record, so that users can look at a running sweep."""
    objective, keys = plan.config.sweep.objectives[0], [parameter.key for parameter in plan.space.parameters]
    maximize = objective.direction is Direction.maximize
    view = record.offer_view(plan.name, objective.metric, keys, maximize=maximize)
    limits = json.dumps(plan.config.sweep.constraints or {})
    ordered_by = f"{objective.direction.name} {objective.metric}"
    record.log_summary(tags={OBJECTIVE_TAG: ordered_by, CONSTRAINTS_TAG: limits})
    record.describe(description(plan, opened.tally(), view))


def description(plan: SweepPlan, tally: Tally, view: str) -> str:
    """The sweep in Markdown: its question, its progress, its best trial, and where to read more."""
    sweep = plan.config.sweep
    lines = [f"**{markdown(sweep.question)}**"] if sweep.question else []
    ended = f"{len(tally.ended)} of {plan.n_trials} trials ended: {counts(tally)}."
    best = best_trials(tally, sweep.objectives)
    unread = told_unread(tally, sweep.objectives)
    if unread is not None:
        lines.append(f"{markdown(unread)}.")
    elif best:
        values = " ".join(f"{key}={shown_value(value)}" for key, value in best[0].params.items())
        reached = shown_values(best[0], sweep.objectives)
        metrics = ", ".join(objective.metric for objective in sweep.objectives)
        lines.append(
            f"Best: {trial_name(best[0].number)}, {markdown(metrics)} {markdown(reached)}: {markdown_code(values)}"
        )
        lines.append(f"Train it again: {markdown_code(train_command(plan.folder))}")
    return "\n\n".join([*lines, ended, f"[Compare the trials]({view.removeprefix('/')})"])
