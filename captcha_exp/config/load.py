"""From a composed configuration to typed dataclasses, with errors that name the key."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from captcha_exp.config import schema
from captcha_exp.config.checks import check_config, check_dataset
from captcha_exp.config.schema import Config, DatasetConfig
from captcha_exp.config.typed import first_line, typed
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import verbatim

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def conf_dir() -> Path:
    """Folder of the shipped `conf/`: inside an installed wheel, or beside the package in a checkout."""
    installed = PACKAGE_DIR / "conf"
    return installed if installed.is_dir() else PACKAGE_DIR.parent / "conf"


_GROUPS: dict[str, type] = {
    "dataset": schema.DatasetConfig,
    "augmentation": schema.AugmentationConfig,
    "cnn": schema.CnnConfig,
    "transformer": schema.TransformerConfig,
    "decoding": schema.DecodingConfig,
    "optimizer": schema.OptimizerConfig,
    "training": schema.TrainingConfig,
    "tracking": schema.TrackingConfig,
    "sweep": schema.SweepConfig,
}
# Groups whose keys depend on one of them: the deciding key, and the schema each of its values brings.
_VARIANTS: dict[str, tuple[str, Mapping[str, type]]] = {
    "dataset": (
        "source",
        {
            "synthetic": schema.SyntheticConfig,
            "styled": schema.StyledConfig,
            "folder": schema.FolderConfig,
            "manifest": schema.ManifestConfig,
            "kaggle": schema.KaggleConfig,
            "custom": schema.CustomDatasetConfig,
        },
    ),
    "cnn": (
        "kind",
        {kind.name: schema.CnnConfig for kind in schema.CnnKind} | {"custom": schema.CustomCnnConfig},
    ),
    "transformer": (
        "kind",
        {"encoder": schema.EncoderConfig, "lstm": schema.LstmConfig, "none": schema.TransformerConfig},
    ),
}


def load_config(composed: DictConfig | Mapping[str, Any]) -> Config:
    """Turn a composed configuration into typed dataclasses, with every check that needs no data.

    Args:
        composed: what Hydra composed, or a plain nested mapping of the same keys.

    Raises:
        InputError: a key is unknown or missing, a value has the wrong type, or values do not go together.
    """
    try:
        plain = OmegaConf.to_container(OmegaConf.create(composed), resolve=True)  # type: ignore[arg-type]
    except OmegaConfBaseException as error:
        raise InputError(first_line(error)) from error
    if not isinstance(plain, dict):
        raise InputError("The configuration must be a mapping of groups, e.g. `training: {epochs: 3}`.")
    unknown = set(plain) - set(_GROUPS) - {"root", "hydra"}
    if unknown:
        raise InputError(
            f"Key {min(map(str, unknown))!r} is not part of the configuration; groups are {', '.join(_GROUPS)}."
        )
    missing = [name for name in _GROUPS if name not in plain]
    if missing:
        raise InputError(f"The configuration has no group {missing[0]!r}; choose one with `{missing[0]}=...`.")
    groups = {name: _typed(name, plain[name]) for name in _GROUPS}
    config = Config(root=str(plain.get("root", ".")), **groups)
    check_config(config)
    return config


def load_dataset_config(values: Mapping[str, Any]) -> DatasetConfig:
    """The group `dataset` alone, from plain values such as a run's own configuration holds.

    Raises:
        InputError: a key is unknown or missing, or a value has the wrong type or is out of range.
    """
    dataset = cast(DatasetConfig, _typed("dataset", values))
    check_dataset(dataset)
    return dataset


def load_stored_config(plain: Mapping[str, Any]) -> Config:
    """A whole configuration from plain values that were resolved when they were stored; none is resolved again.

    Raises:
        InputError: as `load_config` says.
    """
    return load_config(verbatim(plain))


def known_keys() -> list[str]:
    """Every `group.key` that some choice has."""
    variants = {
        name: [cls, *_VARIANTS[name][1].values()] if name in _VARIANTS else [cls] for name, cls in _GROUPS.items()
    }
    return sorted(
        {f"{name}.{field.name}" for name, classes in variants.items() for cls in classes for field in fields(cls)}
    )


def to_plain(config: Any) -> dict[str, Any]:
    """The inverse of `load_config`: nested plain values (enums by name), fit for YAML, JSON and hashing."""
    return {field.name: _plain(getattr(config, field.name)) for field in fields(config)}


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined with dots; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _plain(value: Any) -> Any:
    # Not by OmegaConf, which would take a `${` in a text for a reference.
    if is_dataclass(value):
        return to_plain(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _typed(group: str, values: Any) -> Any:
    if not isinstance(values, dict):
        raise InputError(f"{group} must be a mapping of keys, not {values!r}; choose one with `{group}=...`.")
    # Resolved already: what looks like a reference now is text.
    return typed(_variant(group, values), verbatim(values), group)


def _variant(group: str, values: dict[str, Any]) -> type:
    if group not in _VARIANTS:
        return _GROUPS[group]
    key, schemas = _VARIANTS[group]
    choice = values.get(key)
    choice = choice.name if isinstance(choice, Enum) else choice
    if not isinstance(choice, str) or choice not in schemas:
        raise InputError(f"{group}.{key} must be one of {', '.join(schemas)}, not {choice!r}.")
    return schemas[choice]
