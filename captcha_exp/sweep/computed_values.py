"""Values that would differ between the processes of a sweep, because each computes them from its own clock."""

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf, read_write

from captcha_exp.sweep.expression import in_quotes

_CLOCK = "${now:"


def fix_computed_values(composed: DictConfig) -> list[str]:
    """Keep each value with a time in it as it is now, e.g. of `sweep.name=run-${now:%H-%M}`.

    Args:
        composed: what Hydra composed; it is changed, but for its part `hydra`, which names a folder for each job.

    Returns:
        Overrides that give other processes the same values.
    """
    plain = OmegaConf.to_container(composed, resolve=False)
    keys = _clocked({key: value for key, value in plain.items() if key != "hydra"}) if isinstance(plain, dict) else ()
    values = {key: str(OmegaConf.select(composed, key)) for key in keys}
    with read_write(composed):
        for key, value in values.items():
            OmegaConf.update(composed, key, value)
    return [f"{key}={in_quotes(value)}" for key, value in values.items()]


def _clocked(values: Mapping[Any, Any], place: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _clocked(value, f"{place}{key}.")
        elif isinstance(value, str) and _CLOCK in value:
            yield f"{place}{key}"
