"""How long a trained model takes for one image."""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf

_CALLS = 30


def latency_ms(model: keras.Model, image: np.ndarray) -> float:
    """Median time of one compiled call on a single image, in milliseconds, preprocessing and decoding left out.

    Args:
        model: float32 (B, H, W, 1) in.
        image: float32 (1, H, W, 1).
    """
    compiled = tf.function(lambda x: model(x, training=False), autograph=False, jit_compile=False)
    batch = tf.constant(image)
    compiled(batch)  # compiles
    times = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        compiled(batch).numpy()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
