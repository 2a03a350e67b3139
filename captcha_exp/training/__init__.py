"""Training: batches, augmentation, schedules, steps and checkpoints."""

from captcha_exp.model.threads import configure_threads
from captcha_exp.training.fit import EpochCallback, FitResult, train
from captcha_exp.training.outlook import outlook

__all__ = ["EpochCallback", "FitResult", "configure_threads", "outlook", "train"]
