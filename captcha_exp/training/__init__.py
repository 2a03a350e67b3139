"""Training: batches, augmentation, schedules, steps and checkpoints."""

from captcha_exp.model.threads import configure_threads
from captcha_exp.training.fit import EpochCallback, FitResult, train
from captcha_exp.training.outlook import advice, outlook

__all__ = ["EpochCallback", "FitResult", "advice", "configure_threads", "outlook", "train"]
