"""Chooses how many epochs a training has where the user chooses neither epochs nor minutes."""

import logging
import math

from captcha_exp.config import Config

_log = logging.getLogger(__name__)

# `+experiment=hard` needs so many epochs for 4,800 images of `gregwar5`, and so many steps for 100 to 1,000 images of
# `captcha_images_v2` (docs/results.md).
EPOCHS, STEPS = 20, 300


def with_epochs(config: Config, images: int) -> Config:
    """The same configuration with a number of epochs or minutes.

    If it has neither, the training gets 20 epochs. Few images make few steps in that time, so it gets as many epochs
    more as 300 steps need.

    Args:
        config: what to complete.
        images: the number of images that the training learns from, at least 1.
    """
    training = config.training
    if training.epochs is not None or training.minutes is not None:
        return config
    epochs = max(EPOCHS, math.ceil(STEPS / math.ceil(images / training.batch_size)))
    _log.info("%d images: %d epochs (training.epochs or training.minutes sets another length)", images, epochs)
    return config.model_copy(update={"training": training.model_copy(update={"epochs": epochs})})
