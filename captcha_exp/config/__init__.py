"""The typed configuration: its schema, how it is loaded, what is checked."""

from captcha_exp.config import schema
from captcha_exp.config.checks import check_config
from captcha_exp.config.commands import load_evaluation, load_promotion, without_own
from captcha_exp.config.load import (
    conf_dir,
    flatten,
    known_keys,
    load_config,
    load_dataset_config,
    load_stored_config,
    to_plain,
)
from captcha_exp.config.passwords import (
    holds_password,
    kept_in_environment,
    with_passwords_from_environment,
    without_passwords,
)
from captcha_exp.config.schema import *  # noqa: F403  # which names, its own __all__ says
from captcha_exp.config.time_steps import feature_size, min_time_steps, time_steps

__all__ = [
    "check_config",
    "conf_dir",
    "feature_size",
    "flatten",
    "holds_password",
    "kept_in_environment",
    "known_keys",
    "load_config",
    "load_dataset_config",
    "load_evaluation",
    "load_promotion",
    "load_stored_config",
    "min_time_steps",
    "time_steps",
    "to_plain",
    "with_passwords_from_environment",
    "without_own",
    "without_passwords",
]
__all__ += schema.__all__
