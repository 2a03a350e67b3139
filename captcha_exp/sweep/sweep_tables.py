"""The tables that a sweep leaves in its folder: `trials.csv` and `best.yaml`."""

import shlex
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from optuna.trial import FrozenTrial

from captcha_exp.config import to_plain, with_passwords_from_environment
from captcha_exp.files import replacing
from captcha_exp.foreign_text import csv_table, markdown, markdown_code, verbatim, visible
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.live_view import best_trials, shown_value, shown_values
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import RUN_ID
from captcha_exp.sweep.tally import Tally, TrialOutcome, progress

# A stand-alone configuration has no defaults list, so it repeats the Hydra settings of conf/config.yaml.
_HYDRA = {"job": {"chdir": False}, "run": {"dir": "${root}/outputs/${now:%Y-%m-%d_%H-%M-%S-%f}"}}


def write_tables(plan: SweepPlan, tally: Tally) -> list[Path]:
    """Write the tables of the trials so far. Each file is replaced as a whole.

    Returns:
        The files.
    """
    files = [_replace(plan.folder / "trials.csv", _trials_table(plan, tally))]
    best = best_trials(tally, plan.config.sweep.objectives)
    if best:
        files.append(_replace(plan.folder / "best.yaml", _best_config(plan, best[0])))
    else:
        # A file of an earlier start would show trials that no longer exist.
        (plan.folder / "best.yaml").unlink(missing_ok=True)
    return files


def train_command(folder: Path) -> str:
    """The command that trains the best configuration of the sweep in `folder` again."""
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    return f"python -m captcha_exp --config-dir {shlex.quote(str(shown))} --config-name best"


def description(plan: SweepPlan, tally: Tally, view: str) -> str:
    """The sweep in Markdown: its question, its progress, its best trial, and where to read more."""
    sweep = plan.config.sweep
    lines = [f"**{markdown(sweep.question)}**"] if sweep.question else []
    ended = f"{len(tally.ended)} of {plan.n_trials} trials ended: {counts(tally)}."
    best = best_trials(tally, sweep.objectives)
    if best:
        values = " ".join(f"{key}={shown_value(value)}" for key, value in best[0].params.items())
        reached = shown_values(best[0], sweep.objectives)
        metrics = ", ".join(objective.metric for objective in sweep.objectives)
        lines.append(
            f"Best: {trial_name(best[0].number)}, {markdown(metrics)} {markdown(reached)}: {markdown_code(values)}"
        )
        lines.append(f"Train it again: {markdown_code(train_command(plan.folder))}")
    return "\n\n".join([*lines, ended, f"[Compare the trials]({view.removeprefix('/')})"])


def _trials_table(plan: SweepPlan, tally: Tally) -> str:
    metrics = [objective.metric for objective in plan.config.sweep.objectives]
    keys = [parameter.key for parameter in plan.space.parameters]
    header = ["number", "state", "reason", *metrics, *keys, "epochs", "seconds", "run_id"]
    return csv_table([header, *(_row(trial, tally, metrics, keys) for trial in tally.trials)])


def _row(trial: FrozenTrial, tally: Tally, metrics: list[str], keys: list[str]) -> list[Any]:
    values = [*(trial.values or []), *[""] * len(metrics)][: len(metrics)]
    at = progress(trial)
    seconds = f"{trial.duration.total_seconds():.1f}" if trial.duration is not None else ""
    return [
        trial.number,
        tally.outcome(trial).name,
        tally.reason(trial) or "",
        *values,
        *[trial.params.get(key, "") for key in keys],
        at[0] + 1 if at is not None else 0,
        seconds,
        trial.user_attrs.get(RUN_ID, ""),
    ]


def _best_config(plan: SweepPlan, best: FrozenTrial) -> str:
    config = with_passwords_from_environment(verbatim(to_plain(plan.trial_config(best.params))))
    # The run of best.yaml is not a trial of the sweep.
    config["sweep"] |= {"name": None, "storage": None, "space": {}}
    several = " (the best by the first objective)" if len(plan.config.sweep.objectives) > 1 else ""
    header = [
        f"The best of the sweep {plan.name}: trial {best.number}{several}.",
        f"{', '.join(o.metric for o in plan.config.sweep.objectives)}: "
        f"{shown_values(best, plan.config.sweep.objectives)}",
        f"Train it again: {train_command(plan.folder)}",
    ]
    comments = [f"# {visible(line)}" for line in header]
    return "\n".join([*comments, OmegaConf.to_yaml({**config, "hydra": _HYDRA})])


def _replace(path: Path, text: str) -> Path:
    with replacing(path) as file:
        # Half of a surrogate pair has no bytes.
        file.write(text.encode("utf-8", "backslashreplace"))
    return path


def counts(tally: Tally) -> str:
    """How the trials ended, in words."""
    names = (TrialOutcome.finished, TrialOutcome.pruned, TrialOutcome.failed, TrialOutcome.lost)
    return ", ".join(f"{len(tally.of(o))} {o.name}" for o in names if tally.of(o)) or "none ended"
