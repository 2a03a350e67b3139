"""The limits of `sweep.constraints`, and by how much a trial breaks them."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real

import optuna
from optuna.trial import FrozenTrial

from captcha_exp.config.sweep_order import beyond_limit
from captcha_exp.sweep.job_result import TrialFailedError
from captcha_exp.sweep.storage import REASON


def note_limits(
    trial: optuna.Trial, metrics: Mapping[str, float], constraints: Mapping[str, str], *, whole: bool
) -> None:
    """Tell the study by how much the trial is beyond each limit, so that its sampler learns from it.

    Args:
        trial: the trial.
        metrics: the metrics of its run.
        constraints: `sweep.constraints`: by metric, `<=` or `>=` and a number.
        whole: whether the run finished, so that it must have all metrics.

    Raises:
        TrialFailedError: a metric is missing, or not a number.
    """
    broken = []
    for metric, limit in constraints.items():
        if metric not in metrics and not whole:
            continue
        if math.isnan(metrics.get(metric, math.nan)):
            known = ", ".join(sorted(metrics))
            raise TrialFailedError(f"sweep.constraints names {metric}, which is no number of this run; it has {known}")
        excess = beyond_limit(metrics[metric], limit)
        trial.set_constraint(metric, excess)
        broken += [f"{metric} is {metrics[metric]:.6g}, not {limit}"] if excess > 0 else []
    if broken and whole:
        trial.set_user_attr(REASON, "; ".join(broken))


def is_beyond_limits(trial: FrozenTrial) -> bool:
    """Whether the trial breaks a constraint."""
    return bool(_excesses(trial))


def nearest(infeasible: Sequence[FrozenTrial]) -> FrozenTrial:
    """The trial that breaks the fewest limits, and of those the one that is beyond them by the least sum."""
    return min(infeasible, key=lambda trial: (len(_excesses(trial)), sum(_excesses(trial)), trial.number))


def _excesses(trial: FrozenTrial) -> list[float]:
    found = trial.constraints.values()
    return [float(excess) for excess in found if isinstance(excess, Real) and float(excess) > 0]
