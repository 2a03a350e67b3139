"""How a recogniser is trained, and where the run is tracked."""

from enum import Enum
from typing import Annotated, Any

from pydantic import Field, model_validator

from captcha_exp.config.fields import (
    Count,
    Few,
    FunctionName,
    Name,
    NotNegative,
    NotNegativeWhole,
    Positive,
    Seed,
    Settings,
    Share,
    ShareBelowHalf,
    ShareBelowOne,
    Whole,
)
from captcha_exp.errors import InputError


class AugmentationConfig(Settings):
    """How strongly training images are altered. Every value is an upper bound; 0 switches that alteration off.

    `scale`, `translate`, `brightness` and `contrast` are shares, `noise_stddev` is in units of the pixel range,
    `erase_probability` is per image and `erase_share` the largest side of the erased box as a share of the image's.
    `invert_probability` is per image, and swaps light and dark. `perspective` is the share by which one end is nearer
    than the middle, `bend` the height of waves as a share of the image's. `recolor_probability` is per image, and swaps
    and inverts its colour channels; it leaves grey images. `strokes` is the number of lines that may be drawn over the
    text, most in its colour, each as wide as `stroke_width`, a share of the image's height.
    `function` is the user's own `MODULE:FUNCTION`, applied first; null is none. It takes uint8 images (B, H, W), in
    colour (B, H, W, 3), a NumPy generator and this configuration, and returns as many of the same shape. Only it uses
    `options`.
    """

    rotation_degrees: NotNegative
    shear_degrees: NotNegative
    scale: Share
    translate: Share
    brightness: Share
    contrast: Share
    noise_stddev: NotNegative
    erase_probability: Share
    erase_share: Share
    invert_probability: Share
    perspective: ShareBelowHalf
    bend: Share
    recolor_probability: Share
    strokes: Few
    stroke_width: Share
    function: FunctionName | None
    options: dict[str, Any]

    @property
    def bounds(self) -> list[float]:
        """All bounds; if all are zero, nothing is altered."""
        return [value for value in vars(self).values() if isinstance(value, int | float)]


# Metrics of every training.
OWN_METRICS = (
    *("ctc_loss", "sequence_accuracy", "sequence_accuracy_ignore_case", "character_error_rate", "length_error_rate"),
)


class MemberData(Enum):
    """Which training images a member learns from: all, or all but one of as many parts as there are members."""

    all = "all"
    folds = "folds"


class Combine(Enum):
    """How trained members become one model: they vote, their weights are averaged, or one more learns from the vote."""

    vote = "vote"
    average = "average"
    distil = "distil"


class TrainingConfig(Settings):
    """How long, with what, and from where; `conf/training/standard.yaml` explains the keys.

    Either `epochs` or `minutes` ends the training, and the other is null. The minutes include evaluations and
    checkpoints, and the schedules follow them.
    """

    epochs: Count | None
    minutes: Positive | None
    batch_size: Count
    ema_decay: ShareBelowOne | None
    auxiliary_ctc: NotNegative
    unaltered_share: Share
    members: Annotated[Whole, Field(ge=1, le=16)]
    member_data: MemberData
    combine: Combine
    distil_weight: Positive
    views: Annotated[Whole, Field(ge=1, le=6)]
    seed: Seed
    patience: Count | None
    threads: Count | None
    limit: Count | None
    use_validation: bool
    initial_model: str | None
    unlabelled: str | None
    unlabelled_rounds: Count
    unlabelled_confidence: Share
    resume: bool
    metrics: dict[str, FunctionName]

    @property
    def votes(self) -> bool:
        """Whether a model is made that runs all members."""
        return self.members > 1 and self.combine is not Combine.average

    @model_validator(mode="after")
    def _metrics_have_names(self) -> "TrainingConfig":
        for name in self.metrics:
            if not name.isidentifier() or name in OWN_METRICS:
                raise InputError(
                    f"metrics: a metric has a name like a variable, and none of the project's, not {name!r}."
                )
        return self

    @model_validator(mode="after")
    def _at_most_one_ends_the_training(self) -> "TrainingConfig":
        if self.epochs is not None and self.minutes is not None:
            raise InputError(
                f"minutes={self.minutes:g} and training.epochs={self.epochs} cannot both end the training; "
                "set one of them to null, e.g. `training.epochs=null`."
            )
        return self

    @model_validator(mode="after")
    def _averaged_members_start_alike(self) -> "TrainingConfig":
        if self.combine is Combine.average and self.members > 1 and self.initial_model is None:
            raise InputError(
                "combine=average means nothing if each member starts from other random weights; "
                "set training.initial_model=... or training.combine=vote."
            )
        return self

    @model_validator(mode="after")
    def _one_network_teaches_itself(self) -> "TrainingConfig":
        if self.unlabelled is not None and self.members > 1:
            raise InputError(
                f"unlabelled={self.unlabelled} lets one network read for itself; set training.members=1, "
                f"not {self.members}."
            )
        return self

    @model_validator(mode="after")
    def _an_epoch_can_be_chosen(self) -> "TrainingConfig":
        if self.use_validation and self.patience is not None:
            raise InputError("use_validation=true leaves no images to choose by: set training.patience=null.")
        return self


class TrackingConfig(Settings):
    """Where runs are kept; `conf/tracking/local.yaml` explains the keys."""

    uri: Annotated[str | None, Field(repr=False)]
    experiment: Name
    run_name: str | None
    log_model: bool
    sheet_images: NotNegativeWhole
    system_metrics: bool
