"""Open a study, and refuse one that was made for another search."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from captcha_exp.config import Config, Direction, RepeatOver, flatten, to_plain, without_passwords
from captcha_exp.errors import InputError
from captcha_exp.sweep.absent_database import once_it_answers
from captcha_exp.sweep.halving import PausingHalving
from captcha_exp.sweep.lost_trials import Retries
from captcha_exp.sweep.samplers import build_pruner
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.storage import Storage, open_storage, readable_errors, storage_url
from captcha_exp.sweep.study_lock import StudyLock, open_lock
from captcha_exp.sweep.tally import Tally

# The format of studies. Increase it if older studies cannot be continued any more.
FORMAT = 1
# Names of user attributes of a study.
_FORMAT, _WORKERS, _KEY = "format", "workers", "key"
EPOCHS, PARENT_RUN, QUESTION, N_TRIALS, END = "epochs", "parent_run_id", "question", "n_trials", "end"
DEFINITION, CHOICES, USED_UP = "definition", "choices", "used_up"
_OBJECTIVES = "sweep.objectives"
# Keys that may change between two starts: where things are, and how the search runs, but not what it searches.
_FREE = ("root", "tracking.", "sweep.", "training.threads", "training.resume", "dataset.path", "dataset.image_root")


@dataclass(frozen=True)
class OpenStudy:
    """A study with its lock."""

    study: optuna.Study
    storage: Storage
    lock: StudyLock
    url: str = field(repr=False)

    @property
    def key(self) -> str:
        """A key that no other study of the same name has had."""
        return study_key(self.study)

    def tally(self) -> Tally:
        """All trials, as soon as the database answers."""
        return once_it_answers(lambda: Tally(self.study.get_trials(deepcopy=False)))

    @property
    def halving(self) -> PausingHalving | None:
        """What lets trials pause and go on, if they do."""
        return self.study.pruner if isinstance(self.study.pruner, PausingHalving) else None


def study_key(study: optuna.Study) -> str:
    """A key that no other study of the same name has had."""
    return str(study.user_attrs[_KEY])


def definition(config: Config, space: Space, data: dict[str, str]) -> dict[str, str]:
    """By key, what must be equal in two starts of one search: space, objectives, fixed values, data."""
    plain = flatten(without_passwords(to_plain(config)))  # the study stores it
    fixed = {key: repr(value) for key, value in plain.items() if not key.startswith(_FREE)}
    objectives = [f"{o.direction.name} {o.metric}" for o in config.sweep.objectives]
    searched = {key: f"searched in {text}" for key, text in space.describe().items()}
    repeats = {"sweep.repeats": str(config.sweep.repeats)} if config.sweep.repeats > 1 else {}
    if config.sweep.repeat_over is RepeatOver.folds:
        repeats["sweep.repeat_over"] = config.sweep.repeat_over.value
    limits = {f"sweep.constraints.{metric}": limit for metric, limit in (config.sweep.constraints or {}).items()}
    return fixed | searched | {_OBJECTIVES: ", ".join(objectives)} | repeats | limits | data


def noted_objectives(study: optuna.Study) -> list[tuple[str, str]]:
    """Direction and metric of each objective of the study.

    Raises:
        InputError: another version made the study.
    """
    definition = study.user_attrs.get(DEFINITION)
    noted = definition.get(_OBJECTIVES) if isinstance(definition, dict) else None
    if study.user_attrs.get(_FORMAT) != FORMAT or not isinstance(noted, str):
        raise InputError(f"The study {study.study_name!r} was not made by this version; begin it under another name.")
    parts = [objective.partition(" ") for objective in noted.split(", ")]
    if any(direction not in Direction.__members__ or not metric for direction, _, metric in parts):
        raise InputError(f"The study {study.study_name!r} names its objectives as {noted!r}, which cannot be read.")
    return [(direction, metric) for direction, _, metric in parts]


def open_study(
    config: Config,
    sampler: BaseSampler,
    wanted: dict[str, str] | None = None,
    first: Sequence[dict[str, Any]] = (),
) -> OpenStudy:
    """Create or load the study of `sweep.name`.

    Args:
        config: the sweep's configuration.
        sampler: suggests the values in this process.
        wanted: this search's definition; None skips the comparison, because the parent process has made it.
        first: parameters of the first trials, queued in a new study.

    Raises:
        InputError: the study was made for another search or by another version, or cannot be opened.
    """
    sweep = config.sweep
    url = storage_url(config)
    folder = config.root_path / "sweeps" / str(sweep.name)
    retries = Retries(folder, sweep.max_retries)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with readable_errors(url):
            lock = open_lock(url, str(sweep.name))
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); choose another `root`.") from error
    with readable_errors(url), lock:
        storage = open_storage(url, sweep.heartbeat_s, retries.after_death)
        study = optuna.create_study(
            storage=storage,
            study_name=sweep.name,
            directions=[StudyDirection[objective.direction.name.upper()] for objective in sweep.objectives],
            sampler=sampler,
            load_if_exists=True,
        )
        if wanted is not None:
            _match(study, config, wanted, first)
        study.pruner = _pruner(study, config)
        storage.pauses = isinstance(study.pruner, PausingHalving)
        retries.after_interruption(study)
    lock.share(storage.engine)
    return OpenStudy(study, storage, lock, url)


def open_study_for_trial(config: Config) -> optuna.Study:
    """Load the study in the process of a job. The job prunes, but suggests no values.

    Raises:
        InputError: the study cannot be used.
        OperationalError: its database does not answer.
    """
    return once_it_answers(lambda: _open_study_for_trial(config))


def _open_study_for_trial(config: Config) -> optuna.Study:
    url = storage_url(config)
    with readable_errors(url):
        retries = Retries(config.root_path / "sweeps" / str(config.sweep.name), config.sweep.max_retries)
        only_first = config.sweep.prunes  # Optuna refuses to prune a study of several objectives
        storage = open_storage(url, config.sweep.heartbeat_s, retries.after_death, only_first=only_first)
        study = optuna.load_study(study_name=config.sweep.name, storage=storage, sampler=RandomSampler())
    study.pruner = _pruner(study, config)
    return study


def take_worker_number(opened: OpenStudy) -> int:
    """A number that no other worker of this study has had on any machine."""
    with opened.lock:
        number = int(opened.study.user_attrs[_WORKERS])
        opened.study.set_user_attr(_WORKERS, number + 1)
    return number


def _pruner(study: optuna.Study, config: Config) -> BasePruner:
    # Do not use this job's config: if training.epochs is searched, each process would have different brackets.
    return build_pruner(config.sweep, int(study.user_attrs[EPOCHS]))


def _match(study: optuna.Study, config: Config, wanted: dict[str, str], first: Sequence[dict[str, Any]]) -> None:
    """Store the definition in a new study, or compare it with the stored one."""
    attributes: dict[str, Any] = study.user_attrs
    if DEFINITION not in attributes and _is_new(study):
        study.set_user_attr(EPOCHS, config.training.epochs or 0)  # 0: the trials last some minutes
        study.set_user_attr(_WORKERS, 0)
        study.set_user_attr(_KEY, uuid.uuid4().hex)
        study.set_user_attr(_FORMAT, FORMAT)
        for parameters in first:
            study.enqueue_trial(parameters, skip_if_exists=True)
        study.set_user_attr(DEFINITION, wanted)
        return
    advice = f"Choose another `sweep.name`, or remove {config.root_path / 'sweeps' / str(config.sweep.name)}."
    if config.sweep.storage is not None:
        advice = "Choose another `sweep.name`, or delete the study with `optuna delete-study`."
    if attributes.get(_FORMAT) != FORMAT or DEFINITION not in attributes:
        raise InputError(
            f"The study {study.study_name!r} was not made by this version (format {attributes.get(_FORMAT)!r}, "
            f"not {FORMAT}). {advice}"
        )
    noted = attributes[DEFINITION]
    changed = [
        f"{key} was {noted.get(key, 'absent')}, is {wanted.get(key, 'absent')}"
        for key in sorted(set(noted) | set(wanted))
        if noted.get(key) != wanted.get(key)
    ]
    if changed:
        more = f"; and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise InputError(
            f"The study {study.study_name!r} was made for another search: {'; '.join(changed[:3])}{more}. {advice}"
        )


def _is_new(study: optuna.Study) -> bool:
    """Whether nobody has searched in a study. Whoever made it may have died before all was written."""
    trials = study.get_trials(deepcopy=False)
    queued = all(trial.state is TrialState.WAITING for trial in trials)
    return not trials or (queued and study.user_attrs.get(_FORMAT) == FORMAT)


def check_held_out(config: Config) -> None:
    """Refuse a search whose trials keep no validation images, because they could not be compared.

    Raises:
        InputError: naming the key.
    """
    if config.training.use_validation:
        raise InputError(
            "training.use_validation=true leaves no images to choose by; leave it out of a search, and set it when the "
            "best is trained again."
        )


def check_pruning_metric(config: Config) -> None:
    """Refuse a pruner that would have no values to compare.

    Raises:
        InputError: the first objective has no value at each epoch.
    """
    metric = config.sweep.objectives[0].metric
    if config.sweep.prunes and config.sweep.repeats == 1 and epoch_metric(metric) is None:
        raise InputError(
            f"sweep.pruner looks at the first of sweep.objectives at each epoch, but {metric} is known only at the "
            "end; put a `best/...` metric first or set `sweep.pruner.kind=none`."
        )


def check_pruning_epochs(config: Config) -> None:
    """Refuse a pruner whose trials would not last a number of epochs.

    Raises:
        InputError: `training.minutes` ends the trials, or each trial chooses its epochs.
    """
    if not config.sweep.prunes or config.sweep.repeats > 1:
        return
    if config.training.minutes is not None:
        raise InputError(
            f"sweep.pruner compares trials after equal epochs, but training.minutes={config.training.minutes:g} ends "
            "them by the clock; set `sweep.pruner.kind=none`, or training.epochs in place of training.minutes."
        )
    if config.training.epochs is None and "training.epochs" not in config.sweep.space:
        raise InputError(
            "sweep.pruner compares trials after equal epochs, but with training.epochs=null each trial chooses its own "
            "number; set training.epochs, e.g. `training.epochs=20`, or `sweep.pruner.kind=none`."
        )


def epoch_metric(metric: str) -> str | None:
    """The per-epoch metric behind `best/...`; None for a metric that only a whole run has."""
    return metric.removeprefix("best/") if metric.startswith("best/") else None
