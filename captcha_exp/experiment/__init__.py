"""Joins dataset, model, training and tracking into a run. No other code does this."""

from captcha_exp.experiment.trial_handle import Outcome, TrialHandle
from captcha_exp.experiment.whole_run import run_experiment

__all__ = ["Outcome", "TrialHandle", "run_experiment"]
