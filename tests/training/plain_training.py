"""A training written down step by step, without the loop, the averages and the other extras of the project."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from captcha_exp.config import Config
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.model import ctc_loss, with_probabilities
from captcha_exp.model.evaluator import evaluate
from captcha_exp.reader.image import to_input
from captcha_exp.reader.vocabulary import Vocabulary
from captcha_exp.training.augmentation import augment
from captcha_exp.training.batches import epoch_batches
from captcha_exp.training.dropout import seed_dropout
from captcha_exp.training.engines.flat_adam import build_optimizer
from captcha_exp.training.engines.fused_twin import fused_twin
from captcha_exp.training.engines.tensorflow_engine import draw_in_graph
from captcha_exp.training.schedules import learning_rate


def plain_steps(
    model: keras.Model, learnt: Any, characters: str, config: Config, altered_steps: int = 1_000
) -> Iterator[tuple[float, float]]:
    """Train a model in place, on altered images in the first steps; after each step give its loss and learning rate."""
    twin, optimizer = fused_twin(model), build_optimizer(model.trainable_variables, config.optimizer)

    def step(images: Any, labels: Any, seed: Any, rates: Any, altered: bool) -> Any:
        if altered:
            images = augment(images, draw_in_graph(seed, images, config.augmentation), config.augmentation)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(ctc_loss(labels, twin(images, training=True)))
        optimizer.apply(tape.gradient(loss, optimizer.weights), rates)
        return loss

    compiled, class_ids = tf.function(step, autograph=False), Vocabulary(characters).encode(learnt.labels)
    seed, batch_size, count = config.training.seed, config.training.batch_size, 0
    total = config.training.epochs * -(-len(learnt.images) // batch_size)
    for epoch in range(config.training.epochs):
        seed_dropout(model, seed, epoch)
        for rows in epoch_batches(len(learnt.images), batch_size, seed, epoch):
            rate = learning_rate(count, total, config.optimizer)
            drawn = np.random.SeedSequence([seed, count]).generate_state(2).view(np.int32)
            images, rates = to_input(learnt.images[rows]), optimizer.next_rates(rate)
            loss = compiled(images, class_ids[rows], drawn, rates, count < altered_steps)
            yield float(loss), rate
            count += 1


def judged(model: keras.Model, learnt: Any, held_out: Any, characters: str, config: Config) -> dict[str, float]:
    """Validation metrics of a model, by the names of the history."""
    decoder = label_decoder(config.decoding, characters, learnt.labels)
    found = evaluate(with_probabilities(model), held_out.images, held_out.labels, decoder, config.training.batch_size)
    return {f"val/{name}": value for name, value in found.metrics.items()}
