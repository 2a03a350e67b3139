"""Metrics that the user has written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from captcha_exp.errors import InputError
from captcha_exp.extension import named_function
from captcha_exp.model.evaluator import Evaluation


def own_metrics(named: Mapping[str, str]) -> Callable[[Evaluation], Evaluation]:
    """Make a function that adds the metrics of `training.metrics` to an evaluation.

    Args:
        named: MODULE:FUNCTION by the name of the metric. The function takes labels and texts and returns a number.

    Raises:
        InputError: the function does not exist. Later, when it is called: its value is no finite number.
    """
    functions = {name: named_function(f"training.metrics.{name}", spec) for name, spec in named.items()}

    def extended(evaluation: Evaluation) -> Evaluation:
        metrics = dict(evaluation.metrics)
        for name, function in functions.items():
            value = function(evaluation.labels, evaluation.predictions)
            try:
                metrics[name] = float(value)
            except (TypeError, ValueError):
                metrics[name] = math.nan
            if not math.isfinite(metrics[name]):
                raise InputError(f"training.metrics.{name}={named[name]} must return a finite number, not {value!r}.")
        return replace(evaluation, metrics=metrics)

    return extended
