"""The configuration of an evaluation."""

from enum import Enum

from captcha_exp.config.fields import Count, Seed, Settings
from captcha_exp.config.schema.experiment import Config


class SplitName(Enum):
    """The splits of a dataset."""

    train = "train"
    validation = "validation"
    test = "test"


class EvaluationConfig(Settings):
    """One model on one split.

    `model` is an address in the store or the folder of a saved model. `robustness` also reads altered images, at
    most `robustness_images` for each alteration; null reads all. `resamples` is the number of bootstrap draws;
    `seed` seeds all random draws.
    """

    model: str
    split: SplitName
    robustness: bool
    robustness_images: Count | None
    resamples: Count
    seed: Seed


class EvaluateCommandConfig(EvaluationConfig, Config):
    """Everything that `python -m captcha_exp.evaluate` takes."""
