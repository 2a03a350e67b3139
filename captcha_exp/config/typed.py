"""Composed values turned into a dataclass, with errors that name the key."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from captcha_exp.errors import InputError

_Schema = TypeVar("_Schema")


def typed(schema: type[_Schema], values: DictConfig | Mapping[str, Any], group: str = "") -> _Schema:
    """Values as an instance of a dataclass.

    Args:
        schema: the dataclass.
        values: by key, whole: a key that the dataclass lacks is refused.
        group: what stands before each key on the command line, for messages.

    Raises:
        InputError: a key is unknown or missing, or a value has the wrong type.
    """
    try:
        return cast(_Schema, OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), values)))
    except MissingMandatoryValue as error:
        key = _key(group, error)
        raise InputError(f"{key} is missing; set `{key}=...`.") from error
    except OmegaConfBaseException as error:
        key = _key(group, error)
        raise InputError(f"{key}: {first_line(error)}." if key else f"{first_line(error)}.") from error


def own_keys(schema: type, composed: DictConfig) -> dict[str, Any]:
    """Of a composed configuration that holds an experiment too, what belongs to a command's schema."""
    names = {field.name for field in fields(schema)}
    plain = cast(dict[str, Any], OmegaConf.to_container(composed, resolve=False))
    return {key: value for key, value in plain.items() if key in names}


def require(holds: bool, key: str, expected: str, received: object) -> None:
    """Refuse a value that cannot be used.

    Raises:
        InputError: it does not hold.
    """
    if not holds:
        raise InputError(f"{key} must be {expected}, not {received!r}.")


def first_line(error: Exception) -> str:
    """What OmegaConf says before it goes on for programmers."""
    return str(error).splitlines()[0].rstrip(".")


def _key(group: str, error: OmegaConfBaseException) -> str:
    return ".".join(part for part in (group, error.full_key) if part)
