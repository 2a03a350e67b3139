"""How files are read by a model."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from omegaconf import MISSING

from captcha_exp.config.schema.training import TrackingConfig


class OutputFormat(Enum):
    """What a line of output looks like."""

    text = "text"
    csv = "csv"
    jsonl = "jsonl"


@dataclass
class PredictConfig:
    """One reading of files, whole.

    `model` is an address in the store, the folder of a saved model, or an ONNX file. `alternatives` further texts are
    told of each image. `pattern`, `alphabet`, `min_length`, `max_length` and `lexicon` (a file of words) say what is
    known of the texts, null that nothing is. `threads` null computes on every core.
    """

    root: str
    tracking: TrackingConfig
    model: str = MISSING
    format: OutputFormat = MISSING
    alternatives: int = MISSING
    pattern: str | None = MISSING
    alphabet: str | None = MISSING
    min_length: int | None = MISSING
    max_length: int | None = MISSING
    lexicon: str | None = MISSING
    threads: int | None = MISSING

    @property
    def root_path(self) -> Path:
        return Path(self.root).expanduser().resolve()
