"""What paused trials leave on the disk of the machine that they ran on."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from optuna.trial import FrozenTrial

from captcha_exp.foreign_text import is_folder_name
from captcha_exp.sweep.attributes import of_type
from captcha_exp.sweep.storage import CHECKPOINT


def remove_checkpoints(trials: Iterable[FrozenTrial], checkpoints: Path) -> None:
    """Remove the states of `trials` that paused once and will not go on.

    Args:
        trials: trials of one sweep.
        checkpoints: the folder of all states, `Config.checkpoints_path`.
    """
    for trial in trials:
        name = of_type(str, trial.user_attrs.get(CHECKPOINT))
        if name is None or not is_folder_name(name):  # others may write to the database too
            continue
        shutil.rmtree(checkpoints / name, ignore_errors=True)
        (checkpoints / name).with_suffix(".lock").unlink(missing_ok=True)
