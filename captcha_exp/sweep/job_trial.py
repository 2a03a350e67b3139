"""A trial as its job sees it, in whichever process the job runs."""

import os
from dataclasses import dataclass
from typing import Any

import optuna

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep.storage import PROGRESS
from captcha_exp.sweep.study import PARENT_RUN, check_held_out, epoch_metric, open_study_for_trial

# The environment variable with the trial's number. Hydra sets it where the launcher runs the job, on any machine.
TRIAL = "CAPTCHA_EXP_TRIAL"


@dataclass(frozen=True)
class OpenTrial:
    """What a run needs to know about its trial."""

    name: str
    tags: dict[str, str]
    searched: dict[str, Any]
    parent_run_id: str | None
    metric: str | None
    _trial: optuna.Trial

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        """Tell the study about an epoch.

        Args:
            epoch: number of the epoch, from 0.
            metrics: that epoch's metrics; must hold the first objective's if that has a value at each epoch.

        Returns:
            Whether to stop the trial early.

        Raises:
            InputError: the metric is not among `metrics`.
        """
        if self.metric is not None and self.metric not in metrics:
            raise InputError(
                f"sweep.objectives names best/{self.metric}, but an epoch has only {', '.join(sorted(metrics))}."
            )
        if self.metric is None or len(self._trial.study.directions) > 1:
            self._trial.set_user_attr(PROGRESS, epoch)
            return False
        self._trial.report(metrics[self.metric], epoch)
        return self._trial.should_prune()


def open_trial(config: Config) -> OpenTrial | None:
    """The trial of this job; None if the job belongs to no sweep.

    Raises:
        InputError: the trial keeps no validation images, so it cannot be compared with others.
    """
    number = os.environ.get(TRIAL)
    if number is None or config.sweep.name is None:
        return None
    check_held_out(config)
    study = open_study_for_trial(config)
    # Optuna has no public way to get from a number to a trial that can report. `test_job_trial.py` tests this way.
    trial = optuna.Trial(study, study.get_trials(deepcopy=False)[int(number)]._trial_id)
    return OpenTrial(
        name=trial_name(trial.number),
        tags={"sweep": config.sweep.name, "trial": str(trial.number)},
        searched=dict(trial.params),
        parent_run_id=study.user_attrs.get(PARENT_RUN),
        metric=epoch_metric(config.sweep.objectives[0].metric),
        _trial=trial,
    )


def trial_name(number: int) -> str:
    """The name of a trial's run and folder."""
    return f"trial-{number:04d}"
