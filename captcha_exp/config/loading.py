"""Turn a composed configuration into a model of `schema`, with errors that name the key."""

from collections.abc import Mapping
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from captcha_exp.config.earlier import brought_up_to_date
from captcha_exp.config.fields import STORED, Settings
from captcha_exp.config.key_place import keys_of
from captcha_exp.config.refusal import refusal
from captcha_exp.config.schema import (
    Config,
    Dataset,
    DatasetConfig,
    EvaluateCommandConfig,
    ExportConfig,
    LabelCommandConfig,
    PredictConfig,
    PrepareCommandConfig,
    PromotionConfig,
    RelocateConfig,
    RemoveConfig,
    ReportCommandConfig,
    ServingConfig,
    UiConfig,
)
from captcha_exp.errors import InputError, first_line

Schema = TypeVar("Schema", bound=Settings)
_MISSING = "???"
_COMMANDS: tuple[type[Settings], ...] = (
    *(EvaluateCommandConfig, LabelCommandConfig, PrepareCommandConfig, PromotionConfig),
    *(ExportConfig, PredictConfig, RelocateConfig, RemoveConfig, ReportCommandConfig, ServingConfig, UiConfig),
)


class _DatasetAlone(Settings):
    dataset: Dataset


def load(schema: type[Schema], composed: DictConfig | Mapping[str, Any]) -> Schema:
    """Turn a composed configuration into a model, with every check that needs no data.

    Args:
        schema: the model of a command.
        composed: what Hydra composed, or a plain nested mapping of the same keys.

    Raises:
        InputError: a key is unknown or missing, a value has the wrong type or is out of range, or values do not go
            together; one line that names the key.
    """
    try:
        plain = OmegaConf.to_container(OmegaConf.create(composed), resolve=True)  # type: ignore[arg-type]
    except OmegaConfBaseException as error:
        raise InputError(f"{first_line(error).rstrip('.')}.") from error
    if not isinstance(plain, dict):
        raise InputError("The configuration must be a mapping of groups, e.g. `training: {epochs: 3}`.")
    return _validated(schema, {str(key): value for key, value in plain.items() if key != "hydra"})


def load_config(composed: DictConfig | Mapping[str, Any]) -> Config:
    """The configuration of one experiment; see `load`."""
    return load(Config, composed)


def load_stored_config(plain: Mapping[str, Any]) -> Config:
    """Load the configuration of a run, which may be of an earlier version. Nothing in it is resolved again.

    Otherwise, anybody who can write to the store could read this machine's environment variables with it. For the same
    reason, a function that it names must belong to the user.

    Raises:
        InputError: as `load` says.
    """
    return _validated(Config, brought_up_to_date(plain), STORED)


def load_dataset_config(values: Mapping[str, Any]) -> DatasetConfig:
    """Load only the group `dataset` of a run's configuration; see `load_stored_config`."""
    return _validated(_DatasetAlone, brought_up_to_date({"dataset": values}), STORED).dataset


def known_keys() -> list[str]:
    """Every key of every choice of every command, joined with dots."""
    return sorted({key for schema in _COMMANDS for key in keys_of(schema)})


def _validated(schema: type[Schema], plain: Mapping[str, Any], context: object = None) -> Schema:
    values = _given(plain)
    try:
        return schema.model_validate(values, context=context)
    except ValidationError as error:
        raise InputError(refusal(error, schema, values)) from error


def _given(values: Any) -> Any:
    """The values without the missing ones, which are marked `???`."""
    if isinstance(values, Mapping):
        return {key: _given(value) for key, value in values.items() if value != _MISSING}
    return values
