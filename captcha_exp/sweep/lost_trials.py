"""Try a trial again if its worker died."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from captcha_exp.sweep.storage import DEATHS, HISTORY, MEAN, PROCESS, REASON, REPEATS, STD
from captcha_exp.sweep.tally import Tally


class GivenUpError(Exception):
    """Others heard nothing of the worker for too long, for example because its machine slept, and gave its trial up."""


@contextmanager
def telling_given_up() -> Iterator[None]:
    """Turn Optuna's error about a trial that others have ended into one that says what is so.

    Raises:
        GivenUpError: the trial was given up.
    """
    try:
        yield
    except UpdateFinishedTrialError as error:
        raise GivenUpError("others heard nothing of this trial for too long, and try it again") from error


class Retries:
    """Queues lost trials again, with the parameters that they had."""

    def __init__(self, folder: Path, max_retries: int) -> None:
        """Args:
        folder: the sweep's folder on this machine.
        max_retries: how often a worker may die of the same parameters before they are given up.
        """
        self._folder, self._max_retries = folder, max_retries

    def note_no_fault(self, trial_number: int) -> None:
        """Note for the next start that a full disk, or an absence of the database, is about to end a trial.

        The database cannot take the note. It is an empty file, which takes no room except for its name.
        """
        with suppress(OSError):
            self._note(trial_number).touch()

    def after_death(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Queue a trial whose worker died, unless too many workers died of it. The caller holds the study's lock."""
        note = self._note(trial.number)
        retry(study, trial, max_retries=None if note.exists() else self._max_retries)
        note.unlink(missing_ok=True)

    def after_interruption(self, study: optuna.Study) -> None:
        """Queue trials of processes that ended before they could queue them. The caller holds the study's lock."""
        tally = Tally(study.get_trials(deepcopy=False))
        for trial in tally.trials:
            if trial.state is TrialState.FAIL and REASON not in trial.user_attrs and not tally.is_retried(trial):
                self.after_death(study, trial)

    def _note(self, trial_number: int) -> Path:
        return self._folder / f".no-room-{trial_number}"


def retry(study: optuna.Study, trial: FrozenTrial, *, max_retries: int | None) -> None:
    """Queue a lost trial again with the parameters it had.

    Args:
        study: the study; the caller holds its lock.
        trial: the lost trial.
        max_retries: how often a worker may die of the same parameters before they are given up; None does not
            count, for a trial that was interrupted on purpose or never began.
    """
    counted = max_retries is not None and PROCESS in trial.user_attrs
    deaths = trial.user_attrs.get(DEATHS, 0) + counted
    if max_retries is not None and deaths > max_retries:
        return
    # Successive halving would skip the rungs that it noted for the lost attempt, and a constraint is noted once only.
    noted = ("completed_rung_", "constraints:")
    kept = {key: value for key, value in trial.system_attrs.items() if not key.startswith(noted)}
    repeats = {key: trial.user_attrs[key] for key in (REPEATS, MEAN, STD) if key in trial.user_attrs}
    history: list[Any] = [*kept.get(HISTORY, []), trial.number]
    study.add_trial(
        create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={DEATHS: deaths, **repeats},
            system_attrs={**kept, "failed_trial": history[0], HISTORY: history},
        )
    )
