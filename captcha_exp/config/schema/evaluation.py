"""What is judged, and how thoroughly."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING


class SplitName(Enum):
    """The sides of a division."""

    train = "train"
    validation = "validation"
    test = "test"


@dataclass
class EvaluationConfig:
    """One model on one split.

    `model` is an address in the store or the folder of a saved model. `robustness` reads altered images as well, at
    most `robustness_images` of them for each alteration; null takes all. `resamples` are the draws of a bootstrap,
    `seed` is that of everything drawn.
    """

    model: str = MISSING
    split: SplitName = MISSING
    robustness: bool = MISSING
    robustness_images: int | None = MISSING
    resamples: int = MISSING
    seed: int = MISSING
