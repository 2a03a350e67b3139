"""Turn what a trial's job returned or raised into what its study stores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from captcha_exp.config import ObjectiveConfig, without_passwords
from captcha_exp.errors import first_line

_REASON_LENGTH = 500
_LOSS, _STEPS = "best/val/ctc_loss", "training/steps"


class TrialFailedError(Exception):
    """A trial's job raised an exception, or returned no usable value."""


def values_of(returned: Mapping[str, Any], objectives: Sequence[ObjectiveConfig]) -> list[float]:
    """The value of each objective.

    Raises:
        TrialPruned: the job was stopped early.
        TrialFailedError: a value is missing, or not a number.
    """
    if returned["state"] == "pruned":
        raise optuna.TrialPruned
    metrics = returned["metrics"]
    values = []
    for objective in objectives:
        if objective.metric not in metrics:
            known = ", ".join(sorted(metrics))
            raise TrialFailedError(f"sweep.objectives names {objective.metric}, but a run has only {known}")
        values.append(float(metrics[objective.metric]))
        if math.isnan(values[-1]):
            raise TrialFailedError(f"{objective.metric} is not a number")
    return values


def loss_of(returned: Mapping[str, Any]) -> float | None:
    """The validation loss of the epoch that a job kept; None if it has none that is a number."""
    loss = float(returned["metrics"].get(_LOSS, math.nan))
    return loss if math.isfinite(loss) else None


def steps_of(returned: Mapping[str, Any]) -> int | None:
    """The steps that a job trained; None if it does not tell."""
    steps = returned["metrics"].get(_STEPS)
    return None if steps is None else int(steps)


def reason_of(error: BaseException) -> str:
    """Why a trial failed, in one line."""
    if isinstance(error, TrialFailedError):
        return str(error)
    name, said = type(error).__name__, without_passwords(first_line(error))
    return name if said == name else f"{name}: {said}"[:_REASON_LENGTH]
