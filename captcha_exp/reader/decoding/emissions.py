"""Numbers that every recursion over time steps works with."""

import numpy as np

# Stands for a probability of zero: a network's softmax rounds to it, and no text is then quite impossible.
TINY = 1e-30


def floored(probabilities: np.ndarray) -> np.ndarray:
    """Class probabilities as float64, none below `TINY`."""
    return np.maximum(probabilities, TINY).astype(np.float64)


def log_sum(values: np.ndarray, chosen: np.ndarray, log_scale: float) -> float:
    """Logarithm of the chosen values' sum, on a scale that is kept apart; at most 0."""
    total = float(values[chosen].sum())
    return min(0.0, float(np.log(total)) + log_scale) if total > 0 else -np.inf
