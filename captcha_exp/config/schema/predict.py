"""How files are read by a model."""

from enum import Enum

from captcha_exp.config.fields import Count, ModelAddress, NotNegativeWhole, Rooted, Text
from captcha_exp.config.schema.training import TrackingConfig


class OutputFormat(Enum):
    """What a line of output looks like."""

    text = "text"
    csv = "csv"
    jsonl = "jsonl"


class PredictConfig(Rooted):
    """One reading of files, whole.

    `model` is an address in the store, the folder of a saved model, or an ONNX file. `alternatives` further texts are
    told of each image. `pattern`, `alphabet`, `min_length`, `max_length` and `lexicon` (a file of words) say what is
    known of the texts, null that nothing is. `threads` null computes on every core.
    """

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
