"""Sets how many cores compute the network."""

import os

import keras

from captcha_exp.errors import InputError

# JAX computes with XLA. XLA reads this variable before its first operation.
_XLA_THREADS = "NPROC"


def configure_threads(threads: int | None) -> None:
    """Set the number of threads and make every operation repeatable. Call it before the first operation.

    Args:
        threads: number of cores to use; None keeps what the process has set, or else the default of Keras' backend.

    Raises:
        InputError: this process already computes with another number of threads.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # An operation without a repeatable form then raises an error. Otherwise the next run would silently give other
        # metrics.
        tf.config.experimental.enable_op_determinism()
    if threads is not None and not _take(threads):
        raise InputError(
            f"training.threads is {threads}, but this process already computes with another number; "
            "give all runs of one process the same `training.threads`."
        )


def limit_threads(threads: int) -> None:
    """Set the number of threads for reading images. Call it before the first operation.

    Raises:
        InputError: this process already computes with another number of threads.
    """
    if not _take(threads):
        raise InputError(f"threads={threads} comes too late: this process already computes with another number.")


def _take(threads: int) -> bool:
    """Set the number. Return False if another number is set and can no longer be changed."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _limit_tensorflow(threads)
    if backend == "jax":
        return os.environ.setdefault(_XLA_THREADS, str(threads)) == str(threads)
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    return True


def _limit_tensorflow(threads: int) -> bool:
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return True
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        # Operations of this model hardly ever run side by side, because each needs the result of the one before. More
        # threads would only compete for the cores.
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return False
    return True
