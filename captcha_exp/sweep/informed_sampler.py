"""A sampler that sees more than the study shows: trials of other studies, and which trials are paused."""

import copy
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.sweep.paused_trials import as_running


class InformedSampler(BaseSampler):
    """Shows a sampler the study as if it had begun with the trials of other sweeps, and paused trials as running.

    Other data have other levels. So the values of each source are moved until its best is as good as this
    study's best, and what remains is how much worse the other trials were.
    """

    def __init__(self, sampler: BaseSampler, sources: Sequence[Sequence[FrozenTrial]]) -> None:
        """Args:
        sampler: suggests the values.
        sources: the trials of each other sweep, or runs on equal data; no two have the same number, and all numbers
            are below 0.
        """
        self._sampler, self._sources = sampler, sources

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._seen(study), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(self._seen(study), trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(self._seen(study), trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(self._seen(study), trial)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        seen = self._seen(study)
        self._sampler.after_trial(seen, trial, state, values)
        if seen._stop_flag:
            study.stop()

    def reseed_rng(self) -> None:
        self._sampler.reseed_rng()

    def _seen(self, study: optuna.Study) -> optuna.Study:
        return _Seen(study, self._sources)


class _Seen(optuna.Study):
    """A study with known trials before its own.

    The overridden method is private to Optuna; `test_warm_start.py` fails if samplers stop calling it.
    """

    def __init__(self, study: optuna.Study, sources: Sequence[Sequence[FrozenTrial]]) -> None:
        self.__dict__.update(getattr(study, "_study", study).__dict__)  # Hyperband hides a study inside another
        self._storage: Any = _Shown(self._storage)
        self._sources = sources

    @property
    def direction(self) -> StudyDirection:
        """The direction of the first objective, which says how far a pruned trial came."""
        return self.directions[0]

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        own = super()._get_trials(deepcopy, None, use_cache)
        known = self._level([trial for trial in own if trial.state is TrialState.COMPLETE])
        return [trial for trial in (*known, *own) if states is None or trial.state in states]

    def _level(self, own: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """The known trials at the level of this study, or at that of the first source that has one."""
        level, known = self._best(own), list[FrozenTrial]()
        for trials in self._sources:
            best = self._best(trials)
            level = best if level is None else level
            shift = None if best is None else np.nan_to_num(level - best, posinf=0.0, neginf=0.0)
            known += [_shifted(trial, shift) for trial in trials]
        return known

    def _best(self, trials: Sequence[FrozenTrial]) -> Any:
        """The best value of each objective; None without a finished trial."""
        values = np.array([t.values for t in trials if t.state is TrialState.COMPLETE])  # trials x objectives
        if not len(values):
            return None
        up = np.array([direction is StudyDirection.MAXIMIZE for direction in self.directions])
        return np.where(up, values.max(axis=0), values.min(axis=0))


class _Shown:
    """A storage that shows paused trials as running ones. Samplers that try each point once look here."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        trials = map(as_running, self._storage.get_all_trials(study_id, deepcopy))
        return [trial for trial in trials if states is None or trial.state in states]


def _shifted(trial: FrozenTrial, shift: Any) -> FrozenTrial:
    if shift is None:
        return trial
    moved = copy.copy(trial)
    if moved.state is TrialState.COMPLETE:
        moved.values = [float(value) for value in np.asarray(moved.values) + shift]
    moved.intermediate_values = {step: float(value + shift[0]) for step, value in trial.intermediate_values.items()}
    return moved
