"""The search space: read from Hydra's override syntax, so that Optuna can suggest values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.trial import Trial

from captcha_exp.config import flatten
from captcha_exp.errors import InputError
from captcha_exp.sweep.expression import Domain, parse_entry, read_override


@dataclass(frozen=True)
class Parameter:
    """One searched key: its possible values, and the values of other keys for which it exists."""

    key: str
    domain: Domain
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def describe(self) -> str:
        """One line. Equal parameters give equal lines, however they were written."""
        conditions = [f"{key} in ({', '.join(values)})" for key, values in self.when.items()]
        return " when ".join([self.domain.describe(), *([" and ".join(conditions)] if conditions else [])])


@dataclass(frozen=True)
class Space:
    """All searched keys. Each key comes after the keys that its condition names.

    `fixed` holds the values, as text, of keys that a condition names but the sweep does not search.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, str]

    def suggest(self, trial: Trial) -> list[str]:
        """Ask `trial` for a value of every parameter that applies. Returns the Hydra overrides of one job."""
        chosen = dict(self.fixed)
        overrides = []
        for parameter in self.parameters:
            if self.applies(parameter, chosen):
                value = _suggest(trial, parameter)
                chosen[parameter.key] = str(value)
                overrides.append(f"{parameter.key}={parameter.domain.text(value)}")
        return overrides

    def overrides(self, params: Mapping[str, Any]) -> list[str]:
        """The Hydra overrides of a trial with `params`."""
        return [f"{p.key}={p.domain.text(params[p.key])}" for p in self.parameters if p.key in params]

    @staticmethod
    def applies(parameter: Parameter, chosen: Mapping[str, str]) -> bool:
        """Whether `parameter` exists, given the values chosen so far as text."""
        return all(chosen.get(key) in values for key, values in parameter.when.items())

    def describe(self) -> dict[str, str]:
        """One line for each key, sorted, for comparing two spaces."""
        return {p.key: p.describe() for p in sorted(self.parameters, key=lambda p: p.key)}

    def grid(self) -> dict[str, list[Any]]:
        """Every value of every key.

        Raises:
            InputError: a key is continuous or conditional, so there is no grid.
        """
        for parameter in self.parameters:
            if parameter.when:
                raise InputError(
                    f"sweep.sampler.kind=grid cannot search {parameter.key}, which has a `when`; choose another kind."
                )
        return {parameter.key: parameter.domain.values(parameter.key) for parameter in self.parameters}

    def size(self) -> int | None:
        """How many combinations there are; None if a key is continuous."""
        try:
            return self._size(self.parameters, self.fixed)
        except InputError:
            return None

    def _size(self, parameters: Sequence[Parameter], chosen: Mapping[str, str]) -> int:
        if not parameters:
            return 1
        first, *rest = parameters
        if not self.applies(first, chosen):
            return self._size(rest, chosen)
        values = first.domain.values(first.key)
        if not any(first.key in other.when for other in rest):
            return len(values) * self._size(rest, chosen)
        return sum(self._size(rest, {**chosen, first.key: str(value)}) for value in values)


def build_space(
    declared: Mapping[str, Any], arguments: Sequence[str], parser: OverridesParser, current: Mapping[str, Any]
) -> tuple[Space, list[str]]:
    """Join the declared space with the command line.

    A value on the command line removes its key from the space. A sweep there (`a=1,2`) adds or replaces the key.

    Args:
        declared: `sweep.space`.
        arguments: the command line's overrides.
        parser: Hydra's parser.
        current: chosen group options and config values by key, for conditions on keys that the sweep does not search.

    Returns:
        The space, and the overrides that every job gets.

    Raises:
        InputError: an entry cannot be read, or nothing is left to search.
    """
    entries = flatten(declared, is_value=_is_entry)
    found: dict[str, Parameter] = {}
    fixed_arguments = []
    for override in parser.parse_overrides(list(arguments)):
        entries.pop(override.key_or_group, None)
        if override.is_sweep_override():
            key = override.get_key_element()
            found[key] = Parameter(key, read_override(key, override.get_value_string(), override))
        else:
            fixed_arguments.append(_line(override))
    for key, entry in entries.items():
        expression, when = _unfold(key, entry)
        found[key] = Parameter(key, parse_entry(key, expression, parser), when)
    if not found:
        raise InputError(
            "Nothing to search: sweep.space is empty, or every key of it was fixed on the command line. "
            "Give a key several values, e.g. `transformer.num_heads=1,2`, or choose a sweep with `+sweep=...`."
        )
    return _ordered(found, current), fixed_arguments


def _line(override: Override) -> str:
    if override.input_line is None:
        raise InputError(f"{override.key_or_group} cannot be passed on to the trials.")
    return override.input_line


def _is_entry(mapping: Mapping[str, Any]) -> bool:
    """Whether a mapping describes one key's values, and is no group of keys."""
    return not {"type", "space", "when"}.isdisjoint(mapping)


def _unfold(key: str, entry: Any) -> tuple[Any, dict[str, tuple[str, ...]]]:
    """Split `{space: ..., when: {...}}`; any other entry has no condition."""
    if not isinstance(entry, Mapping) or "type" in entry:
        return entry, {}
    if set(entry) != {"space", "when"} or not isinstance(entry["when"], Mapping):
        raise InputError(
            f"sweep.space.{key} is {dict(entry)!r}; a conditional entry has `space` and `when`, "
            "e.g. {space: 'choice(1, 2)', when: {transformer: [pre_norm]}}."
        )
    conditions = {}
    for other, values in entry["when"].items():
        listed = values if isinstance(values, list | tuple) else [values]
        conditions[str(other)] = tuple(str(value) for value in listed)
    return entry["space"], conditions


def _ordered(found: Mapping[str, Parameter], current: Mapping[str, Any]) -> Space:
    fixed: dict[str, str] = {}
    for parameter in found.values():
        for other, values in parameter.when.items():
            if other in found:
                found[other].domain.check_condition(other, values, parameter.key)
            elif other in current:
                fixed[other] = str(current[other])
            else:
                raise InputError(f"sweep.space.{parameter.key}: `when` names {other!r}, which is no key or group.")
    ordered: list[Parameter] = []
    waiting = list(found.values())
    while waiting:
        done = {p.key for p in ordered} | set(fixed)
        ready = [p for p in waiting if set(p.when) <= done]
        if not ready:
            raise InputError(f"sweep.space: the conditions of {waiting[0].key} depend on each other in a circle.")
        ordered += ready
        waiting = [p for p in waiting if p not in ready]
    return Space(tuple(replace(p) for p in ordered), fixed)


def _suggest(trial: Trial, parameter: Parameter) -> Any:
    distribution = parameter.domain.distribution
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(parameter.key, distribution.choices)
    bounds = parameter.domain.numbers
    if isinstance(bounds, IntDistribution):
        return trial.suggest_int(parameter.key, bounds.low, bounds.high, step=bounds.step, log=bounds.log)
    return trial.suggest_float(parameter.key, bounds.low, bounds.high, step=bounds.step, log=bounds.log)
