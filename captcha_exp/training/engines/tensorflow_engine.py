"""Trains with TensorFlow. A step is one graph."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import AugmentationConfig, OptimizerConfig, TrainingConfig
from captcha_exp.model import ctc_loss
from captcha_exp.model.distillation import distillation_loss
from captcha_exp.training.augmentation import augment
from captcha_exp.training.draws import (
    FURTHER_STREAM,
    INVERSION_STREAM,
    NOISE_BOUND,
    NOISE_STREAM,
    NUMBERS,
    Draws,
    further_numbers,
)
from captcha_exp.training.engines.auxiliary_head import HEAD, head_state, restore_head, with_auxiliary_head
from captcha_exp.training.engines.flat_adam import build_optimizer
from captcha_exp.training.engines.flat_average import FlatAverage
from captcha_exp.training.engines.fused_twin import fused_twin


class TensorflowEngine:
    """See `Engine`.

    A single graph alters the images, computes loss and gradients, and changes the weights. `compile` and `fit` of Keras
    do the same at several times the fixed cost, because their optimizer makes a dozen operations for each weight.
    """

    name = "tensorflow"

    def __init__(
        self,
        model: keras.Model,
        optimizer: OptimizerConfig,
        augmentation: AugmentationConfig,
        training: TrainingConfig,
        teacher: keras.Model | None = None,
    ) -> None:
        """See `build_engine`."""
        self._auxiliary_ctc, self._distil_weight = training.auxiliary_ctc, training.distil_weight
        self._teacher = teacher
        trained = with_auxiliary_head(model, training.seed) if training.auxiliary_ctc else model
        self._head = trained.get_layer(HEAD) if training.auxiliary_ctc else None
        self._twin = fused_twin(trained)
        self._optimizer = build_optimizer(trained.trainable_variables, optimizer)
        self._augmentation = augmentation
        self._average = FlatAverage(model, training.ema_decay) if training.ema_decay is not None else None
        # The step has no Python control flow over tensors, and autograph's search for it takes longer than tracing.
        self._compiled = tf.function(self._step, autograph=False)

    def step(
        self, images: np.ndarray, labels: np.ndarray, seed: np.ndarray | None, learning_rate: float
    ) -> tuple[float, float]:
        """See `Engine`."""
        share = self._average.next_share() if self._average is not None else None
        loss, norm = self._compiled(images, labels, seed, self._optimizer.next_rates(learning_rate), share)
        return float(loss), float(norm)

    def averaged_weights(self) -> list[np.ndarray] | None:
        """See `Engine`."""
        return self._average.weights() if self._average is not None else None

    def state(self) -> dict[str, np.ndarray]:
        """See `Engine`."""
        average = self._average.state() if self._average is not None else {}
        return self._optimizer.state() | average | head_state(self._head)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Engine`."""
        restore_head(self._head, state)
        self._optimizer.restore(state)
        if self._average is not None:
            self._average.restore(state)

    def _step(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor | None, rates: tf.Tensor, share: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if seed is not None:
            images = augment(images, draw_in_graph(seed, images, self._augmentation), self._augmentation)
        taught = None if self._teacher is None else self._teacher(images, training=False)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._optimizer.weights)
            loss, whole = self._losses(labels, self._twin(images, training=True), taught)
        norm = self._optimizer.apply(tape.gradient(whole, self._optimizer.weights), rates)
        if self._average is not None:
            self._average.update_in_graph(share)
        return loss, norm

    def _losses(self, labels: tf.Tensor, outputs: Any, taught: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean CTC loss, and the loss to take the gradient of."""
        logits, *auxiliary = outputs if self._auxiliary_ctc else [outputs]
        loss = whole = tf.reduce_mean(ctc_loss(labels, logits))
        for features in auxiliary:
            whole += self._auxiliary_ctc * tf.reduce_mean(ctc_loss(labels, features))
        if taught is not None:
            whole += self._distil_weight * tf.reduce_mean(distillation_loss(taught, logits))
        return loss, whole


def draw_in_graph(seed: tf.Tensor, images: tf.Tensor, augmentation: AugmentationConfig) -> Draws:
    """Draw the numbers of `draws.draw` for float32 (B, H, W, C) images, as part of a graph."""
    numbers = tf.random.stateless_uniform((tf.shape(images)[0], NUMBERS), seed, -1.0, 1.0)
    fold = tf.random.experimental.stateless_fold_in
    if augmentation.invert_probability:
        inversion = tf.random.stateless_uniform((tf.shape(images)[0], 1), fold(seed, INVERSION_STREAM), -1.0, 1.0)
        numbers = tf.concat([numbers, inversion], axis=1)
    noise, further = None, None
    if augmentation.noise_stddev:
        noise_seed = fold(seed, NOISE_STREAM)
        noise = tf.random.stateless_uniform(tf.shape(images), noise_seed, -NOISE_BOUND, NOISE_BOUND)
    if width := further_numbers(augmentation):
        further = tf.random.stateless_uniform((tf.shape(images)[0], width), fold(seed, FURTHER_STREAM), -1.0, 1.0)
    return Draws(numbers, noise, further)
