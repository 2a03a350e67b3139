"""What runs of MLflow found, as far as it lies in the space of a sweep."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from captcha_exp.errors import InputError
from captcha_exp.sweep.first_trials import inside, params_inside
from captcha_exp.sweep.known_trials import KnownTrial
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.sweep_store import LoggedRun

FindRuns = Callable[[str], Sequence[LoggedRun]]
_FINGERPRINT = "dataset.fingerprint"  # the tag of what a run saw


def known_runs(plan: SweepPlan, source: str, runs: Sequence[LoggedRun]) -> tuple[list[KnownTrial], Counter[str]]:
    """What is known from runs, and how often each reason makes another run unusable.

    Args:
        plan: the sweep. Runs of its own trials are left out.
        source: the entry of `sweep.warm_start` that names the runs.
        runs: finished runs.

    Raises:
        InputError: there is no run, or none has the searched keys, or none has the objectives.
    """
    others = [run for run in runs if run.tags.get("sweep") != plan.name]
    if not others:
        raise InputError(f"sweep.warm_start names {source}, which has no finished training; leave it out.")
    metrics = [objective.metric for objective in plan.config.sweep.objectives]
    # Conditional keys may be missing in some runs, but what no run has tells nothing.
    keys = [parameter.key for parameter in plan.space.parameters]
    _check_known(source, [run.params for run in others], "param", keys, "searched; leave it out, or search other keys")
    _check_known(source, [run.metrics for run in others], "metric", metrics, "one of sweep.objectives; leave it out")
    taken, unusable = list[KnownTrial](), Counter[str]()
    for number, run in enumerate(others):
        params, outside = params_inside(_typed_params(run, plan.space), plan.space)
        values = [run.metrics.get(metric, math.nan) for metric in metrics]
        if outside is not None or not all(map(math.isfinite, values)):
            unusable[outside or "without a value of each objective"] += 1
            continue
        level = run.tags.get(_FINGERPRINT)
        taken.append(KnownTrial(source, number, values, params, None, None, run.run_id, run.name, level))
    return taken, unusable


def _check_known(source: str, runs: Sequence[Mapping[str, Any]], kind: str, names: Sequence[str], why: str) -> None:
    missing = [name for name in names if not any(name in run for run in runs)]
    if missing:
        raise InputError(
            f"sweep.warm_start names {source}, but none of its {len(runs)} runs has the {kind} {missing[0]}, which is "
            f"{why}."
        )


def _typed_params(run: LoggedRun, space: Space) -> dict[str, Any]:
    """The searched params of a run. A text that is a choice stays; others are read like an override."""
    texts = [(parameter, run.params[parameter.key]) for parameter in space.parameters if parameter.key in run.params]
    return {p.key: text if inside(p.domain, text) is not None else _typed(text) for p, text in texts}


def _typed(text: str) -> Any:
    try:
        return OverridesParser.create().parse_override(f"key={text}").value()
    except HydraException:
        return text
