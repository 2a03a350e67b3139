"""The one place that joins dataset, model, training and tracking into a run."""

from captcha_exp.experiment.run import run_experiment
from captcha_exp.experiment.trial import Outcome, TrialHandle

__all__ = ["Outcome", "TrialHandle", "run_experiment"]
