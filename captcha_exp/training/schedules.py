"""Computes the learning rate of each step."""

import math

from captcha_exp.config import OptimizerConfig, Schedule


def learning_rate(step: int, total_steps: int, optimizer: OptimizerConfig) -> float:
    """Return the learning rate of one step.

    It rises linearly to the full rate. Then it stays there, or falls to zero along a cosine.

    Args:
        step: from 0 to `total_steps` - 1.
        total_steps: number of steps of the whole training.
        optimizer: `learning_rate` is the full rate, `warmup_share` is the share of steps in which the rate rises.

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
