"""The configuration of remove."""

from typing import Annotated

from pydantic import Field

from captcha_exp.config.fields import Must, Rooted, Settings, TypedAs
from captcha_exp.config.schema.training import TrackingConfig
from captcha_exp.foreign_text import is_folder_name


class RemovedConfig(Settings):
    """The sweep to remove, on the command line also `sweep=NAME`; `storage` is its `sweep.storage`."""

    sweep: Annotated[str, Must("the name of a sweep", is_folder_name), TypedAs("sweep", "`sweep=NAME`")]
    storage: Annotated[str | None, Field(repr=False)]


class RemoveConfig(Rooted):
    """One call of remove. `dry_run` only tells what would go, `yes` does not ask."""

    tracking: TrackingConfig
    remove: RemovedConfig
    dry_run: bool
    yes: bool
