"""The typed schema of the configuration, one dataclass per choice in `conf/`."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from omegaconf import MISSING

# ----------------------------------------------------------------- dataset


class DatasetSource(Enum):
    """Where the samples come from."""

    synthetic = "synthetic"
    folder = "folder"
    manifest = "manifest"
    kaggle = "kaggle"


class LabelCase(Enum):
    """What happens to the case of labels before they are used."""

    keep = "keep"
    lower = "lower"
    upper = "upper"


@dataclass
class DatasetConfig:
    """What every source of labelled images has in common.

    `vocabulary` lists the characters that may be read; null takes them from the training labels.
    `limit` keeps that many samples, drawn by `split_seed`; null keeps all.
    `background` is the grey level, 0 to 255, behind transparent pixels and around images whose aspect ratio is kept.
    """

    source: DatasetSource = MISSING
    image_height: int = MISSING
    image_width: int = MISSING
    keep_aspect_ratio: bool = MISSING
    background: int = MISSING
    vocabulary: str | None = MISSING
    label_case: LabelCase = MISSING
    validation_fraction: float = MISSING
    test_fraction: float = MISSING
    split_seed: int = MISSING
    max_bad_share: float = MISSING
    limit: int | None = MISSING


@dataclass
class SyntheticConfig(DatasetConfig):
    """Images rendered on this machine: the same configuration gives the same pixels."""

    size: int = MISSING
    seed: int = MISSING
    characters: str = MISSING
    min_length: int = MISSING
    max_length: int = MISSING


@dataclass
class FolderConfig(DatasetConfig):
    """Image files whose names hold the label: the group `label` of `label_pattern`, matched on the stem."""

    path: str = MISSING
    label_pattern: str = MISSING
    recursive: bool = MISSING


@dataclass
class ManifestConfig(DatasetConfig):
    """A CSV or TSV table of image files, relative to its own folder unless `image_root` is set."""

    path: str = MISSING
    file_column: str = MISSING
    label_column: str = MISSING
    image_root: str | None = MISSING


@dataclass
class KaggleConfig(DatasetConfig):
    """Public Kaggle sets, each by its handle `owner/name`, mixed where there are several."""

    handles: list[str] = MISSING


# ----------------------------------------------------------------- model


class Activation(Enum):
    """Activation functions, by their usual names."""

    relu = "relu"
    swish = "swish"
    gelu = "gelu"  # the tanh form: the exact one has no ONNX operator
    elu = "elu"


class CnnKind(Enum):
    """Families of feature extractors."""

    seed = "seed"
    compact = "compact"
    residual = "residual"
    vgg = "vgg"


@dataclass
class CnnConfig:
    """The feature extractor: each stage has one entry in `filters`, the first log2(`width_stride`) halve the width."""

    kind: CnnKind = MISSING
    filters: list[int] = MISSING
    width_stride: int = MISSING
    activation: Activation = MISSING
    dropout: float = MISSING
    norm_momentum: float = MISSING


class TransformerKind(Enum):
    """Families of sequence models."""

    encoder = "encoder"
    lstm = "lstm"
    none = "none"


class NormPlacement(Enum):
    """Layer normalisation before a sublayer or after its residual sum."""

    pre = "pre"
    post = "post"


class PositionEmbedding(Enum):
    """How time steps are told apart."""

    learned = "learned"
    sinusoidal = "sinusoidal"
    none = "none"


@dataclass
class TransformerConfig:
    """What stands between the features and the classifier. `none` has nothing but this dropout."""

    kind: TransformerKind = MISSING
    dropout: float = MISSING


@dataclass
class EncoderConfig(TransformerConfig):
    """Self-attention blocks. `key_dim` null means `projection_dim / num_heads`."""

    num_heads: int = MISSING
    key_dim: int | None = MISSING
    projection_dim: int = MISSING
    depth: int = MISSING
    feed_forward_dim: int = MISSING
    activation: Activation = MISSING
    norm: NormPlacement = MISSING
    position_embedding: PositionEmbedding = MISSING


@dataclass
class LstmConfig(TransformerConfig):
    """Bidirectional LSTM layers of `projection_dim` units, half of them in each direction."""

    projection_dim: int = MISSING
    depth: int = MISSING


class DecodingKind(Enum):
    """Ways from class probabilities to text."""

    greedy = "greedy"
    beam = "beam"


@dataclass
class DecodingConfig:
    """How class probabilities become text. `beam_width` has no effect on greedy decoding."""

    kind: DecodingKind = MISSING
    beam_width: int = MISSING


# ----------------------------------------------------------------- training


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
    """`patience` null trains all epochs; `threads` null uses every core; `resume` continues an interrupted run."""

    epochs: int = MISSING
    batch_size: int = MISSING
    seed: int = MISSING
    patience: int | None = MISSING
    threads: int | None = MISSING
    resume: bool = MISSING


@dataclass
class TrackingConfig:
    """`uri` null is an SQLite database under `root/mlruns`."""

    uri: str | None = MISSING
    experiment: str = MISSING
    run_name: str | None = MISSING
    log_model: bool = MISSING
    sheet_images: int = MISSING


# ----------------------------------------------------------------- sweep


class SamplerKind(Enum):
    """Who proposes the next trial."""

    tpe = "tpe"
    gp = "gp"
    random = "random"
    grid = "grid"
    nsga2 = "nsga2"


@dataclass
class SamplerConfig:
    """`seed` null lets the system choose; workers always differ in it.

    `n_startup_trials` are random for tpe and gp, and one generation for nsga2. A grid needs countable values.
    """

    kind: SamplerKind = MISSING
    seed: int | None = MISSING
    n_startup_trials: int = MISSING


class PrunerKind(Enum):
    """Who stops trials that fall behind."""

    none = "none"
    median = "median"
    hyperband = "hyperband"


@dataclass
class PrunerConfig:
    """When a trial is not worth going on with, judged by the first objective at each epoch.

    `n_warmup_epochs` is also hyperband's least number of epochs; `reduction_factor` is hyperband's alone. `patience`
    lets the pruner act only after that many epochs without improvement; null does not wait.
    """

    kind: PrunerKind = MISSING
    n_startup_trials: int = MISSING
    n_warmup_epochs: int = MISSING
    reduction_factor: int = MISSING
    patience: int | None = MISSING


class Direction(Enum):
    """Which way of a metric is better."""

    maximize = "maximize"
    minimize = "minimize"


@dataclass
class ObjectiveConfig:
    """One metric of a finished run, and which way is better. The first is also what pruning looks at."""

    metric: str = MISSING
    direction: Direction = MISSING


@dataclass
class SweepConfig:
    """A search. `space` maps keys to Hydra override syntax; `trial_id` is set by the sweep for each job.

    `storage` null is an SQLite database in the sweep's folder. `n_trials` is a total over all workers and restarts.
    A worker that was silent for four `heartbeat_s` counts as dead; its trial is retried at most `max_retries` times.
    The sweep stops when its first `stop_after_failures` trials all fail with the same reason.
    """

    name: str | None = MISSING
    n_trials: int = MISSING
    workers: int = MISSING
    storage: str | None = MISSING
    space: dict[str, Any] = MISSING
    sampler: SamplerConfig = MISSING
    pruner: PrunerConfig = MISSING
    objectives: list[ObjectiveConfig] = MISSING
    heartbeat_s: int = MISSING
    max_retries: int = MISSING
    stop_after_failures: int = MISSING
    trial_id: int | None = MISSING


@dataclass
class Config:
    """One experiment, whole. `root` is the folder under which `sweeps/`, `mlruns/`, `outputs/` and `cache/` lie."""

    root: str
    dataset: DatasetConfig
    augmentation: AugmentationConfig
    cnn: CnnConfig
    transformer: TransformerConfig
    decoding: DecodingConfig
    optimizer: OptimizerConfig
    training: TrainingConfig
    tracking: TrackingConfig
    sweep: SweepConfig

    @property
    def root_path(self) -> Path:
        return Path(self.root).expanduser().resolve()
