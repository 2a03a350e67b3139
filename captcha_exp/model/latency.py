"""Measures how long a trained model takes for one image."""

import statistics
import time

import numpy as np

from captcha_exp.model.forward_pass import ForwardPass

_CALLS = 30


def latency_ms(forward_pass: ForwardPass, image: np.ndarray) -> float:
    """The median time of one compiled call on one image, in milliseconds, without preprocessing and decoding.

    Args:
        forward_pass: the compiled model.
        image: float32 (1, H, W, C).
    """
    forward_pass.compute(image)  # the first call compiles
    times = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        forward_pass.compute(image)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
