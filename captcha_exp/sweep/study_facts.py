"""A study as plain values, for readers that do not use Optuna."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.config import Direction, ObjectiveConfig
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import is_folder_name, shortened
from captcha_exp.sweep.attributes import of_type, scalar
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.key_importance import Importance, measure_importance
from captcha_exp.sweep.live_view import best_trials
from captcha_exp.sweep.repeats import deviation, is_repeated, trial_values, values_of_repeats
from captcha_exp.sweep.storage import RUN_ID, quiet_optuna, readable_errors, shown, study_url
from captcha_exp.sweep.stored_sweeps import load_stored_study
from captcha_exp.sweep.study import EPOCHS, N_TRIALS, PARENT_RUN, QUESTION, noted_objectives
from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run, has_paused, spans_run
from captcha_exp.sweep.trials_frame import trials_frame
from captcha_exp.sweep.unread import told_unread

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class ReadTrial:
    """One trial.

    `values` has one number for each objective if it finished, and the last value of the first objective if it was
    pruned. With `sweep.repeats` they are means; `std` is the first objective's standard deviation and `repeats` its
    value in each repeat that ended. `curve` maps epochs, from 1, to what the pruner saw. `spans` has start and end of
    each time that it ran; more than one if it `paused` in between.
    """

    number: int
    outcome: TrialOutcome
    reason: str | None
    values: tuple[float, ...]
    std: float | None
    repeats: tuple[float, ...]
    params: dict[str, Any]
    curve: dict[int, float]
    epochs: int
    spans: tuple[tuple[datetime, datetime], ...]
    paused: bool
    run_id: str | None

    @property
    def name(self) -> str:
        """The name of its run and folder."""
        return trial_name(self.number)

    @property
    def value(self) -> float | None:
        """The first objective: at its end, or of its last epoch so far; None if there is none."""
        return next(iter([*self.values, *reversed(self.curve.values())]), None)

    @property
    def seconds(self) -> float:
        """How long it ran; 0 if it did not end."""
        return sum((end - start).total_seconds() for start, end in self.spans)

    @property
    def ended(self) -> datetime | None:
        """When it ran last; None if it still runs."""
        return self.spans[-1][1] if self.spans else None


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
    """A whole sweep. `question` and `n_trials` are None if the study does not hold them.

    `unread` says that no trial reads anything; None if one does.
    """

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
    unread: str | None

    def of(self, *outcomes: TrialOutcome) -> list[ReadTrial]:
        """Trials with one of `outcomes`, in the order of their numbers."""
        return [trial for trial in self.trials if trial.outcome in outcomes]

    @cached_property
    def best(self) -> list[ReadTrial]:
        """Finished trials, the best first by the first objective."""
        by_number = {trial.number: trial for trial in self.trials}
        return [by_number[number] for number in self.ranking]

    def to_pandas(self) -> "pandas.DataFrame":
        """The trials as a table; see `trials_frame`."""
        return trials_frame(self)

    def median_at(self, epoch: int, moment: datetime | None) -> float | None:
        """The median value after `epoch` epochs of the trials that had finished by `moment`; None if none had."""
        finished = [t for t in self.of(TrialOutcome.finished) if epoch in t.curve]
        seen = [t.curve[epoch] for t in finished if moment and t.ended and t.ended <= moment]
        return statistics.median(seen) if seen else None


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
    study = load_stored_study(root, name, storage)
    with readable_errors(url):
        try:
            return read_study(study, root / "sweeps" / name)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
            # Anybody who shares the database may have written values there that no sweep writes.
            raise InputError(
                f"The study {name!r} in {shown(url)} holds values that no sweep writes "
                f"({type(error).__name__}: {error}); delete it or repair it."
            ) from error


def read_study(study: optuna.Study, folder: Path) -> ReadSweep:
    """Read an open study; `folder` is the sweep's."""
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
        trials=[_trial(trial, tally, objectives[0].metric) for trial in tally.trials],
        ranking=[trial.number for trial in best_trials(tally, objectives)],
        front=[trial.number for trial in study.best_trials] if len(objectives) > 1 else [],
        importance=measure_importance(tally, study.directions[0]),
        parent_run_id=of_type(str, attributes.get(PARENT_RUN)),
        unread=told_unread(tally, objectives),
    )


def _trial(trial: FrozenTrial, tally: Tally, metric: str) -> ReadTrial:
    steps = {} if is_repeated(trial) else trial.intermediate_values
    return ReadTrial(
        number=trial.number,
        outcome=tally.outcome(trial),
        reason=tally.reason(trial),
        values=tuple(trial_values(trial)),
        std=deviation(trial),
        repeats=tuple(values_of_repeats(trial, metric)),
        params={key: scalar(value) for key, value in trial.params.items()},
        curve={epoch + 1: value for epoch, value in sorted(steps.items())},
        epochs=epochs_run(trial),
        spans=() if trial.state is TrialState.RUNNING else tuple(spans_run(trial)),
        paused=has_paused(trial),
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
