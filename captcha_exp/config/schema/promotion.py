"""When a model replaces the one in use."""

from enum import Enum
from typing import Annotated

from pydantic import Field, model_validator

from captcha_exp.config.fields import Count, Must, Number, Positive, Rooted, Seed, Settings, Share, ShareBelowOne
from captcha_exp.config.schema.training import TrackingConfig
from captcha_exp.errors import InputError

RefitOn = Enum("RefitOn", {"train": "train", "train+validation": "train+validation"})
RefitOn.__doc__ = "The images that a model is trained on again."


_MOST_MODEL_NAME = 250  # the limit of MLflow's databases is 256
# A name that MLflow's registry, its search conditions and our model addresses can all hold.
_ModelName = Annotated[
    str,
    Must("a name without /, : and '", lambda name: bool(name) and not set(name) & set("/:'")),
    Must(
        "printable, without blanks around it or a dot before it",
        lambda name: name.isprintable() and name == name.strip() and name[0] != ".",
    ),
    Must(f"at most {_MOST_MODEL_NAME} characters long", lambda name: len(name) <= _MOST_MODEL_NAME),
]


class ChallengerConfig(Settings):
    """Where the challenger comes from: the best run of a sweep, or one run; exactly one of them is set."""

    sweep: str | None
    run: str | None


class RefitConfig(Settings):
    """Trains the chosen configuration again before it is judged."""

    seeds: Annotated[list[Seed], Must("free of repetitions", lambda seeds: len(set(seeds)) == len(seeds))]
    on: RefitOn
    epochs: Count | None


class RuleConfig(Settings):
    """When a challenger is better than the champion, on the same test images.

    The exact McNemar test must give a p-value of at most `alpha` with the challenger ahead, and the bootstrap interval
    of level `1 - alpha` of the difference in sequence accuracy must not reach below `min_difference`.
    """

    alpha: Annotated[Number, Field(gt=0, lt=1)]
    min_difference: ShareBelowOne
    ignore_case: bool
    resamples: Count
    seed: Seed


class LimitsConfig(Settings):
    """Limits of a champion.

    The first champion has no opponent. So the interval of its accuracy must also lie above what one text for all images
    would reach and, with `min_accuracy` null, above a tenth.
    """

    min_accuracy: Share | None
    latency_ms: Positive | None
    parameters: Count | None
    robustness_drop: Share | None
    robustness_images: Count | None


class MovedDatasetConfig(Settings):
    """Where the challenger's training images are now."""

    path: str | None
    image_root: str | None


class PromotionConfig(Rooted):
    """One promotion; `conf/promote.yaml` explains the keys."""

    challenger: ChallengerConfig
    refit: RefitConfig
    rule: RuleConfig
    limits: LimitsConfig
    dataset: MovedDatasetConfig
    tracking: TrackingConfig
    model_name: _ModelName
    dry_run: bool
    rollback: bool
    servable: bool
    force: Annotated[str, Must("a reason in words", lambda reason: bool(reason.strip()))] | None

    @model_validator(mode="after")
    def _one_thing_is_asked_for(self) -> "PromotionConfig":
        named = [name for name in (self.challenger.sweep, self.challenger.run) if name is not None]
        if self.rollback and named:
            raise InputError("rollback=true goes back to the previous champion; it takes neither `sweep=` nor `run=`.")
        if self.rollback and self.force is not None:
            raise InputError("rollback=true goes back without a judgement; force has no meaning for it.")
        if self.rollback and self.dry_run:
            raise InputError(
                "rollback=true changes two aliases and needs no judgement; dry_run=true has no meaning for it."
            )
        if not self.rollback and len(named) != 1:
            raise InputError("One challenger is needed: set either `sweep=NAME` or `run=RUN_ID`.")
        return self
