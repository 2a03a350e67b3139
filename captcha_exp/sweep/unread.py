"""Finds out whether a search brought no model that reads anything."""

from captcha_exp.config import ObjectiveConfig
from captcha_exp.config.nothing_learnt import nothing_learnt
from captcha_exp.sweep.attributes import of_type
from captcha_exp.sweep.live_view import best_trials
from captcha_exp.sweep.storage import STEPS
from captcha_exp.sweep.tally import Tally, epochs_run

_ACCURACIES = ("best/val/sequence_accuracy", "best/val/sequence_accuracy_ignore_case")


def told_unread(tally: Tally, objectives: list[ObjectiveConfig]) -> str | None:
    """A line if the first objective is an accuracy and the best trial reads no text right; otherwise None."""
    best = best_trials(tally, objectives)
    if not best or objectives[0].metric not in _ACCURACIES or best[0].values[0] > 0:
        return None
    epochs = map(epochs_run, tally.trials)
    steps = [of_type(int, trial.user_attrs.get(STEPS)) or 0 for trial in tally.trials]
    return nothing_learnt("no trial reads a validation text right", max(epochs, default=0), max(steps) or None)
