"""The typed configuration: its schema, how it is loaded, what is checked."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from captcha_exp.config.conf_folder import conf_dir
from captcha_exp.config.passwords import (
    holds_password,
    kept_in_environment,
    with_passwords_from_environment,
    without_passwords,
)
from captcha_exp.config.plain import flatten, to_plain

if TYPE_CHECKING:
    from captcha_exp.config.ctc_steps import feature_size, min_time_steps, time_steps
    from captcha_exp.config.loading import known_keys, load, load_config, load_dataset_config, load_stored_config
    from captcha_exp.config.schema import *  # noqa: F403  # its __all__ lists the names

__all__ = [  # loaded on use
    "conf_dir",
    "feature_size",
    "flatten",
    "holds_password",
    "kept_in_environment",
    "known_keys",
    "load",
    "load_config",
    "load_dataset_config",
    "load_stored_config",
    "min_time_steps",
    "time_steps",
    "to_plain",
    "with_passwords_from_environment",
    "without_passwords",
]


def __getattr__(name: str) -> Any:
    """Load the schema on its first use, because `--help` and `--cfg job` do not need pydantic."""
    for module in ("schema", "loading", "ctc_steps"):
        found = getattr(import_module(f"captcha_exp.config.{module}"), name, None)
        if found is not None and not name.startswith("_"):
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
