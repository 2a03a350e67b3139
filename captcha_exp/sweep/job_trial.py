"""A trial as its job sees it, in whichever process the job runs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.interruption import uninterrupted
from captcha_exp.sweep.attributes import are_numbers, of_type
from captcha_exp.sweep.halving import PausingHalving
from captcha_exp.sweep.lost_trials import telling_given_up
from captcha_exp.sweep.repeats import TrialRepeats
from captcha_exp.sweep.storage import CHECKPOINT, HISTORY, LOSSES, PROGRESS, REPEATS, RUN_ID
from captcha_exp.sweep.study import PARENT_RUN, check_held_out, epoch_metric, open_study_for_trial, study_key
from captcha_exp.sweep.tally import epochs_run

# The environment variable with the trial's number. Hydra sets it where the launcher runs the job, on any machine.
TRIAL = "CAPTCHA_EXP_TRIAL"
_LOSS = "val/ctc_loss"


@dataclass(frozen=True)
class OpenTrial:
    """What a run needs to know about its trial."""

    name: str
    tags: dict[str, str]
    searched: dict[str, Any]
    parent_run_id: str | None
    metric: str | None
    pause: "PausingTrial | None"
    repeats: TrialRepeats | None
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
            GivenUpError: others gave this trial up.
        """
        if self.metric is not None and self.metric not in metrics:
            raise InputError(
                f"sweep.objectives names best/{self.metric}, but an epoch has only {', '.join(sorted(metrics))}."
            )
        if self.repeats is not None:
            with uninterrupted(), telling_given_up():
                self.repeats.note_epoch(epoch)
            return False
        if self.pause is not None and epoch < self.pause.epochs_before:
            return False  # its checkpoint is gone or on another machine, so this epoch is run again
        with uninterrupted(), telling_given_up():
            if self.metric is None or len(self._trial.study.directions) > 1:  # not of the objectives that prune
                self._trial.set_user_attr(PROGRESS, epoch)
                return False
            self._trial.report(metrics[self.metric], epoch)
            self._note_loss(epoch, metrics)
            return self._trial.should_prune()

    def _note_loss(self, epoch: int, metrics: dict[str, float]) -> None:
        """Keep what decides between equal trials at the end of a rung."""
        pruner = self._trial.study.pruner
        if isinstance(pruner, PausingHalving) and pruner.ends_at(epoch + 1) and _LOSS in metrics:
            losses = of_type(dict, self._trial.user_attrs.get(LOSSES)) or {}
            self._trial.set_user_attr(LOSSES, {**losses, str(epoch + 1): metrics[_LOSS]})


@dataclass(frozen=True)
class PausingTrial:
    """What a run needs to know about a trial that pauses and goes on.

    `owner` is the same for a trial and those that retry it. `epochs_before` is the number of epochs that the study has.
    """

    owner: str
    run_id: str | None
    epochs_before: int
    _trial: optuna.Trial

    def keep(self, checkpoint: Path | None) -> None:
        """Note the folder that holds its state."""
        self._trial.set_user_attr(CHECKPOINT, checkpoint and checkpoint.name)


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
    trial_id = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, int(number))
    trial, frozen = optuna.Trial(study, trial_id), study._storage.get_trial(trial_id)
    return OpenTrial(
        name=trial_name(trial.number),
        tags={"sweep": config.sweep.name, "trial": str(trial.number)},
        searched=dict(trial.params),
        parent_run_id=study.user_attrs.get(PARENT_RUN),
        metric=epoch_metric(config.sweep.objectives[0].metric),
        pause=_pause(study, trial, frozen),
        repeats=_repeats(config, trial, frozen),
        _trial=trial,
    )


def _pause(study: optuna.Study, trial: optuna.Trial, frozen: FrozenTrial) -> "PausingTrial | None":
    if not isinstance(study.pruner, PausingHalving):
        return None
    history = frozen.system_attrs.get(HISTORY)
    owner = f"{study_key(study)}/{history[0] if are_numbers(history) else trial.number}"
    return PausingTrial(owner, of_type(str, frozen.user_attrs.get(RUN_ID)), epochs_run(frozen), trial)


def _repeats(config: Config, trial: optuna.Trial, frozen: FrozenTrial) -> TrialRepeats | None:
    if config.sweep.repeats == 1:
        return None
    return TrialRepeats(config.sweep, trial, of_type(list, frozen.user_attrs.get(REPEATS)) or [])


def trial_name(number: int) -> str:
    """The name of a trial's run and folder."""
    return f"trial-{number:04d}"
