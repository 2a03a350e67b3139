"""The trials of a sweep as a table of pandas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

    from captcha_exp.sweep.study_facts import ReadSweep, ReadTrial


def trials_frame(sweep: "ReadSweep") -> "pandas.DataFrame":
    """One row for each trial, indexed by its number, with the columns of the sweep's `trials.csv`.

    They are `state`, `reason`, each objective, each searched key, `epochs`, `seconds` and `run_id`; with
    `sweep.repeats` also `std` and `repeats`, the first objective's standard deviation and its value in each repeat.
    What a trial does not have is missing (NaN or None).
    """
    import pandas

    metrics = [objective.metric for objective in sweep.objectives]
    keys = [parameter.key for parameter in sweep.parameters]
    repeated = any(trial.repeats for trial in sweep.trials)
    rows = [_row(trial, metrics, keys, repeated=repeated) for trial in sweep.trials]
    return pandas.DataFrame(rows, columns=trial_columns(metrics, keys, repeated=repeated)).set_index("number")


def trial_columns(metrics: Sequence[str], keys: Sequence[str], *, repeated: bool) -> list[str]:
    """The columns of a table of trials with these objectives and searched keys."""
    spread = ["std", "repeats"] if repeated else []
    return ["number", "state", "reason", *metrics, *spread, *keys, "epochs", "seconds", "run_id"]


def _row(trial: "ReadTrial", metrics: list[str], keys: list[str], *, repeated: bool) -> list[object]:
    values = [*trial.values, *[None] * len(metrics)][: len(metrics)]
    spread = [trial.std, trial.repeats] if repeated else []
    params = [trial.params.get(key) for key in keys]
    head, tail = [trial.number, trial.outcome.name, trial.reason], [trial.epochs, trial.seconds, trial.run_id]
    return [*head, *values, *spread, *params, *tail]
