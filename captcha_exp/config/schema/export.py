"""The configuration of export."""

from enum import Enum

from captcha_exp.config.fields import ModelAddress, Rooted, Text
from captcha_exp.config.schema.training import TrackingConfig


class ExportFormat(Enum):
    """The formats of a file that other programs run; they are also its suffix."""

    onnx = "onnx"
    tflite = "tflite"


class ExportConfig(Rooted):
    """One call of export; `conf/export.yaml` explains the keys."""

    tracking: TrackingConfig
    model: ModelAddress
    format: ExportFormat
    output: Text | None
