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
    """One call of predict.

    `model` is an address in the store, the folder of a saved model, or an ONNX file. Each image also gets up to
    `alternatives` further texts. `pattern`, `alphabet`, `min_length`, `max_length` and `lexicon` (a file of words) say
    what is known about the texts; null means nothing. `threads` null uses every core.
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
