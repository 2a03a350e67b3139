"""How long a trained model takes for one image."""

import statistics
import time

import numpy as np

from captcha_exp.model.forward_pass import ForwardPass

_CALLS = 30


def latency_ms(forward_pass: ForwardPass, image: np.ndarray) -> float:
    """Median time of one compiled call on a single image, in milliseconds, preprocessing and decoding left out.

    Args:
        forward_pass: of the model.
        image: float32 (1, H, W, C).
    """
    forward_pass.compute(image)  # compiles
    times = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        forward_pass.compute(image)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
