"""A configuration as plain values, for logging, saving and comparing."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel


def to_plain(config: "BaseModel") -> dict[str, Any]:
    """The inverse of `load`: nested plain values (choices by name), fit for YAML, JSON and hashing."""
    return config.model_dump(mode="json")


def flatten(
    nested: Mapping[str, Any], prefix: str = "", is_value: Callable[[Mapping[str, Any]], bool] = lambda mapping: False
) -> dict[str, Any]:
    """Turn nested mappings into one, with keys joined by dots. Lists stay values, and mappings chosen by `is_value`."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping) and value and not is_value(value):
            flat.update(flatten(value, f"{prefix}{key}.", is_value))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
