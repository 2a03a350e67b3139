"""The typed schema of the configuration, one dataclass per choice in `conf/`."""

from dataclasses import dataclass
from pathlib import Path

from captcha_exp.config.schema.dataset import (
    DatasetConfig,
    DatasetSource,
    ExpectedConfig,
    FolderConfig,
    KaggleConfig,
    LabelCase,
    ManifestConfig,
    RenderedConfig,
    StyledConfig,
    SyntheticConfig,
)
from captcha_exp.config.schema.model import (
    Activation,
    CnnConfig,
    CnnKind,
    DecodingConfig,
    DecodingKind,
    EncoderConfig,
    LstmConfig,
    NormPlacement,
    PositionEmbedding,
    TransformerConfig,
    TransformerKind,
)
from captcha_exp.config.schema.style import Frame, StyleConfig, Texture
from captcha_exp.config.schema.sweep import (
    Direction,
    ObjectiveConfig,
    PrunerConfig,
    PrunerKind,
    SamplerConfig,
    SamplerKind,
    SweepConfig,
)
from captcha_exp.config.schema.training import (
    AugmentationConfig,
    OptimizerConfig,
    OptimizerKind,
    Schedule,
    TrackingConfig,
    TrainingConfig,
)

__all__ = [
    "Activation",
    "AugmentationConfig",
    "CnnConfig",
    "CnnKind",
    "Config",
    "DatasetConfig",
    "DatasetSource",
    "DecodingConfig",
    "DecodingKind",
    "Direction",
    "EncoderConfig",
    "ExpectedConfig",
    "FolderConfig",
    "Frame",
    "KaggleConfig",
    "LabelCase",
    "LstmConfig",
    "ManifestConfig",
    "NormPlacement",
    "ObjectiveConfig",
    "OptimizerConfig",
    "OptimizerKind",
    "PositionEmbedding",
    "PrunerConfig",
    "PrunerKind",
    "RenderedConfig",
    "SamplerConfig",
    "SamplerKind",
    "Schedule",
    "StyleConfig",
    "StyledConfig",
    "SweepConfig",
    "SyntheticConfig",
    "Texture",
    "TrackingConfig",
    "TrainingConfig",
    "TransformerConfig",
    "TransformerKind",
]


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
