"""When a model takes the place of the one in use."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from omegaconf import MISSING

from captcha_exp.config.schema.training import TrackingConfig

RefitOn = Enum("RefitOn", {"train": "train", "train+validation": "train+validation"})
RefitOn.__doc__ = "The images that a model is trained on again."


@dataclass
class ChallengerConfig:
    """Where the challenger comes from: the best run of a sweep, or one run; exactly one of them is set."""

    sweep: str | None = MISSING
    run: str | None = MISSING


@dataclass
class RefitConfig:
    """Training the chosen configuration again before it is judged, once for each of `seeds`; no seeds, no refit.

    `epochs` null keeps the number of the chosen run.
    """

    seeds: list[int] = MISSING
    on: RefitOn = MISSING
    epochs: int | None = MISSING


@dataclass
class RuleConfig:
    """When a challenger is better than the champion, on the same test images.

    The exact McNemar test must give a p-value of at most `alpha` with the challenger ahead, and the bootstrap interval
    of level `1 - alpha` of the difference in sequence accuracy must not reach below `min_difference`.
    """

    alpha: float = MISSING
    min_difference: float = MISSING
    ignore_case: bool = MISSING
    resamples: int = MISSING
    seed: int = MISSING


@dataclass
class LimitsConfig:
    """What no champion may exceed; null sets no limit and measures nothing.

    `latency_ms` is the median time of one image, `robustness_drop` the accuracy from 0 to 1 that altered images cost
    on average, measured on at most `robustness_images` images.
    """

    min_accuracy: float | None = MISSING
    latency_ms: float | None = MISSING
    parameters: int | None = MISSING
    robustness_drop: float | None = MISSING
    robustness_images: int | None = MISSING


@dataclass
class MovedDatasetConfig:
    """Where the images are that the challenger was trained with; null looks where its run found them."""

    path: str | None = MISSING
    image_root: str | None = MISSING


@dataclass
class PromotionConfig:
    """One promotion, whole.

    `dry_run` changes nothing; `rollback` makes the previous champion champion again. `servable` gives a new champion
    the form that is served, and registers it only if that reads validation images as the trained model does.
    """

    root: str
    challenger: ChallengerConfig
    refit: RefitConfig
    rule: RuleConfig
    limits: LimitsConfig
    dataset: MovedDatasetConfig
    tracking: TrackingConfig
    model_name: str = MISSING
    dry_run: bool = MISSING
    rollback: bool = MISSING
    servable: bool = MISSING

    @property
    def root_path(self) -> Path:
        return Path(self.root).expanduser().resolve()
