"""Averages the weights of a model within the step that TensorFlow compiles."""

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.training.engines.weight_average import WeightAverage


class FlatAverage(WeightAverage):
    """See `WeightAverage`. The average is a variable of the graph: to copy all weights would take a tenth of a step."""

    def __init__(self, model: keras.Model, ema_decay: float) -> None:
        """See `WeightAverage`."""
        super().__init__(model, ema_decay)
        self._variable = tf.Variable(self._vector, trainable=False)
        self._present: list[tf.Variable] = [weight.value for weight in model.weights]

    def update_in_graph(self, share: tf.Tensor) -> None:
        """Move the average towards the present weights, as part of a graph. `share` is what `next_share` returned."""
        present = tf.concat([tf.cast(tf.reshape(weight, [-1]), tf.float32) for weight in self._present], axis=0)
        self._variable.assign_add(share * (present - self._variable))

    def vector(self) -> np.ndarray:
        """See `WeightAverage`."""
        vector: np.ndarray = self._variable.numpy()
        return vector

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `WeightAverage`."""
        super().restore(state)
        self._variable.assign(state["average"])
