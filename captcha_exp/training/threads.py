"""How many cores TensorFlow uses."""

import tensorflow as tf

from captcha_exp.errors import InputError


def configure_threads(threads: int | None) -> None:
    """Fix the number of threads and make every operation repeatable; call before the first operation.

    Args:
        threads: cores to use; null leaves the choice to TensorFlow (or to what the process has already set).

    Raises:
        InputError: this process already computes with another number of threads.
    """
    # Raises where an operation has no repeatable form, instead of silently giving other metrics the next time.
    tf.config.experimental.enable_op_determinism()
    if threads is None or tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        # Several small operations side by side only contend: the model has next to nothing that is independent.
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise InputError(
            f"training.threads is {threads}, but this process already computes with another number; "
            "give all runs of one process the same `training.threads`."
        ) from error
