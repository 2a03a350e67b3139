"""The trials that a search begins with: the composed defaults, and what the user knows to be good."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Transformer
from optuna.distributions import CategoricalDistribution

from captcha_exp.errors import InputError
from captcha_exp.sweep.expression import Domain, quoted
from captcha_exp.sweep.space import Space


def first_trials(
    entries: Sequence[Mapping[str, Any]], space: Space, current: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """The parameters of the first trials, without those that nobody has given a value in the space.

    Args:
        entries: `sweep.first`: by trial, the values that differ from `current`.
        space: what is searched.
        current: the composed values by key, and the chosen option of each group.

    Raises:
        InputError: an entry names a key that is not searched, or a value that is not in the space.
    """
    for entry in entries:
        _check(entry, space)
    trials = (_parameters({**current, **entry}, space) for entry in entries)
    return tuple(trial for trial in trials if trial)


def _check(entry: Mapping[str, Any], space: Space) -> None:
    domains = {parameter.key: parameter.domain for parameter in space.parameters}
    for key, value in entry.items():
        if key not in domains:
            raise InputError(f"sweep.first names {key}, which is not searched; the space has {', '.join(domains)}.")
        if inside(domains[key], value) is None:
            raise InputError(f"sweep.first gives {key} the value {value!r}, not one of {domains[key].describe()}.")


def _parameters(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    chosen, found = dict(space.fixed), {}
    for parameter in space.parameters:
        known = inside(parameter.domain, values.get(parameter.key))
        if known is not None and space.applies(parameter, chosen):
            found[parameter.key] = known[0]
            chosen[parameter.key] = str(known[0])
    return found


def inside(domain: Domain, value: Any) -> tuple[Any] | None:
    """The value as Optuna stores it, in a tuple because it may be None; None if it is not in the domain."""
    distribution = domain.distribution
    if isinstance(distribution, CategoricalDistribution) and domain.texts is not None:
        if isinstance(value, str) and value in distribution.choices:
            return (value,)
        text = Transformer.str(quoted(value))
        # Optuna stores a choice under its place in the list.
        return (distribution.to_external_repr(domain.texts.index(text)),) if text in domain.texts else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Optuna's own test, which knows about steps.
    inner = float(value)
    return (distribution.to_external_repr(inner),) if distribution._contains(inner) else None


def params_inside(values: Mapping[str, Any], space: Space) -> tuple[dict[str, Any], str | None]:
    """The values that lie in the space; and a key with its value if it does not, or if it has none."""
    chosen, found = dict(space.fixed), {}
    for parameter in space.parameters:
        if not space.applies(parameter, chosen):
            continue
        known = inside(parameter.domain, values[parameter.key]) if parameter.key in values else None
        if known is None:
            return {}, f"{parameter.key}={values.get(parameter.key, 'unknown')}"
        found[parameter.key] = known[0]
        chosen[parameter.key] = str(known[0])
    return found, None
