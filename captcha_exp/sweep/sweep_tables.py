"""The tables that a sweep leaves in its folder: `trials.csv` and `best.yaml`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from optuna.trial import FrozenTrial

from captcha_exp.config import to_plain, with_passwords_from_environment
from captcha_exp.files import replacing
from captcha_exp.foreign_text import csv_table, verbatim, visible
from captcha_exp.sweep.known_trials import KnownTrial
from captcha_exp.sweep.live_view import best_trials, shown_values
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.repeats import deviation, is_repeated, trial_values, values_of_repeats
from captcha_exp.sweep.storage import RUN_ID
from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run, seconds_run
from captcha_exp.sweep.trials_frame import trial_columns

# The state of a trial of another sweep.
_KNOWN = "known"
# A stand-alone configuration has no defaults list, so it repeats the Hydra settings of conf/config.yaml.
_HYDRA = {"job": {"chdir": False}, "run": {"dir": "${root}/outputs/${now:%Y-%m-%d_%H-%M-%S-%f}"}}


def write_tables(plan: SweepPlan, tally: Tally, known: Sequence[KnownTrial] = ()) -> list[Path]:
    """Write the tables of the trials so far. Each file is replaced as a whole.

    Args:
        plan: the sweep.
        tally: its trials.
        known: trials of other sweeps that the sampler learnt from. They stand below the others, without a number.

    Returns:
        The files.
    """
    files = [_replace(plan.folder / "trials.csv", _trials_table(plan, tally, known))]
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


def _trials_table(plan: SweepPlan, tally: Tally, known: Sequence[KnownTrial]) -> str:
    metrics = [objective.metric for objective in plan.config.sweep.objectives]
    keys = [parameter.key for parameter in plan.space.parameters]
    repeated = any(map(is_repeated, tally.trials))
    header = trial_columns(metrics, keys, repeated=repeated)
    rows = [_row(trial, tally, metrics, keys, repeated=repeated) for trial in tally.trials]
    if known:
        taken = [_known_row(trial, metrics, keys, repeated=repeated) for trial in known]
        header, rows = [*header, "source"], [[*row, ""] for row in rows] + taken
    return csv_table([header, *rows])


def _known_row(trial: KnownTrial, metrics: list[str], keys: list[str], *, repeated: bool) -> list[Any]:
    values = [*trial.values, *[""] * len(metrics)][: len(metrics)]
    searched = [trial.params.get(key, "") for key in keys]
    epochs = trial.epoch + 1 if trial.epoch is not None else 0
    spread = ["", ""] if repeated else []
    return ["", _KNOWN, "", *values, *spread, *searched, epochs, "", trial.run_id or "", trial.name]


def _row(trial: FrozenTrial, tally: Tally, metrics: list[str], keys: list[str], *, repeated: bool) -> list[Any]:
    values = [*trial_values(trial), *[""] * len(metrics)][: len(metrics)]
    spread = _spread(trial, metrics[0]) if repeated else []
    seconds = seconds_run(trial)
    return [
        trial.number,
        tally.outcome(trial).name,
        tally.reason(trial) or "",
        *values,
        *spread,
        *[trial.params.get(key, "") for key in keys],
        epochs_run(trial),
        f"{seconds:.1f}" if seconds else "",
        trial.user_attrs.get(RUN_ID, ""),
    ]


def _spread(trial: FrozenTrial, metric: str) -> list[Any]:
    """The standard deviation of the first objective, and its value in each repeat."""
    std = deviation(trial)
    return ["" if std is None else f"{std:.6g}", " ".join(f"{value:.6g}" for value in values_of_repeats(trial, metric))]


def _best_config(plan: SweepPlan, best: FrozenTrial) -> str:
    config = with_passwords_from_environment(verbatim(to_plain(plan.trial_config(best.params))))
    # The run of best.yaml is not a trial of the sweep.
    config["sweep"] |= {"name": None, "storage": None, "space": {}, "on_end": None}
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
    names = [outcome for outcome in TrialOutcome if outcome not in (TrialOutcome.running, TrialOutcome.waiting)]
    return ", ".join(f"{len(tally.of(o))} {o.name}" for o in names if tally.of(o)) or "none ended"
