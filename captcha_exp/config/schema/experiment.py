"""One experiment, with checks across its groups."""

from pydantic import model_validator

from captcha_exp.config.ctc_steps import feature_size
from captcha_exp.config.fields import Rooted
from captcha_exp.config.schema.dataset import Dataset, RenderedConfig
from captcha_exp.config.schema.decoding import Decoding
from captcha_exp.config.schema.model import Cnn, Transformer
from captcha_exp.config.schema.optimizer import Optimizer
from captcha_exp.config.schema.sweep import SweepConfig
from captcha_exp.config.schema.training import AugmentationConfig, TrackingConfig, TrainingConfig
from captcha_exp.errors import InputError


class Config(Rooted):
    """One experiment, whole."""

    dataset: Dataset
    augmentation: AugmentationConfig
    cnn: Cnn
    transformer: Transformer
    decoding: Decoding
    optimizer: Optimizer
    training: TrainingConfig
    tracking: TrackingConfig
    sweep: SweepConfig

    @model_validator(mode="after")
    def _labels_have_room(self) -> "Config":
        dataset = self.dataset
        height, width = feature_size(self.cnn, dataset.image_height, dataset.image_width)
        if height < 1 or width < 1:
            raise InputError(
                f"dataset.image_height and dataset.image_width must be larger for the {len(self.cnn.filters)} stages "
                f"of this cnn, not {dataset.image_height}x{dataset.image_width}."
            )
        if isinstance(dataset, RenderedConfig) and width < dataset.max_length:
            raise InputError(
                f"dataset.max_length is {dataset.max_length}, but this model gives {width} time steps. "
                "Lower `cnn.width_stride` or raise `dataset.image_width`."
            )
        return self
