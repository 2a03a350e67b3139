"""The typed schema of the configuration, one dataclass per choice in `conf/`."""

from dataclasses import dataclass
from pathlib import Path

from captcha_exp.config.schema.dataset import (
    CustomDatasetConfig,
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
from captcha_exp.config.schema.evaluation import EvaluationConfig, SplitName
from captcha_exp.config.schema.model import (
    Activation,
    CnnConfig,
    CnnKind,
    CustomCnnConfig,
    DecodingConfig,
    DecodingKind,
    EncoderConfig,
    LstmConfig,
    NormPlacement,
    PositionEmbedding,
    TransformerConfig,
    TransformerKind,
)
from captcha_exp.config.schema.promotion import (
    ChallengerConfig,
    LimitsConfig,
    MovedDatasetConfig,
    PromotionConfig,
    RefitConfig,
    RefitOn,
    RuleConfig,
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
    "ChallengerConfig",
    "CnnConfig",
    "CnnKind",
    "Config",
    "CustomCnnConfig",
    "CustomDatasetConfig",
    "DatasetConfig",
    "DatasetSource",
    "DecodingConfig",
    "DecodingKind",
    "Direction",
    "EncoderConfig",
    "EvaluationConfig",
    "ExpectedConfig",
    "FolderConfig",
    "Frame",
    "KaggleConfig",
    "LabelCase",
    "LimitsConfig",
    "LstmConfig",
    "ManifestConfig",
    "MovedDatasetConfig",
    "NormPlacement",
    "ObjectiveConfig",
    "OptimizerConfig",
    "OptimizerKind",
    "PositionEmbedding",
    "PromotionConfig",
    "PrunerConfig",
    "PrunerKind",
    "RefitConfig",
    "RefitOn",
    "RenderedConfig",
    "RuleConfig",
    "SamplerConfig",
    "SamplerKind",
    "Schedule",
    "SplitName",
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
