"""The typed configuration, one dataclass per choice in `conf/`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from captcha_exp.errors import InputError

PACKAGE_DIR = Path(__file__).resolve().parent


def conf_dir() -> Path:
    """Folder of the shipped `conf/`: inside an installed wheel, or beside the package in a checkout."""
    installed = PACKAGE_DIR / "conf"
    return installed if installed.is_dir() else PACKAGE_DIR.parent / "conf"


# --------------------------------------------------------------------------- dataset


class DatasetSource(Enum):
    synthetic = "synthetic"
    folder = "folder"
    manifest = "manifest"
    kaggle = "kaggle"


class LabelCase(Enum):
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


# --------------------------------------------------------------------------- model


class Activation(Enum):
    relu = "relu"
    swish = "swish"
    gelu = "gelu"  # the tanh form: the exact one has no ONNX operator
    elu = "elu"


class CnnKind(Enum):
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
    encoder = "encoder"
    lstm = "lstm"
    none = "none"


class NormPlacement(Enum):
    pre = "pre"
    post = "post"


class PositionEmbedding(Enum):
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
    greedy = "greedy"
    beam = "beam"


@dataclass
class DecodingConfig:
    """How class probabilities become text. `beam_width` has no effect on greedy decoding."""

    kind: DecodingKind = MISSING
    beam_width: int = MISSING


# --------------------------------------------------------------------------- training


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
    adamw = "adamw"
    adam = "adam"


class Schedule(Enum):
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


# --------------------------------------------------------------------------- sweep


class SamplerKind(Enum):
    tpe = "tpe"
    gp = "gp"
    random = "random"
    grid = "grid"
    nsga2 = "nsga2"


@dataclass
class SamplerConfig:
    """`seed` null lets the system choose; workers always differ in it."""

    kind: SamplerKind = MISSING
    seed: int | None = MISSING
    n_startup_trials: int = MISSING


class PrunerKind(Enum):
    none = "none"
    median = "median"
    hyperband = "hyperband"


@dataclass
class PrunerConfig:
    """`patience` wraps the pruner so that it waits that many epochs without improvement; null does not wrap."""

    kind: PrunerKind = MISSING
    n_startup_trials: int = MISSING
    n_warmup_epochs: int = MISSING
    reduction_factor: int = MISSING
    patience: int | None = MISSING


class Direction(Enum):
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


_GROUPS: dict[str, type] = {
    "dataset": DatasetConfig,
    "augmentation": AugmentationConfig,
    "cnn": CnnConfig,
    "transformer": TransformerConfig,
    "decoding": DecodingConfig,
    "optimizer": OptimizerConfig,
    "training": TrainingConfig,
    "tracking": TrackingConfig,
    "sweep": SweepConfig,
}
# Groups whose keys depend on one of them: the deciding key, and the schema each of its values brings.
_VARIANTS: dict[str, tuple[str, dict[str, type]]] = {
    "dataset": (
        "source",
        {"synthetic": SyntheticConfig, "folder": FolderConfig, "manifest": ManifestConfig, "kaggle": KaggleConfig},
    ),
    "transformer": ("kind", {"encoder": EncoderConfig, "lstm": LstmConfig, "none": TransformerConfig}),
}


def load_config(composed: DictConfig | Mapping[str, Any]) -> Config:
    """Turn a composed configuration into typed dataclasses, with every check that needs no data.

    Args:
        composed: what Hydra composed, or a plain nested mapping of the same keys.

    Raises:
        InputError: a key is unknown or missing, a value has the wrong type, or values do not go together.
    """
    try:
        plain = OmegaConf.to_container(OmegaConf.create(composed), resolve=True)  # type: ignore[arg-type]
    except OmegaConfBaseException as error:
        raise InputError(_first_line(error)) from error
    if not isinstance(plain, dict):
        raise InputError("The configuration must be a mapping of groups, e.g. `training: {epochs: 3}`.")
    unknown = set(plain) - set(_GROUPS) - {"root", "hydra"}
    if unknown:
        raise InputError(
            f"Key {min(map(str, unknown))!r} is not part of the configuration; groups are {', '.join(_GROUPS)}."
        )
    missing = [name for name in _GROUPS if name not in plain]
    if missing:
        raise InputError(f"The configuration has no group {missing[0]!r}; choose one with `{missing[0]}=...`.")
    groups = {name: _typed(name, plain[name]) for name in _GROUPS}
    config = Config(root=str(plain.get("root", ".")), **groups)
    check_config(config)
    return config


def to_plain(config: Any) -> dict[str, Any]:
    """The inverse of `load_config`: nested plain values (enums by name), fit for YAML, JSON and hashing."""
    return cast(dict[str, Any], OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined with dots; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _typed(group: str, values: Any) -> Any:
    if not isinstance(values, dict):
        raise InputError(f"{group} must be a mapping of keys, not {values!r}; choose one with `{group}=...`.")
    schema = _schema(group, values)
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), values))
    except MissingMandatoryValue as error:
        raise InputError(f"{group}.{error.full_key} is missing; set `{group}.{error.full_key}=...`.") from error
    except OmegaConfBaseException as error:
        key = f"{group}.{error.full_key}" if error.full_key else group
        raise InputError(f"{key}: {_first_line(error)}.") from error


def _schema(group: str, values: dict[str, Any]) -> type:
    if group not in _VARIANTS:
        return _GROUPS[group]
    key, schemas = _VARIANTS[group]
    choice = values.get(key)
    choice = choice.name if isinstance(choice, Enum) else choice
    if choice not in schemas:
        raise InputError(f"{group}.{key} must be one of {', '.join(schemas)}, not {choice!r}.")
    return schemas[choice]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


# --------------------------------------------------------------------------- checks across keys and groups


def feature_size(cnn: CnnConfig, image_height: int, image_width: int) -> tuple[int, int]:
    """Height and width of the feature map; its width is the number of time steps.

    Pooling of `seed` and `vgg` drops an odd last row or column; strides of `compact` and `residual` keep it.
    """
    if cnn.kind is CnnKind.seed:
        return image_height // 2 // 2 // 2, image_width // 2 // 2
    halvings = cnn.width_stride.bit_length() - 1
    height, width = image_height, image_width
    rounding = 0 if cnn.kind is CnnKind.vgg else 1
    for stage in range(len(cnn.filters)):
        height = (height + rounding) // 2
        width = (width + rounding) // 2 if stage < halvings else width
    return height, width


def time_steps(config: Config) -> int:
    """Number of time steps T that the recogniser gives for an image."""
    return feature_size(config.cnn, config.dataset.image_height, config.dataset.image_width)[1]


def min_time_steps(label: str) -> int:
    """Fewest time steps in which CTC can emit `label`.

    CTC parts two equal neighbours with a blank, so each adjacent repeat costs one step more.

    Source:
        Graves et al. 2006, section 3.1.
    """
    return len(label) + sum(left == right for left, right in zip(label, label[1:], strict=False))


def check_config(config: Config) -> None:
    """Refuse values that are out of range or do not go together, naming the key.

    Raises:
        InputError: with the first such key.
    """
    _check_dataset(config.dataset)
    _check_model(config)
    _check_training(config)
    _check_sweep(config.sweep)


def _require(holds: bool, key: str, expected: str, received: object) -> None:
    if not holds:
        raise InputError(f"{key} must be {expected}, not {received!r}.")


def _share(key: str, value: float, *, below_one: bool = False) -> None:
    inside = 0 <= value < 1 if below_one else 0 <= value <= 1
    _require(math.isfinite(value) and inside, key, "at least 0 and below 1" if below_one else "from 0 to 1", value)


def _at_least(minimum: int, **values: int | None) -> None:
    """Keys are written `group__key`."""
    for name, value in values.items():
        if value is not None:
            _require(value >= minimum, name.replace("__", "."), f"at least {minimum}", value)


def _check_dataset(dataset: DatasetConfig) -> None:
    _at_least(8, dataset__image_height=dataset.image_height, dataset__image_width=dataset.image_width)
    _at_least(1, dataset__limit=dataset.limit)
    _require(0 <= dataset.background <= 255, "dataset.background", "a grey level from 0 to 255", dataset.background)
    _share("dataset.validation_fraction", dataset.validation_fraction, below_one=True)
    _share("dataset.test_fraction", dataset.test_fraction, below_one=True)
    held_out = dataset.validation_fraction + dataset.test_fraction
    _require(held_out < 1, "dataset.validation_fraction + dataset.test_fraction", "below 1", held_out)
    _require(dataset.validation_fraction > 0, "dataset.validation_fraction", "above 0", dataset.validation_fraction)
    _share("dataset.max_bad_share", dataset.max_bad_share)
    if dataset.vocabulary is not None:
        _require(
            len(dataset.vocabulary) > 0, "dataset.vocabulary", "null or at least one character", dataset.vocabulary
        )
        repeated = {c for c in dataset.vocabulary if dataset.vocabulary.count(c) > 1}
        _require(not repeated, "dataset.vocabulary", "free of repeated characters", "".join(sorted(repeated)))
    if isinstance(dataset, SyntheticConfig):
        _at_least(1, dataset__size=dataset.size, dataset__min_length=dataset.min_length)
        _require(len(dataset.characters) > 0, "dataset.characters", "at least one character", dataset.characters)
        _require(
            dataset.max_length >= dataset.min_length,
            "dataset.max_length",
            f"at least dataset.min_length ({dataset.min_length})",
            dataset.max_length,
        )
    if isinstance(dataset, KaggleConfig):
        _require(len(dataset.handles) > 0, "dataset.handles", "at least one Kaggle handle", dataset.handles)


def _check_model(config: Config) -> None:
    cnn, transformer, dataset = config.cnn, config.transformer, config.dataset
    _require(len(cnn.filters) > 0, "cnn.filters", "at least one number of filters", cnn.filters)
    _require(min(cnn.filters) > 0, "cnn.filters", "positive numbers", cnn.filters)
    stride = cnn.width_stride
    _require(stride > 0 and stride & (stride - 1) == 0, "cnn.width_stride", "a power of two", stride)
    _require(
        stride <= 2 ** len(cnn.filters),
        "cnn.width_stride",
        f"at most {2 ** len(cnn.filters)} with {len(cnn.filters)} entries in cnn.filters",
        stride,
    )
    if cnn.kind is CnnKind.seed:
        _require(len(cnn.filters) == 3, "cnn.filters", "three numbers with cnn=seed", cnn.filters)
        _require(stride == 4, "cnn.width_stride", "4 with cnn=seed", stride)
    _share("cnn.dropout", cnn.dropout, below_one=True)
    _share("cnn.norm_momentum", cnn.norm_momentum, below_one=True)
    height, width = feature_size(cnn, dataset.image_height, dataset.image_width)
    _require(
        height > 0 and width > 0,
        "dataset.image_height and dataset.image_width",
        f"larger for the {len(cnn.filters)} stages of this cnn",
        f"{dataset.image_height}x{dataset.image_width}",
    )
    _share("transformer.dropout", transformer.dropout, below_one=True)
    if isinstance(transformer, EncoderConfig):
        _check_encoder(transformer)
    if isinstance(transformer, LstmConfig):
        _at_least(1, transformer__depth=transformer.depth)
        units = transformer.projection_dim
        _require(
            units > 0 and units % 2 == 0, "transformer.projection_dim", "even and positive with transformer=lstm", units
        )
    longest = dataset.max_length if isinstance(dataset, SyntheticConfig) else 1
    if width < longest:
        raise InputError(
            f"dataset.max_length is {longest}, but this model gives {width} time steps. "
            "Lower `cnn.width_stride` or raise `dataset.image_width`."
        )


def _check_encoder(encoder: EncoderConfig) -> None:
    _at_least(
        1,
        transformer__num_heads=encoder.num_heads,
        transformer__key_dim=encoder.key_dim,
        transformer__projection_dim=encoder.projection_dim,
        transformer__depth=encoder.depth,
        transformer__feed_forward_dim=encoder.feed_forward_dim,
    )
    if encoder.key_dim is None and encoder.projection_dim % encoder.num_heads:
        raise InputError(
            f"transformer.projection_dim {encoder.projection_dim} is not divisible by "
            f"transformer.num_heads {encoder.num_heads}; change one of them or set `transformer.key_dim`."
        )
    if encoder.position_embedding is PositionEmbedding.sinusoidal and encoder.projection_dim % 2:
        raise InputError(
            f"transformer.projection_dim must be even for sinusoidal positions, not {encoder.projection_dim}."
        )


def _check_training(config: Config) -> None:
    training, optimizer, augmentation = config.training, config.optimizer, config.augmentation
    _at_least(
        1,
        training__epochs=training.epochs,
        training__batch_size=training.batch_size,
        training__patience=training.patience,
        training__threads=training.threads,
        decoding__beam_width=config.decoding.beam_width,
    )
    _at_least(0, training__seed=training.seed, tracking__sheet_images=config.tracking.sheet_images)
    rate = optimizer.learning_rate
    _require(math.isfinite(rate) and rate > 0, "optimizer.learning_rate", "above 0", rate)
    _require(optimizer.weight_decay >= 0, "optimizer.weight_decay", "at least 0", optimizer.weight_decay)
    _share("optimizer.warmup_share", optimizer.warmup_share, below_one=True)
    if optimizer.clip_norm is not None:
        _require(optimizer.clip_norm > 0, "optimizer.clip_norm", "null or above 0", optimizer.clip_norm)
    for key, value in vars(augmentation).items():
        _require(math.isfinite(value) and value >= 0, f"augmentation.{key}", "at least 0", value)
    for key in ("scale", "translate", "brightness", "contrast", "erase_probability", "erase_share"):
        _share(f"augmentation.{key}", getattr(augmentation, key))
    _require(bool(config.tracking.experiment), "tracking.experiment", "a name", config.tracking.experiment)


def _check_sweep(sweep: SweepConfig) -> None:
    _at_least(
        1,
        sweep__n_trials=sweep.n_trials,
        sweep__workers=sweep.workers,
        sweep__heartbeat_s=sweep.heartbeat_s,
        sweep__stop_after_failures=sweep.stop_after_failures,
        sweep__sampler__n_startup_trials=sweep.sampler.n_startup_trials,
        sweep__pruner__patience=sweep.pruner.patience,
    )
    _at_least(
        0,
        sweep__max_retries=sweep.max_retries,
        sweep__pruner__n_startup_trials=sweep.pruner.n_startup_trials,
        sweep__pruner__n_warmup_epochs=sweep.pruner.n_warmup_epochs,
    )
    _at_least(2, sweep__pruner__reduction_factor=sweep.pruner.reduction_factor)
    _require(len(sweep.objectives) > 0, "sweep.objectives", "at least one metric", sweep.objectives)
    if sweep.name is not None:
        plain = sweep.name not in {"", ".", ".."} and not set(sweep.name) & set("/\\\0\n")
        _require(plain, "sweep.name", "usable as the name of a folder", sweep.name)
    if len(sweep.objectives) > 1 and sweep.pruner.kind is not PrunerKind.none:
        raise InputError("sweep.pruner.kind must be none with several sweep.objectives: Optuna prunes on one only.")
