"""How many cores the network is computed with."""

import os

import keras

from captcha_exp.errors import InputError

# What XLA, which computes for JAX, reads before its first operation.
_XLA_THREADS = "NPROC"


def configure_threads(threads: int | None) -> None:
    """Fix the number of threads and make every operation repeatable; call before the first operation.

    Args:
        threads: cores to use; null leaves the choice to Keras' backend (or to what the process has already set).

    Raises:
        InputError: this process already computes with another number of threads.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Raises where an operation has no repeatable form, instead of silently giving other metrics the next time.
        tf.config.experimental.enable_op_determinism()
    if threads is not None and not _take(threads):
        raise InputError(
            f"training.threads is {threads}, but this process already computes with another number; "
            "give all runs of one process the same `training.threads`."
        )


def limit_threads(threads: int) -> None:
    """Let a network that reads images be computed with so many threads; call before the first operation.

    Raises:
        InputError: this process already computes with another number.
    """
    if not _take(threads):
        raise InputError(f"threads={threads} comes too late: this process already computes with another number.")


def _take(threads: int) -> bool:
    """Set the number; false where another one can no longer be replaced."""
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
        # Several small operations side by side only contend: the model has next to nothing that is independent.
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return False
    return True
