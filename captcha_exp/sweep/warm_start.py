"""Takes over what earlier sweeps found, as far as it lies in the space of this one."""

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep.first_trials import inside
from captcha_exp.sweep.known_trials import NOTE, KnownTrial
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.storage import RUN_ID, readable_errors, storage_url
from captcha_exp.sweep.stored_sweeps import load_stored_study, sweep_names
from captcha_exp.sweep.study import CHOICES, DEFINITION, OpenStudy, noted_objectives
from captcha_exp.sweep.tally import Tally, TrialOutcome, progress

# The name of a user attribute of a study, before the name of a sweep whose trials it knows.
_TAKEN = "warm start"


def check_sources(config: Config) -> None:
    """Refuse names that no sweep has, before a new study is made.

    Raises:
        InputError: naming the sweeps there are.
    """
    names, sweep = config.sweep.warm_start, config.sweep
    if sweep.name in names:
        raise InputError(f"sweep.warm_start names {sweep.name}, which is this sweep; it knows its own trials anyway.")
    if not names:
        return
    with readable_errors(storage_url(config)):
        # A study that exists has noted what it knows. Its sources may be gone.
        new = sweep.name not in sweep_names(config.root_path, sweep.storage)
    for name in names if new else ():
        _load(config, name)


def take_over(plan: SweepPlan, opened: OpenStudy) -> list[str]:
    """Note the trials of `sweep.warm_start` in the study, those of each sweep once.

    Returns:
        One line for each sweep that is new to the study: what was taken over and what was left out.

    Raises:
        InputError: there is no such sweep, or it did not measure an objective of this one.
    """
    with opened.lock:
        noted = opened.study.user_attrs
        new = [name for name in plan.config.sweep.warm_start if f"{_TAKEN} {name}" not in noted]
        return [_take(plan, opened.study, name) for name in new]


def _take(plan: SweepPlan, study: optuna.Study, name: str) -> str:
    source = _load(plan.config, name)
    tally = Tally(source.get_trials(deepcopy=False))
    places = _places(plan.config, source, name)
    values = _fixed(source)
    taken, unusable = 0, Counter[str]()
    for trial in tally.of(TrialOutcome.finished, TrialOutcome.pruned, TrialOutcome.paused):
        params, outside = _params({**values, **trial.params}, plan.space)
        known = _known(name, trial, params, places)
        if outside is not None or known is None:
            unusable[outside or "pruned without a value"] += 1
            continue
        study.set_user_attr(f"{NOTE} {name} {trial.number}", asdict(known))
        taken += 1
    study.set_user_attr(f"{_TAKEN} {name}", taken)  # last, so that what was interrupted is done again
    line = f"warm start: {taken} trials of {name} are known to the sampler"
    if not unusable:
        return line
    return f"{line}; {unusable.total()} others are not in this space (most often: {unusable.most_common(1)[0][0]})"


def _load(config: Config, name: str) -> optuna.Study:
    return load_stored_study(config.root_path, name, config.sweep.storage, "sweep.warm_start=[NAME]")


def _places(config: Config, source: optuna.Study, name: str) -> list[int]:
    """By objective of this sweep, its place among those of the source."""
    theirs = [metric for _, metric in noted_objectives(source)]
    ours = [objective.metric for objective in config.sweep.objectives]
    missing = [metric for metric in ours if metric not in theirs]
    if missing:
        raise InputError(
            f"sweep.warm_start names {name}, whose objectives are {', '.join(theirs)}; it knows nothing "
            f"of {missing[0]}."
        )
    return [theirs.index(metric) for metric in ours]


def _fixed(source: optuna.Study) -> dict[str, Any]:
    """What every trial of the source had, by key, and its choice of each group."""
    noted = {key: _literal(str(text)) for key, text in dict(source.user_attrs[DEFINITION]).items()}
    return noted | dict(source.user_attrs.get(CHOICES, {}))


def _literal(text: str) -> Any:
    """The value of which `text` is the repr; the text itself if it is none, like `searched in ...`."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _params(values: Mapping[str, Any], space: Space) -> tuple[dict[str, Any], str | None]:
    """The values that lie in the space; and a key with its value if it does not, or if it has none."""
    chosen, found = dict(space.fixed), {}
    for parameter in space.parameters:
        if not space.applies(parameter, chosen):
            continue
        known = inside(parameter.domain, values[parameter.key]) if parameter.key in values else None
        if known is None:
            return {}, f"{parameter.key}={values.get(parameter.key, 'unknown')}"
        found[parameter.key] = known[0]
        chosen[parameter.key] = str(known[0])
    return found, None


def _known(name: str, trial: FrozenTrial, params: dict[str, Any], places: list[int]) -> KnownTrial | None:
    """None if the trial says nothing about the first objective."""
    at = progress(trial)
    epoch, value = at if at is not None and places[0] == 0 else (None, None)
    finished = trial.state is TrialState.COMPLETE
    if not finished and value is None:
        return None
    values = [trial.values[place] for place in places] if finished else []
    run_id = trial.user_attrs.get(RUN_ID)
    return KnownTrial(name, trial.number, values, params, epoch, value, run_id)
