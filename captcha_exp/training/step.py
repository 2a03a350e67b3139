"""One step of training, compiled."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import AugmentationConfig
from captcha_exp.model import ctc_loss
from captcha_exp.training.augmentation import augment
from captcha_exp.training.fused_twin import fused_twin
from captcha_exp.training.optimizer import StepOptimizer

# images float32 (B, H, W, 1), labels int32 (B, L), seed int32 (2,), rates float32 (3,) -> loss (), gradient norm ()
TrainStep = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[tf.Tensor, tf.Tensor]]


def compile_step(model: keras.Model, optimizer: StepOptimizer, augmentation: AugmentationConfig) -> TrainStep:
    """One step as a single graph: augmentation, loss, gradients, change of the weights.

    `compile` and `fit` of Keras do the same at several times the fixed cost: most of it is tracing an optimizer that
    makes a dozen operations for each weight.

    Args:
        model: what is trained; of stock layers.
        optimizer: of the model's weights.
        augmentation: what is done to each batch first.
    """
    twin = fused_twin(model)

    def step(images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor, rates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = augment(images, seed, augmentation)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(optimizer.weights)
            loss = tf.reduce_mean(ctc_loss(labels, twin(images, training=True)))
        norm = optimizer.apply(tape.gradient(loss, optimizer.weights), rates)
        return loss, norm

    # Without autograph: the step has no Python control flow over tensors, and looking for it takes longer than tracing.
    compiled: TrainStep = tf.function(step, autograph=False)
    return compiled


def seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Put every random generator of the model where an epoch starts it, whatever ran before."""
    weights = {id(weight) for weight in model.weights}
    generators = [variable for variable in model.variables if id(variable) not in weights]
    for index, generator in enumerate(generators):
        state = np.random.SeedSequence([seed, epoch, index]).generate_state(2)
        generator.assign(state.astype(generator.dtype))
