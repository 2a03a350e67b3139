"""The configuration of an evaluation."""

from enum import Enum

from captcha_exp.config.fields import Count, Seed, Settings
from captcha_exp.config.schema.experiment import Config


class SplitName(Enum):
    """The splits of a dataset; `all` makes one test split of all its images."""

    train = "train"
    validation = "validation"
    test = "test"
    all = "all"


class EvaluationConfig(Settings):
    """One model on one split; `conf/evaluate.yaml` explains the keys."""

    model: str
    split: SplitName
    robustness: bool
    robustness_images: Count | None
    resamples: Count
    seed: Seed


class EvaluateCommandConfig(EvaluationConfig, Config):
    """Everything that `captcha-exp evaluate` takes."""
