"""Checks of a typed configuration that need no data: ranges, and values that must go together."""

import math

from captcha_exp.config.schema import (
    CnnKind,
    Config,
    DatasetConfig,
    EncoderConfig,
    KaggleConfig,
    LstmConfig,
    PositionEmbedding,
    PrunerKind,
    RenderedConfig,
    StyledConfig,
    SweepConfig,
)
from captcha_exp.config.style_checks import check_styles
from captcha_exp.config.time_steps import feature_size
from captcha_exp.config.typed import require
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import is_folder_name, shortened


def check_config(config: Config) -> None:
    """Refuse values that are out of range or do not go together, naming the key.

    Raises:
        InputError: with the first such key.
    """
    check_dataset(config.dataset)
    _check_model(config)
    _check_training(config)
    _check_sweep(config.sweep)


def _share(key: str, value: float, *, below_one: bool = False) -> None:
    inside = 0 <= value < 1 if below_one else 0 <= value <= 1
    require(math.isfinite(value) and inside, key, "at least 0 and below 1" if below_one else "from 0 to 1", value)


def _at_least(minimum: int, **values: int | None) -> None:
    """Keys are written `group__key`."""
    for name, value in values.items():
        if value is not None:
            require(value >= minimum, name.replace("__", "."), f"at least {minimum}", value)


def check_dataset(dataset: DatasetConfig) -> None:
    """Refuse values of the group `dataset` that are out of range, naming the key.

    Raises:
        InputError: with the first such key.
    """
    _at_least(8, dataset__image_height=dataset.image_height, dataset__image_width=dataset.image_width)
    _at_least(1, dataset__limit=dataset.limit)
    require(0 <= dataset.background <= 255, "dataset.background", "a grey level from 0 to 255", dataset.background)
    _share("dataset.validation_fraction", dataset.validation_fraction, below_one=True)
    _share("dataset.test_fraction", dataset.test_fraction, below_one=True)
    held_out = dataset.validation_fraction + dataset.test_fraction
    require(held_out < 1, "dataset.validation_fraction + dataset.test_fraction", "below 1", held_out)
    require(dataset.validation_fraction > 0, "dataset.validation_fraction", "above 0", dataset.validation_fraction)
    _share("dataset.max_bad_share", dataset.max_bad_share)
    expected = dataset.expected
    _at_least(1, dataset__expected__images=expected.images, dataset__expected__length=expected.length)
    _share("dataset.expected.images_tolerance", expected.images_tolerance)
    if dataset.vocabulary is not None:
        require(len(dataset.vocabulary) > 0, "dataset.vocabulary", "null or at least one character", dataset.vocabulary)
        repeated = {c for c in dataset.vocabulary if dataset.vocabulary.count(c) > 1}
        require(not repeated, "dataset.vocabulary", "free of repeated characters", "".join(sorted(repeated)))
    if isinstance(dataset, RenderedConfig):
        _at_least(1, dataset__size=dataset.size, dataset__min_length=dataset.min_length)
        require(len(dataset.characters) > 0, "dataset.characters", "at least one character", dataset.characters)
        require(
            dataset.max_length >= dataset.min_length,
            "dataset.max_length",
            f"at least dataset.min_length ({dataset.min_length})",
            dataset.max_length,
        )
    if isinstance(dataset, StyledConfig):
        check_styles(dataset)
    if isinstance(dataset, KaggleConfig):
        require(len(dataset.handles) > 0, "dataset.handles", "at least one Kaggle handle", dataset.handles)


def _check_model(config: Config) -> None:
    cnn, transformer, dataset = config.cnn, config.transformer, config.dataset
    require(len(cnn.filters) > 0, "cnn.filters", "at least one number of filters", cnn.filters)
    require(min(cnn.filters) > 0, "cnn.filters", "positive numbers", cnn.filters)
    stride = cnn.width_stride
    require(stride > 0 and stride & (stride - 1) == 0, "cnn.width_stride", "a power of two", stride)
    require(
        stride <= 2 ** len(cnn.filters) or cnn.kind is CnnKind.custom,
        "cnn.width_stride",
        f"at most {2 ** len(cnn.filters)} with {len(cnn.filters)} entries in cnn.filters",
        stride,
    )
    if cnn.kind is CnnKind.seed:
        require(len(cnn.filters) == 3, "cnn.filters", "three numbers with cnn=seed", cnn.filters)
        require(stride == 4, "cnn.width_stride", "4 with cnn=seed", stride)
    _share("cnn.dropout", cnn.dropout, below_one=True)
    _share("cnn.norm_momentum", cnn.norm_momentum, below_one=True)
    height, width = feature_size(cnn, dataset.image_height, dataset.image_width)
    require(
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
        require(
            units > 0 and units % 2 == 0, "transformer.projection_dim", "even and positive with transformer=lstm", units
        )
    longest = dataset.max_length if isinstance(dataset, RenderedConfig) else 1
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
        training__limit=training.limit,
        decoding__beam_width=config.decoding.beam_width,
    )
    if training.use_validation and (training.patience is not None or config.sweep.trial_id is not None):
        raise InputError(
            "training.use_validation=true leaves no images to choose by: set training.patience=null, and do not search."
        )
    _at_least(0, training__seed=training.seed, tracking__sheet_images=config.tracking.sheet_images)
    rate = optimizer.learning_rate
    require(math.isfinite(rate) and rate > 0, "optimizer.learning_rate", "above 0", rate)
    require(optimizer.weight_decay >= 0, "optimizer.weight_decay", "at least 0", optimizer.weight_decay)
    _share("optimizer.warmup_share", optimizer.warmup_share, below_one=True)
    if optimizer.clip_norm is not None:
        require(optimizer.clip_norm > 0, "optimizer.clip_norm", "null or above 0", optimizer.clip_norm)
    for key, value in vars(augmentation).items():
        require(math.isfinite(value) and value >= 0, f"augmentation.{key}", "at least 0", value)
    for key in ("scale", "translate", "brightness", "contrast", "erase_probability", "erase_share"):
        _share(f"augmentation.{key}", getattr(augmentation, key))
    require(bool(config.tracking.experiment), "tracking.experiment", "a name", config.tracking.experiment)


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
    require(len(sweep.objectives) > 0, "sweep.objectives", "at least one metric", sweep.objectives)
    if sweep.name is not None:
        require(is_folder_name(sweep.name), "sweep.name", "usable as the name of a folder", shortened(sweep.name, 300))
    if len(sweep.objectives) > 1 and sweep.pruner.kind is not PrunerKind.none:
        raise InputError("sweep.pruner.kind must be none with several sweep.objectives: Optuna prunes on one only.")
