"""What a process reads of a study in which others let trials pause and go on."""

from pathlib import Path

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from captcha_exp.sweep.storage import Storage, open_storage


def opened(folder: Path) -> tuple[optuna.Study, Storage]:
    """A study as one more process sees it. One of its trials has ended, as Optuna reads all until then."""
    storage = open_storage(f"sqlite:///{folder}/study.db", 60, lambda *_: None)
    storage.pauses = True
    study = optuna.create_study(study_name="s", storage=storage, load_if_exists=True, sampler=RandomSampler())
    if not study.get_trials():
        study.tell(study.ask(), 1.0)
    return study, storage


def pause(study: optuna.Study, storage: Storage, trial_id: int | None = None) -> int:
    """Let a new trial, or a paused one, run one epoch and pause. Returns its id."""
    storage.goes_on = trial_id
    trial = study.ask()
    assert trial_id in (None, trial._trial_id)
    trial.report(0.5, len(storage.get_trial(trial._trial_id).intermediate_values))
    study.tell(trial, state=TrialState.PRUNED)
    return trial._trial_id


def test_whatever_others_do_with_paused_trials_is_seen(tmp_path: Path) -> None:
    here, (there, storage) = opened(tmp_path)[0], opened(tmp_path)
    first, second, third = (pause(there, storage) for _ in range(3))

    def agree() -> bool:
        fresh = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path}/study.db")
        return here.get_trials() == fresh.get_trials()

    assert agree()
    pause(there, storage, second)
    assert agree() and len(here.get_trials()[2].intermediate_values) == 2
    storage.give_up(storage.get_trial(first))
    assert agree()
    storage.goes_on = third
    running = there.ask()
    assert running._trial_id == third and agree()
    running.set_user_attr("note", 1)
    assert agree()
    there.enqueue_trial({"x": 1})
    there.tell(running, 0.7)
    assert agree()
    pause(there, storage, second)
    pause(there, storage, second)  # went on and paused twice between two looks
    assert agree()


def test_paused_trials_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step read all of them four times while it held the study's lock."""
    study, storage = opened(tmp_path)
    ids = [pause(study, storage) for _ in range(20)]
    build, read = Storage._build_frozen_trial_from_trial_model, []
    monkeypatch.setattr(
        Storage,
        "_build_frozen_trial_from_trial_model",
        lambda self, trial: (read.append(trial.trial_id), build(self, trial))[1],
    )
    study.get_trials()
    read.clear()
    study.get_trials()
    assert read == []
    other_study, other = opened(tmp_path)
    pause(other_study, other, ids[7])
    read.clear()
    study.get_trials()
    assert read == [ids[7]]
