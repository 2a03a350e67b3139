"""The ways to search that are compared."""

import warnings
from collections.abc import Callable, Container
from functools import cache
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PercentilePruner
from optuna.pruners import SuccessiveHalvingPruner as HalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from benchmarks.inputs import composed
from benchmarks.search.curve_pruner import CurvePruner
from benchmarks.search.other_packages import installed_methods
from benchmarks.search.simulation import Method
from benchmarks.search.tables import DEFAULTS, EPOCHS, space
from captcha_exp.config import SweepConfig
from captcha_exp.sweep.halving import PausingHalving
from captcha_exp.sweep.informed_sampler import InformedSampler
from captcha_exp.sweep.paused_trials import KeepsPaused
from captcha_exp.sweep.samplers import build_pruner, build_sampler
from captcha_exp.sweep.tally import Tally

# What a sweep did before its trials paused.
_MEDIAN = ("sweep.pruner.kind=median", "sweep.pruner.n_warmup_epochs=6")


class _StudyMethod:
    """A search that keeps its trials in a study."""

    def __init__(self, study: optuna.Study) -> None:
        self._study, self._space = study, space()
        self._trials: dict[int, optuna.Trial] = {}

    def _begun(self) -> tuple[int, dict[str, Any]]:
        """The number and the values of the trial that begins, or goes on, now."""
        trial = self._study.ask()
        self._space.suggest(trial)
        self._trials[trial.number] = trial
        return trial.number, trial.params

    def told(self, number: int, epoch: int, accuracy: float) -> bool:
        """See `Method`."""
        self._trials[number].report(accuracy, epoch)
        return not self._trials[number].should_prune()

    def ended(self, number: int, best: float | None) -> None:
        """See `Method`."""
        if best is None:
            self._study.tell(self._trials[number], state=TrialState.PRUNED)
        else:
            self._study.tell(self._trials[number], best)


class OptunaMethod(_StudyMethod):
    """A sampler and a pruner of Optuna."""

    def __init__(
        self,
        sampler: BaseSampler,
        pruner: BasePruner,
        *,
        known_first: bool,
        waits: bool = False,
        n_trials: int | None = None,
    ) -> None:
        """With `known_first`, the composed defaults are the first trial. Without `n_trials` it searches for ever."""
        self.waits, self._n_trials = waits, n_trials
        super().__init__(optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner))
        if known_first:
            self._study.enqueue_trial(DEFAULTS)

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """See `Method`."""
        if len(self._trials) == self._n_trials:
            return None
        return self._begun()


class _InMemory(KeepsPaused, InMemoryStorage):
    """A study's storage as a sweep has it, without its database."""

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """See Optuna, which in memory forgets trials that wait again after they have run."""
        trials = super().get_all_trials(study_id, deepcopy)
        return [trial for trial in trials if states is None or trial.state in states]


class PausingMethod(_StudyMethod):
    """The pausing search of a sweep."""

    waits = False

    def __init__(
        self, sampler: BaseSampler, *, shortest: int = 1, reduction: int = 3, n_trials: int | None = None
    ) -> None:
        """Search for ever, or with `n_trials` as a sweep of so many trials does."""
        self._pruner = PausingHalving(
            _sweep().objectives[0], shortest=shortest, reduction=reduction, epochs=EPOCHS, n_trials=n_trials
        )
        self._storage, self._n_trials = _InMemory(), n_trials
        self._storage.pauses = True
        sampler = InformedSampler(sampler, [])
        super().__init__(
            optuna.create_study(storage=self._storage, direction="maximize", sampler=sampler, pruner=self._pruner)
        )
        self._study.enqueue_trial(DEFAULTS)

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """See `Method`."""
        trials = self._study.get_trials(deepcopy=False)
        fresh = self._n_trials is None or len(trials) < self._n_trials
        paused = self._pruner.next(Tally(trials))
        if paused is None and not fresh:
            return None
        self._storage.goes_on = None if paused is None else paused._trial_id
        return self._begun()


@cache
def _sweep(*overrides: str) -> SweepConfig:
    """The composed settings of a sweep."""
    return composed(*overrides).sweep


def _tpe(seed: int) -> BaseSampler:
    return build_sampler(_sweep().sampler, space(), seed)


METHODS: dict[str, Callable[[int], Method]] = {
    "random": lambda seed: OptunaMethod(RandomSampler(seed=seed), NopPruner(), known_first=False),
    "TPE": lambda seed: OptunaMethod(_tpe(seed), NopPruner(), known_first=False),
    "TPE, known first": lambda seed: OptunaMethod(_tpe(seed), NopPruner(), known_first=True),
    "hydra-optuna-sweeper": lambda seed: OptunaMethod(
        TPESampler(seed=seed), NopPruner(), known_first=False, waits=True
    ),
    "TPE + median": lambda seed: OptunaMethod(_tpe(seed), build_pruner(_sweep(*_MEDIAN), EPOCHS), known_first=True),
    "TPE + median, from epoch 2": lambda seed: OptunaMethod(
        _tpe(seed), MedianPruner(n_startup_trials=4, n_warmup_steps=2), known_first=True
    ),
    "TPE + best quarter": lambda seed: OptunaMethod(
        _tpe(seed), PercentilePruner(25, n_startup_trials=4, n_warmup_steps=2), known_first=True
    ),
    "TPE + Hyperband": lambda seed: OptunaMethod(
        _tpe(seed), HyperbandPruner(min_resource=1, max_resource=EPOCHS, reduction_factor=3), known_first=True
    ),
    "TPE + successive halving": lambda seed: OptunaMethod(
        _tpe(seed), HalvingPruner(min_resource=1, reduction_factor=3), known_first=True
    ),
    "random, pausing (ASHA)": lambda seed: PausingMethod(RandomSampler(seed=seed)),
    "TPE, pausing": lambda seed: PausingMethod(_tpe(seed)),
    "random + curves": lambda seed: OptunaMethod(RandomSampler(seed=seed), CurvePruner(), known_first=True),
    "TPE + curves": lambda seed: OptunaMethod(_tpe(seed), CurvePruner(), known_first=True),
}

METHODS |= installed_methods(OptunaMethod)


def limited(how: str, n_trials: int) -> Callable[[int], Method]:
    """A sweep of so many trials, `pausing` as now or with the `median pruner` as before."""
    if how == "pausing":
        return lambda seed: PausingMethod(_tpe(seed), n_trials=n_trials)
    pruner = build_pruner(_sweep(*_MEDIAN), EPOCHS)
    return lambda seed: OptunaMethod(_tpe(seed), pruner, known_first=True, n_trials=n_trials)


def build(name: str, seed: int) -> Method:
    """A method of `METHODS`, from its beginning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return METHODS[name](seed)
