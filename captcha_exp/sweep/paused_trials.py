"""Trials that have run some epochs and wait in the study's queue until they go on."""

import copy
from collections.abc import Container, Sequence

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState


class KeepsPaused(BaseStorage):
    """A storage in which a trial that is pruned stays in the queue, until it goes on or is given up.

    Attributes:
        pauses: whether it does so.
        goes_on: the id of the only paused trial that may leave the queue now.
        paused: ids of trials that are certainly paused. Optuna asks for each trial of the queue, and to read each of
            them again takes seconds where hundreds are paused.
    """

    pauses = False
    goes_on: int | None = None
    paused: Container[int] = frozenset()

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """See Optuna, which calls it with RUNNING for a trial that leaves the queue."""
        if self.pauses and state is TrialState.PRUNED:
            return self._set(trial_id, TrialState.WAITING, None)
        if state is TrialState.RUNNING and trial_id != self.goes_on and self._is_paused(trial_id):
            return False
        return self._set(trial_id, state, values)

    def give_up(self, trial: FrozenTrial) -> None:
        """Prune a paused trial."""
        last = [trial.intermediate_values[trial.last_step]] if trial.last_step is not None else None
        self._set(trial._trial_id, TrialState.PRUNED, last)

    def _is_paused(self, trial_id: int) -> bool:
        return trial_id in self.paused or is_paused(self.get_trial(trial_id))

    def _set(self, trial_id: int, state: TrialState, values: Sequence[float] | None) -> bool:
        # This class stands before a real storage.
        return super().set_trial_state_values(trial_id, state, values)  # type: ignore[safe-super]


def is_paused(trial: FrozenTrial) -> bool:
    """Whether `trial` is paused. One that is queued to begin, or to be tried again, has no epochs."""
    return trial.state is TrialState.WAITING and bool(trial.intermediate_values)


def as_running(trial: FrozenTrial) -> FrozenTrial:
    """The trial as samplers should see it: begun, and not ended."""
    if not is_paused(trial):
        return trial
    running = copy.copy(trial)
    running.state = TrialState.RUNNING
    return running
