"""The configuration of predict."""

from enum import Enum

from captcha_exp.config.fields import Count, ModelAddress, NotNegativeWhole, Rooted, Text
from captcha_exp.config.schema.training import TrackingConfig


class OutputFormat(Enum):
    """The format of a line of output."""

    text = "text"
    csv = "csv"
    jsonl = "jsonl"


class PredictConfig(Rooted):
    """One call of predict; `conf/predict.yaml` explains the keys."""

    tracking: TrackingConfig
    model: ModelAddress
    format: OutputFormat
    alternatives: NotNegativeWhole
    pattern: Text | None
    alphabet: Text | None
    min_length: NotNegativeWhole | None
    max_length: NotNegativeWhole | None
    lexicon: Text | None
    threads: Count | None
