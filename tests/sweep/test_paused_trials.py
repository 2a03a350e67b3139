"""Trials that wait in the study's queue until they go on."""

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from captcha_exp.config import Config
from captcha_exp.sweep.paused_trials import is_paused
from captcha_exp.sweep.storage import Storage
from captcha_exp.sweep.study import open_study

# Trials are asked for outside of optimize() here.
pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")


def test_a_trial_that_is_known_to_be_paused_stays_so_without_being_read_again(
    compose: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hundreds of paused trials, a worker read each of them before each trial that it began."""
    found = open_study(compose("sweep.name=s"), optuna.samplers.RandomSampler(seed=0), {})
    paused = [found.study.ask() for _ in range(3)]
    for trial in paused:
        trial.report(0.5, 0)
        found.study.tell(trial, state=TrialState.PRUNED)
    read, get_trial = [], Storage.get_trial
    monkeypatch.setattr(
        Storage, "get_trial", lambda self, trial_id: (read.append(trial_id), get_trial(self, trial_id))[1]
    )

    assert found.study.ask().number == 3
    assert {trial._trial_id for trial in paused} <= set(read), "nobody has said that they are paused"
    read.clear()
    found.storage.paused = {trial._trial_id for trial in paused}
    assert found.study.ask().number == 4
    assert not {trial._trial_id for trial in paused} & set(read)
    found.storage.goes_on = paused[1]._trial_id
    assert found.study.ask().number == 1, "the one that goes on leaves the queue"
    states = [is_paused(trial) for trial in found.study.get_trials(deepcopy=False)[:3]]
    assert states == [True, False, True]
