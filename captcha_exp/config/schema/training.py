"""How a recogniser is trained, and where that is tracked."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING


@dataclass
class AugmentationConfig:
    """How strongly training images are altered; every value is an upper bound, 0 leaves that alteration out.

    `scale`, `translate`, `brightness` and `contrast` are shares, `noise_stddev` is in units of the pixel range,
    `erase_probability` is per image and `erase_share` the largest side of the erased box as a share of the image's.
    """

    rotation_degrees: float = MISSING
    shear_degrees: float = MISSING
    scale: float = MISSING
    translate: float = MISSING
    brightness: float = MISSING
    contrast: float = MISSING
    noise_stddev: float = MISSING
    erase_probability: float = MISSING
    erase_share: float = MISSING


class OptimizerKind(Enum):
    """Optimizers."""

    adamw = "adamw"
    adam = "adam"


class Schedule(Enum):
    """How the learning rate moves after warm-up."""

    cosine = "cosine"
    constant = "constant"


@dataclass
class OptimizerConfig:
    """`warmup_share` is the share of all steps; `clip_norm` null does not clip."""

    kind: OptimizerKind = MISSING
    learning_rate: float = MISSING
    weight_decay: float = MISSING
    schedule: Schedule = MISSING
    warmup_share: float = MISSING
    clip_norm: float | None = MISSING


@dataclass
class TrainingConfig:
    """How long, with what, and from where.

    `limit` trains on that many of the training images, drawn by `seed`; null on all.
    `use_validation` trains on the validation images too; with nothing left to choose an epoch by, the last is kept.
    `initial_model` is the address of a trained model of the same architecture whose weights are the start; null starts
    from random ones. `patience` null trains all epochs; `threads` null uses every core; `resume` continues an
    interrupted run.
    """

    epochs: int = MISSING
    batch_size: int = MISSING
    seed: int = MISSING
    patience: int | None = MISSING
    threads: int | None = MISSING
    limit: int | None = MISSING
    use_validation: bool = MISSING
    initial_model: str | None = MISSING
    resume: bool = MISSING


@dataclass
class TrackingConfig:
    """`uri` null is an SQLite database under `root/mlruns`."""

    uri: str | None = field(default=MISSING, repr=False)
    experiment: str = MISSING
    run_name: str | None = MISSING
    log_model: bool = MISSING
    sheet_images: int = MISSING
