"""The learning rate of each step."""

import math

from captcha_exp.config import OptimizerConfig, Schedule


def learning_rate(step: int, total_steps: int, optimizer: OptimizerConfig) -> float:
    """Learning rate of one step: a linear rise to the full rate, then constant or down to zero along a cosine.

    Args:
        step: from 0 to `total_steps` - 1.
        total_steps: of the whole training.
        optimizer: `learning_rate` is the full rate, `warmup_share` the share of steps that rise to it.

    Returns:
        Above 0 and at most the full rate.
    """
    warmup_steps = round(total_steps * optimizer.warmup_share)
    if step < warmup_steps:
        return optimizer.learning_rate * (step + 1) / (warmup_steps + 1)
    if optimizer.schedule is Schedule.constant:
        return optimizer.learning_rate
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return optimizer.learning_rate * (1 + math.cos(math.pi * progress)) / 2
