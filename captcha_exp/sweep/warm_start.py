"""Takes over what earlier sweeps and runs found, as far as it lies in the space of this one."""

import ast
from collections import Counter
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.config import Config
from captcha_exp.config.sweep_order import names_runs
from captcha_exp.errors import InputError
from captcha_exp.sweep.first_trials import params_inside
from captcha_exp.sweep.known_trials import NOTE, KnownTrial
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import RUN_ID, readable_errors, storage_url
from captcha_exp.sweep.stored_sweeps import load_stored_study, sweep_names
from captcha_exp.sweep.study import CHOICES, DEFINITION, OpenStudy, noted_objectives
from captcha_exp.sweep.tally import Tally, TrialOutcome, progress
from captcha_exp.sweep.warm_runs import FindRuns, known_runs

# The name of a user attribute of a study, before the name of a sweep whose trials it knows.
_TAKEN = "warm start"


def check_sources(plan: SweepPlan, find_runs: FindRuns) -> None:
    """Refuse sources that do not exist or know nothing, before a new study is made.

    Raises:
        InputError: naming those there are.
    """
    sweep = plan.config.sweep
    if sweep.name in sweep.warm_start:
        raise InputError(f"sweep.warm_start names {sweep.name}, which is this sweep; it knows its own trials anyway.")
    if not sweep.warm_start:
        return
    with readable_errors(storage_url(plan.config)):
        # A study that exists has noted what it knows. Its sources may be gone.
        new = sweep.name not in sweep_names(plan.config.root_path, sweep.storage)
    for source in sweep.warm_start if new else ():
        if names_runs(source):
            known_runs(plan, source, find_runs(source))
        else:
            _load(plan.config, source)


def take_over(plan: SweepPlan, opened: OpenStudy, find_runs: FindRuns) -> list[str]:
    """Note the trials and runs of `sweep.warm_start` in the study, those of each source once.

    Returns:
        One line for each source that is new to the study: what was taken over and what was left out.

    Raises:
        InputError: there is no such source, or it did not measure an objective of this sweep.
    """
    with opened.lock:
        noted = opened.study.user_attrs
        new = [name for name in plan.config.sweep.warm_start if f"{_TAKEN} {name}" not in noted]
        return [_take(plan, opened.study, name, find_runs) for name in new]


def _take(plan: SweepPlan, study: optuna.Study, name: str, find_runs: FindRuns) -> str:
    if names_runs(name):
        found, unusable = known_runs(plan, name, find_runs(name))
        before = {known["run_id"] for key, known in study.user_attrs.items() if key.startswith(f"{NOTE} ")}
        found = [known for known in found if known.run_id not in before]
    else:
        found, unusable = _known_of_sweep(plan, name)
    for known in found:
        study.set_user_attr(f"{NOTE} {name} {known.number}", asdict(known))
    study.set_user_attr(f"{_TAKEN} {name}", len(found))  # last, so that what was interrupted is done again
    line = f"warm start: {len(found)} {'runs' if names_runs(name) else 'trials'} of {name} are known to the sampler"
    if not unusable:
        return line
    return f"{line}; {unusable.total()} others are not in this space (most often: {unusable.most_common(1)[0][0]})"


def _known_of_sweep(plan: SweepPlan, name: str) -> tuple[list[KnownTrial], Counter[str]]:
    """What is known, and how often each reason makes another trial unusable."""
    source = _load(plan.config, name)
    tally = Tally(source.get_trials(deepcopy=False))
    places = _places(plan.config, source, name)
    values = _fixed(source)
    taken, unusable = list[KnownTrial](), Counter[str]()
    for trial in tally.of(TrialOutcome.finished, TrialOutcome.pruned, TrialOutcome.paused):
        params, outside = params_inside({**values, **trial.params}, plan.space)
        known = _known(name, trial, params, places)
        if outside is not None or known is None:
            unusable[outside or "pruned without a value"] += 1
        else:
            taken.append(known)
    return taken, unusable


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
