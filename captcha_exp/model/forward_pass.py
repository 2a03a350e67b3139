"""Runs a recogniser's network in this process. It is compiled only once."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from captcha_exp.reader.image import Images, to_input
from captcha_exp.reader.predictor import BATCH_SIZE

_Compute = Callable[[np.ndarray], np.ndarray]
_NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


class ForwardPass:
    """A recogniser that Keras' backend has compiled. It is a `Runtime`, so several threads may call it at once.

    It always computes with the current weights of the model, even if a training changes them.

    Attributes:
        name: the library that computes.
        compute: turns float32 (B, H, W, C) in [0, 1] into probabilities float32 (B, T, K).
    """

    def __init__(self, model: keras.Model, batch_size: int = BATCH_SIZE) -> None:
        """Compile a model from float32 (B, H, W, C) to probabilities (B, T, K). It gets at most `batch_size` images."""
        self._backend = keras.backend.backend()
        self.name = _NAMES.get(self._backend, self._backend)
        self._batch_size = batch_size
        self.compute = _COMPILERS.get(self._backend, _uncompiled)(model)

    def __call__(self, images: Images) -> np.ndarray:
        """Turn uint8 (N, H, W) or (N, H, W, 3), N at least 1, into probabilities float32 (N, T, K).

        All batches have the same size, because JAX compiles anew for each size, and TensorFlow rounds differently. The
        last image fills up the last batch, and the extra results are dropped.
        """
        count = len(images)
        size = min(self._batch_size, count if self._backend == "tensorflow" else _power_of_two(count))
        parts = []
        for start in range(0, count, size):
            rows = np.minimum(np.arange(start, start + size), count - 1)
            parts.append(self.compute(to_input(images[rows]))[: count - start])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _power_of_two(count: int) -> int:
    """The next power of two. So JAX compiles only a few sizes, whatever number of images it gets."""
    return 1 << (count - 1).bit_length()


def _compiled_by_tensorflow(model: keras.Model) -> _Compute:
    import tensorflow as tf

    shape = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
    run = tf.function(lambda images: model(images, training=False), [shape], autograph=False)
    return lambda images: run(images).numpy()


def _compiled_by_jax(model: keras.Model) -> _Compute:
    import jax

    @jax.jit
    def run(trainable: list[Any], others: list[Any], images: Any) -> Any:
        return model.stateless_call(trainable, others, images, training=False)[0]

    def compute(images: np.ndarray) -> np.ndarray:
        variables = (model.trainable_variables, model.non_trainable_variables)
        return np.asarray(run(*([variable.value for variable in group] for group in variables), images))

    return compute


def _uncompiled(model: keras.Model) -> _Compute:
    return lambda images: np.asarray(keras.ops.convert_to_numpy(model(images, training=False)))


_COMPILERS = {"tensorflow": _compiled_by_tensorflow, "jax": _compiled_by_jax}
