"""The configuration of label."""

from typing import Annotated

from pydantic import Field

from captcha_exp.config.fields import MAX_PORT, Count, Settings, Whole
from captcha_exp.config.schema.experiment import Config


class LabellingConfig(Settings):
    """How the images of a folder are labelled; `conf/label.yaml` explains the keys."""

    table: str | None
    test_every: Annotated[Whole, Field(ge=2)] | None
    retrain_every: Count | None
    port: Annotated[Whole, Field(ge=0, le=MAX_PORT)]


class LabelCommandConfig(LabellingConfig, Config):
    """Everything that `captcha-exp label` takes."""
