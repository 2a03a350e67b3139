"""Builds the network of a configuration."""

import keras

from captcha_exp.config import Config
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.model.recogniser import build_recogniser


def build_configured(config: Config, num_classes: int) -> keras.Model:
    """Build the network of a configuration with random weights, which `training.seed` draws.

    Args:
        config: its `cnn`, `transformer` and `dataset` decide.
        num_classes: K, including the blank.

    Returns:
        See `build_recogniser`.
    """
    size = config.dataset
    return build_recogniser(
        config.cnn,
        config.transformer,
        size.image_height,
        size.image_width,
        num_classes,
        channels=image_spec(size).input_shape[-1],
        seed=config.training.seed,
    )
