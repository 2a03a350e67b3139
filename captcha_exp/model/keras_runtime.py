"""A recogniser computed by this process's TensorFlow."""

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.errors import InputError
from captcha_exp.reader.image import to_input


class KerasRuntime:
    """A recogniser in this process's TensorFlow."""

    name = "TensorFlow"

    def __init__(self, model: keras.Model) -> None:
        """Compile a model once for batches of any size."""
        shape = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        self._run = tf.function(lambda images: model(images, training=False), [shape], autograph=False)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """See `Runtime`."""
        return np.asarray(self._run(to_input(images)))


def limit_tensorflow(threads: int) -> None:
    """Let TensorFlow compute with so many threads; to be called before it has computed anything.

    Raises:
        InputError: it has.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise InputError(
            f"threads={threads} comes too late: TensorFlow already computes in this process with another number."
        ) from error
