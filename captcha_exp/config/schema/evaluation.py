"""What is judged, and how thoroughly."""

from enum import Enum

from captcha_exp.config.fields import Count, Seed, Settings
from captcha_exp.config.schema.experiment import Config


class SplitName(Enum):
    """The sides of a division."""

    train = "train"
    validation = "validation"
    test = "test"


class EvaluationConfig(Settings):
    """One model on one split.

    `model` is an address in the store or the folder of a saved model. `robustness` reads altered images as well, at
    most `robustness_images` of them for each alteration; null takes all. `resamples` are the draws of a bootstrap,
    `seed` is that of everything drawn.
    """

    model: str
    split: SplitName
    robustness: bool
    robustness_images: Count | None
    resamples: Count
    seed: Seed


class EvaluateCommandConfig(EvaluationConfig, Config):
    """Everything that `python -m captcha_exp.evaluate` takes."""
