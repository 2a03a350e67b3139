"""Hydra without a command line: values as overrides, and their composition in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from captcha_exp.command_line import hydra_message
from captcha_exp.config import conf_dir
from captcha_exp.config.brought import check_arguments
from captcha_exp.errors import InputError, joined_lines
from captcha_exp.typed_texts import as_typed, quoted

# Names that Hydra reads as other values. Other names stay without quotes, because a group is chosen by a name.
_WORDS = {"null", "true", "false", "nan", "inf", "True", "False", "Null", "None"}


def as_override(key: str, value: Any) -> str:
    """`KEY=VALUE` in Hydra's grammar, for a plain value: a text, a number, a truth value, None, a list or a mapping."""
    return f"{key}={_written(value)}"


def compose_values(config_name: str, typed: Sequence[str]) -> DictConfig:
    """Compose `conf/` with overrides. Whatever this process does with Hydra is left as it was.

    Raises:
        InputError: a group, choice or key does not exist, or an override cannot be read.
    """
    check_arguments(typed)
    singleton = GlobalHydra.instance()
    before = singleton.hydra
    singleton.clear()
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return compose(config_name, as_typed(typed))
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(joined_lines(hydra_message(error))) from error
    finally:
        GlobalHydra.instance().hydra = before


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_written, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    return str(value) if str(value).isidentifier() and str(value) not in _WORDS else quoted(str(value))
