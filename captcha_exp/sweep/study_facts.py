"""A study as plain values, for readers that do not use Optuna."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from captcha_exp.config import Direction, ObjectiveConfig
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import is_folder_name, shortened
from captcha_exp.sweep.attributes import of_type, scalar
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.key_importance import Importance, measure_importance
from captcha_exp.sweep.live_view import best_trials
from captcha_exp.sweep.storage import RUN_ID, quiet_optuna, readable_errors, shown, study_url
from captcha_exp.sweep.study import EPOCHS, N_TRIALS, PARENT_RUN, QUESTION, noted_objectives
from captcha_exp.sweep.tally import Tally, TrialOutcome, progress


@dataclass(frozen=True)
class ReadTrial:
    """One trial.

    `values` has one number for each objective if it finished, and the last value of the first objective if it was
    pruned. `curve` maps epochs, from 1, to what the pruner saw.
    """

    number: int
    outcome: TrialOutcome
    reason: str | None
    values: tuple[float, ...]
    params: dict[str, Any]
    curve: dict[int, float]
    epochs: int
    started: datetime | None
    ended: datetime | None
    run_id: str | None

    @property
    def name(self) -> str:
        """The name of its run and folder."""
        return trial_name(self.number)

    @property
    def seconds(self) -> float:
        """How long it ran; 0 if it did not end."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else 0.0


@dataclass(frozen=True)
class ReadParameter:
    """One searched key: its `choices`, or the bounds of a number; `log` says whether its axis is logarithmic."""

    key: str
    choices: tuple[Any, ...] | None
    low: float
    high: float
    log: bool


@dataclass(frozen=True)
class ReadSweep:
    """A whole sweep. `question` and `n_trials` are None if the study does not hold them."""

    name: str
    folder: Path
    question: str | None
    n_trials: int | None
    epochs: int
    objectives: list[ObjectiveConfig]
    parameters: list[ReadParameter]
    trials: list[ReadTrial]
    ranking: list[int]
    front: list[int]
    importance: Importance
    parent_run_id: str | None

    def of(self, *outcomes: TrialOutcome) -> list[ReadTrial]:
        """Trials with one of `outcomes`, in the order of their numbers."""
        return [trial for trial in self.trials if trial.outcome in outcomes]

    @cached_property
    def best(self) -> list[ReadTrial]:
        """Finished trials, the best first by the first objective."""
        by_number = {trial.number: trial for trial in self.trials}
        return [by_number[number] for number in self.ranking]

    def median_at(self, epoch: int) -> float | None:
        """The median value of the finished trials after `epoch` epochs."""
        seen = [t.curve[epoch] for t in self.of(TrialOutcome.finished) if epoch in t.curve]
        return statistics.median(seen) if seen else None


def sweep_names(root: Path, storage: str | None) -> list[str]:
    """Names of the sweeps in `root`, or in the database `storage`."""
    if storage is None:
        return sorted(path.parent.name for path in (root / "sweeps").glob("*/study.db"))
    return sorted(optuna.get_all_study_names(_open(study_url(root, "any", storage))))


def read_sweep(root: Path, name: str, storage: str | None) -> ReadSweep:
    """Read the sweep `name`, which may still be running.

    Args:
        root: the folder under which `sweeps/` lies.
        name: the sweep's `sweep.name`.
        storage: its `sweep.storage`; None for the database in the sweep's folder.

    Raises:
        InputError: there is no such sweep, or its database cannot be used.
    """
    if not is_folder_name(name):  # such a study may exist, but this program did not make it
        raise InputError(f"sweep={shortened(name, 300)!r} cannot be the name of a sweep.")
    quiet_optuna()
    url = study_url(root, name, storage)
    with readable_errors(url):
        known = sweep_names(root, storage)
        if name not in known:
            where = f"in {shown(url)}" if storage is not None else f"under {root / 'sweeps'}"
            listed = f"there are {', '.join(known)}" if known else "there are none"
            raise InputError(f"There is no sweep {name!r} {where}; {listed}. Set `sweep=NAME`, or `root=...`.")
        try:
            study = optuna.load_study(study_name=name, storage=_open(url))
        except KeyError as error:
            raise InputError(f"{shown(url)} holds no study {name!r}; begin the sweep again.") from error
        try:
            return _read(study, root / "sweeps" / name)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
            # Anybody who shares the database may have written values there that no sweep writes.
            raise InputError(
                f"The study {name!r} in {shown(url)} holds values that no sweep writes "
                f"({type(error).__name__}: {error}); delete it or repair it."
            ) from error


def _open(url: str) -> RDBStorage:
    # A reader must not make tables in a database that holds no study.
    file = sa.make_url(url).database
    if url.startswith("sqlite") and file is not None and not Path(file).is_file():
        raise InputError(f"There is no database {file}; check `report.storage`.")
    return RDBStorage(url, skip_table_creation=True)


def _read(study: optuna.Study, folder: Path) -> ReadSweep:
    attributes, tally = study.user_attrs, Tally(study.get_trials(deepcopy=False))
    objectives = [ObjectiveConfig(metric=metric, direction=Direction[way]) for way, metric in noted_objectives(study)]
    return ReadSweep(
        name=study.study_name,
        folder=folder,
        question=of_type(str, attributes.get(QUESTION)),
        n_trials=of_type(int, attributes.get(N_TRIALS)),
        epochs=int(attributes[EPOCHS]),
        objectives=objectives,
        parameters=_parameters(tally.trials),
        trials=[_trial(trial, tally) for trial in tally.trials],
        ranking=[trial.number for trial in best_trials(tally, objectives)],
        front=[trial.number for trial in study.best_trials] if len(objectives) > 1 else [],
        importance=measure_importance(tally, study.directions[0]),
        parent_run_id=of_type(str, attributes.get(PARENT_RUN)),
    )


def _trial(trial: FrozenTrial, tally: Tally) -> ReadTrial:
    at = progress(trial)
    return ReadTrial(
        number=trial.number,
        outcome=tally.outcome(trial),
        reason=tally.reason(trial),
        values=tuple(trial.values or ()),
        params={key: scalar(value) for key, value in trial.params.items()},
        curve={epoch + 1: value for epoch, value in sorted(trial.intermediate_values.items())},
        epochs=at[0] + 1 if at is not None else 0,
        started=trial.datetime_start,
        ended=trial.datetime_complete,
        run_id=of_type(str, trial.user_attrs.get(RUN_ID)),
    )


def _parameters(trials: Sequence[FrozenTrial]) -> list[ReadParameter]:
    distributions = {key: found for trial in trials for key, found in trial.distributions.items()}
    parameters = []
    for key, found in distributions.items():
        if isinstance(found, CategoricalDistribution):
            parameters.append(ReadParameter(key, tuple(map(scalar, found.choices)), 0.0, 0.0, log=False))
        elif isinstance(found, FloatDistribution | IntDistribution):
            parameters.append(ReadParameter(key, None, float(found.low), float(found.high), found.log))
    return parameters
