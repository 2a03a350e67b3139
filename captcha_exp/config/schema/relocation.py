"""The configuration of relocate."""

from captcha_exp.config.fields import Rooted
from captcha_exp.config.schema.training import TrackingConfig


class RelocateConfig(Rooted):
    """The store under `root` is set right after the folder was moved. `dry_run` only tells what would change."""

    tracking: TrackingConfig
    dry_run: bool
