"""The configuration of the pages of MLflow."""

from typing import Annotated

from pydantic import Field

from captcha_exp.config.fields import MAX_PORT, Rooted, Whole
from captcha_exp.config.schema.training import TrackingConfig


class UiConfig(Rooted):
    """Which store is shown, and at which port of this machine."""

    tracking: TrackingConfig
    port: Annotated[Whole, Field(ge=1, le=MAX_PORT)]
