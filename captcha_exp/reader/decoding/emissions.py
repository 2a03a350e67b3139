"""Arithmetic that all recursions over time steps share."""

import numpy as np

# Replaces a probability of zero. A network's softmax may round to zero, and no text should be quite impossible.
TINY = 1e-30


def floored(probabilities: np.ndarray) -> np.ndarray:
    """Class probabilities as float64, none below `TINY`."""
    return np.maximum(probabilities, TINY).astype(np.float64)


def log_sum(values: np.ndarray, chosen: np.ndarray, log_scale: float) -> float:
    """Logarithm of the sum of the chosen values, whose scale is given as `log_scale`; at most 0."""
    total = float(values[chosen].sum())
    return min(0.0, float(np.log(total)) + log_scale) if total > 0 else -np.inf
