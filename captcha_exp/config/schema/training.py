"""How a recogniser is trained, and where the run is tracked."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from captcha_exp.config.fields import (
    Count,
    FunctionName,
    Name,
    NotNegative,
    NotNegativeWhole,
    Positive,
    Seed,
    Settings,
    Share,
    ShareBelowOne,
)
from captcha_exp.errors import InputError


class AugmentationConfig(Settings):
    """How strongly training images are altered. Every value is an upper bound; 0 switches that alteration off.

    `scale`, `translate`, `brightness` and `contrast` are shares, `noise_stddev` is in units of the pixel range,
    `erase_probability` is per image and `erase_share` the largest side of the erased box as a share of the image's.
    `invert_probability` is per image, and swaps light and dark.
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
    function: FunctionName | None
    options: dict[str, Any]

    @property
    def bounds(self) -> list[float]:
        """All bounds; if all are zero, nothing is altered."""
        return [value for value in vars(self).values() if isinstance(value, float)]


# Metrics of every training.
OWN_METRICS = (
    *("ctc_loss", "sequence_accuracy", "sequence_accuracy_ignore_case", "character_error_rate", "length_error_rate"),
)


class TrainingConfig(Settings):
    """How long, with what, and from where.

    Either `epochs` or `minutes` ends the training, and the other is null. The minutes include evaluations and
    checkpoints. The schedules follow the minutes, so the result depends on the machine and its other work.
    `ema_decay` is the decay of an exponential moving average of all weights. The average is judged, kept and saved in
    place of the weights; null does not average.
    `auxiliary_ctc` is the weight of a second CTC loss, on the features before the sequence model; 0 computes none.
    In the last `unaltered_share` of the training, images are not altered.
    `limit` trains on that many of the training images, drawn by `seed`; null on all.
    `use_validation` also trains on the validation images; then no images can choose an epoch, so the last is kept.
    `initial_model` is the address of a trained model of the same architecture, with the first weights. `shipped` takes
    the weights that come with the package; null starts with random weights. `patience` null trains all epochs;
    `threads` null uses every core; `resume` continues an interrupted run. `metrics` are the user's own metrics: name
    and `MODULE:FUNCTION`. It takes the labels and the texts that were read. Its result is logged as `val/NAME` after
    each epoch.
    """

    epochs: Count | None
    minutes: Positive | None
    batch_size: Count
    ema_decay: ShareBelowOne | None
    auxiliary_ctc: NotNegative
    unaltered_share: Share
    seed: Seed
    patience: Count | None
    threads: Count | None
    limit: Count | None
    use_validation: bool
    initial_model: str | None
    resume: bool
    metrics: dict[str, FunctionName]

    @model_validator(mode="after")
    def _metrics_have_names(self) -> "TrainingConfig":
        for name in self.metrics:
            if not name.isidentifier() or name in OWN_METRICS:
                raise InputError(
                    f"metrics: a metric has a name like a variable, and none of the project's, not {name!r}."
                )
        return self

    @model_validator(mode="after")
    def _one_ends_the_training(self) -> "TrainingConfig":
        if self.epochs is None and self.minutes is None:
            raise InputError("epochs and training.minutes are both null; set one of them, e.g. `training.epochs=30`.")
        if self.epochs is not None and self.minutes is not None:
            raise InputError(
                f"minutes={self.minutes:g} and training.epochs={self.epochs} cannot both end the training; "
                "set one of them to null, e.g. `training.epochs=null`."
            )
        return self

    @model_validator(mode="after")
    def _an_epoch_can_be_chosen(self) -> "TrainingConfig":
        if self.use_validation and self.patience is not None:
            raise InputError("use_validation=true leaves no images to choose by: set training.patience=null.")
        return self


class TrackingConfig(Settings):
    """`uri` null is an SQLite database under `root/mlruns`."""

    uri: Annotated[str | None, Field(repr=False)]
    experiment: Name
    run_name: str | None
    log_model: bool
    sheet_images: NotNegativeWhole
