"""What earlier sweeps and runs found, as far as it lies in the space of this one.

Known trials are noted in user attributes of the study and are no trials of it. So nothing can count them: no table of
results, no pruner, no number of a trial.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from captcha_exp.config import SweepConfig
from captcha_exp.errors import InputError
from captcha_exp.sweep.informed_sampler import InformedSampler
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.space import Space

# The name of a user attribute of a study, before the name of a sweep and the number of a trial.
NOTE = "known trial"


@dataclass(frozen=True)
class KnownTrial:
    """A finished or pruned trial of another sweep, or a run of MLflow.

    `values` has one number for each objective of this sweep; it is empty for a pruned trial. `epoch` (from 0) and
    `at_epoch` are the last epoch and the first objective there. `params` has values of this sweep's space.
    A run has a `label`, and a `level` if it is known on which data it was judged: all runs of one level are compared
    with one another.
    """

    sweep: str
    number: int
    values: list[float]
    params: dict[str, Any]
    epoch: int | None
    at_epoch: float | None
    run_id: str | None
    label: str | None = None
    level: str | None = None

    @property
    def name(self) -> str:
        """The sweep and the trial, or the source and the run."""
        return f"{self.sweep}/{self.label or trial_name(self.number)}"

    def frozen(self, space: Space, place: int) -> FrozenTrial:
        """The trial as a sampler sees it. `place` is below 0, as the study's own trials begin there."""
        domains = {parameter.key: parameter.domain.distribution for parameter in space.parameters}
        reported = {} if self.epoch is None or self.at_epoch is None else {self.epoch: self.at_epoch}
        trial = create_trial(
            state=TrialState.COMPLETE if self.values else TrialState.PRUNED,
            values=self.values or None,
            params=self.params,
            distributions={key: domains[key] for key in self.params},
            intermediate_values=reported,
        )
        trial.number = trial._trial_id = place
        return trial


def known_trials(study: optuna.Study, names: Iterable[str]) -> list[KnownTrial]:
    """The known trials of the sweeps `names`, each sweep in the order of its numbers.

    Raises:
        InputError: somebody else has written to the study.
    """
    try:
        every = [KnownTrial(**value) for key, value in study.user_attrs.items() if key.startswith(f"{NOTE} ")]
    except TypeError as error:
        raise InputError(
            f"The study {study.study_name!r} holds known trials that no sweep writes ({error})."
        ) from error
    return [trial for name in names for trial in sorted(every, key=lambda t: t.number) if trial.sweep == name]


def informed(sampler: BaseSampler, known: list[KnownTrial], space: Space, sweep: SweepConfig) -> BaseSampler:
    """The sampler, which learns from the known trials as well, and knows pruned and paused ones."""
    frozen = [trial.frozen(space, place) for place, trial in enumerate(known, -len(known))]
    by_level: dict[str, list[FrozenTrial]] = {}
    for trial, seen in zip(known, frozen, strict=True):
        by_level.setdefault(trial.level or trial.sweep, []).append(seen)
    return InformedSampler(sampler, list(by_level.values())) if known or sweep.prunes else sampler
