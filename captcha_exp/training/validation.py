"""Judges a model in training by the held-out images."""

from collections.abc import Callable

import keras

from captcha_exp.config import Config
from captcha_exp.model import with_probabilities
from captcha_exp.model.evaluator import Evaluation, Evaluator, LabelledImages
from captcha_exp.training.own_metrics import own_metrics

Judge = Callable[[], Evaluation | None]


def build_judge(model: keras.Model, held_out: LabelledImages, characters: str, config: Config) -> Judge:
    """Return a function that evaluates the model with its present weights. The model is compiled once.

    Args:
        model: what `build_recogniser` returned.
        held_out: the images. Without any, the function returns None.
        characters: `characters[i]` is class `i + 1`.
        config: its `decoding` and `training` decide how the images are read and which metrics are added.
    """
    width, batch_size = config.decoding.search_width, config.training.batch_size
    evaluate = Evaluator(with_probabilities(model), characters, width, batch_size)
    extend = own_metrics(config.training.metrics)
    return lambda: extend(evaluate(held_out.images, held_out.labels)) if len(held_out.labels) else None
