"""Removes what a sweep keeps outside the store of its runs: its study and its folder."""

import shutil
from pathlib import Path

import optuna

from captcha_exp.errors import InputError
from captcha_exp.sweep.attributes import of_type
from captcha_exp.sweep.paused_checkpoints import remove_checkpoints
from captcha_exp.sweep.storage import PROCESS, quiet_optuna, readable_errors, study_url
from captcha_exp.sweep.stored_sweeps import load_stored_study
from captcha_exp.sweep.study import PARENT_RUN
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.trial_process import is_dead


def ended_sweep_run(root: Path, name: str, storage: str | None) -> str | None:
    """The id of the run of a sweep that no process works on; None if no store kept the sweep.

    Raises:
        InputError: there is no such sweep, or one of its trials still runs.
    """
    quiet_optuna()
    study = load_stored_study(root, name, storage)
    processes = {t.number: t.user_attrs.get(PROCESS) for t in Tally(study.get_trials(deepcopy=False)).running}
    alive = [number for number, process in processes.items() if process is not None and not is_dead(process)]
    if alive:
        raise InputError(
            f"Trial {alive[0]} of the sweep {name} still runs; end the sweep first. If its machine died, type the "
            "sweep's own command once more: it gives such trials up."
        )
    return of_type(str, study.user_attrs.get(PARENT_RUN))


def remove_study(root: Path, name: str, storage: str | None, checkpoints: Path) -> None:
    """Delete the study of a sweep, its folder of results, and the states of its paused trials.

    Args:
        root: the folder under which `sweeps/` lies.
        name: the sweep's `sweep.name`, which can be the name of a folder.
        storage: its `sweep.storage`; None for the database in its folder.
        checkpoints: the folder of all states of trainings.
    """
    remove_checkpoints(load_stored_study(root, name, storage).get_trials(deepcopy=False), checkpoints)
    if storage is not None:
        url = study_url(root, name, storage)
        with readable_errors(url):
            optuna.delete_study(study_name=name, storage=url)
    shutil.rmtree(root / "sweeps" / name, ignore_errors=False)
