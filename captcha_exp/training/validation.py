"""Judges a model in training by the held-out images."""

from collections.abc import Callable

import keras

from captcha_exp.config import Config
from captcha_exp.model.evaluator import Evaluation, Evaluator, LabelledImages
from captcha_exp.reader.decoding import Decoder
from captcha_exp.training.own_metrics import own_metrics

Judge = Callable[[], Evaluation | None]


def build_judge(recogniser: keras.Model, held_out: LabelledImages, decoder: Decoder, config: Config) -> Judge:
    """Return a function that evaluates the model with its present weights. The model is compiled once.

    Args:
        recogniser: float32 (B, H, W, C) to probabilities (B, T, K).
        held_out: the images. Without any, the function returns None.
        decoder: how the model reads a text.
        config: its `training` decides which metrics are added.
    """
    evaluate = Evaluator(recogniser, decoder, config.training.batch_size)
    extend = own_metrics(config.training.metrics)
    return lambda: extend(evaluate(held_out.images, held_out.labels)) if len(held_out.labels) else None
