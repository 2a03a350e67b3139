"""Training: batches, augmentation, schedules, steps, checkpoints."""

from captcha_exp.training.fit import EpochCallback, FitResult, train
from captcha_exp.training.threads import configure_threads

__all__ = ["EpochCallback", "FitResult", "configure_threads", "train"]
