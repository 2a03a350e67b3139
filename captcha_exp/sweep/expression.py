"""One entry of a search space, read with Hydra's own grammar."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    IntervalSweep,
    Override,
    Quote,
    QuotedString,
    RangeSweep,
    Sweep,
    Transformer,
)
from hydra.errors import HydraException
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from captcha_exp.errors import InputError, first_line

_FORMS = "choice(1, 2), interval(0.0, 1.0), range(1, 5), int(interval(1, 64)), tag(log, interval(...)) or a list"
_TYPES = {"float": {"low", "high", "log", "step"}, "int": {"low", "high", "log", "step"}, "categorical": {"choices"}}
_TYPED = "{type: float, low: 0.0, high: 1.0}, {type: int, low: 1, high: 8} or {type: categorical, choices: [1, 2]}"
# YAML and Hydra read such a text as a plain word, so it needs no quotes.
_WORD = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z_][\w.\-/]*", re.IGNORECASE)


@dataclass(frozen=True)
class Domain:
    """The values of one key: how Optuna draws them, and how Hydra writes each of them.

    `texts` holds the Hydra form of each choice; None for numbers.
    """

    distribution: CategoricalDistribution | IntDistribution | FloatDistribution
    texts: tuple[str, ...] | None = None

    def text(self, value: Any) -> str:
        """`value` as the right side of a Hydra override."""
        if self.texts is None:
            return repr(value)
        return self.texts[int(self.distribution.to_internal_repr(value))]

    @property
    def numbers(self) -> IntDistribution | FloatDistribution:
        """The distribution of a domain of numbers.

        Raises:
            TypeError: the domain has choices.
        """
        if isinstance(self.distribution, CategoricalDistribution):
            raise TypeError(f"{self.describe()} holds no numbers.")
        return self.distribution

    def describe(self) -> str:
        """One line. Equal domains give equal lines, however they were written."""
        if self.texts is not None:
            return f"choice({', '.join(self.texts)})"
        d = self.numbers
        step = "" if d.step is None or d.step == 1 else f" step {d.step!r}"
        kind = "integers" if isinstance(d, IntDistribution) else "numbers"
        return f"{'log ' if d.log else ''}{kind} {d.low!r} to {d.high!r}{step}"

    def values(self, key: str) -> list[Any]:
        """Every value, for a grid.

        Raises:
            InputError: there are infinitely many.
        """
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return list(d.choices)
        if isinstance(d, IntDistribution) and not d.log:
            return list(range(d.low, d.high + 1, d.step))
        if isinstance(d, FloatDistribution) and d.step is not None:
            return [round(d.low + i * d.step, 12) for i in range(round((d.high - d.low) / d.step) + 1)]
        raise InputError(f"sweep.sampler.kind=grid cannot search {key}, which is {self.describe()}; give it choices.")

    def check_condition(self, key: str, values: Sequence[str], dependent: str) -> None:
        """Refuse a condition that names a choice which does not exist.

        Raises:
            InputError: naming the key that has the condition.
        """
        if not isinstance(self.distribution, CategoricalDistribution):
            return
        choices = [str(choice) for choice in self.distribution.choices]
        unknown = [value for value in values if value not in choices]
        if unknown:
            raise InputError(
                f"sweep.space.{dependent}: `when` names {key}={unknown[0]}, but {key} is one of {', '.join(choices)}."
            )


def parse_entry(key: str, expression: Any, parser: OverridesParser) -> Domain:
    """Read the value of one key of `sweep.space`: an expression, or a plain list of choices.

    Raises:
        InputError: naming the key and what it holds.
    """
    if isinstance(expression, Mapping):
        return _typed(key, expression)
    if isinstance(expression, list | tuple):
        return _choices(key, str(list(expression)), expression)
    if not isinstance(expression, str):
        raise InputError(f"sweep.space.{key} is {expression!r}, which is nothing to search; write {_FORMS}.")
    try:
        override = parser.parse_override(f"{key}={expression}")
    except (HydraException, ValueError) as error:
        reason = first_line(error).rstrip(".")
        raise InputError(
            f"sweep.space.{key} is {expression!r}, which cannot be read ({reason}); write {_FORMS}."
        ) from error
    override.config_loader = parser.config_loader
    if not override.is_sweep_override():
        raise InputError(f"sweep.space.{key} is {expression!r}, which is one value; write {_FORMS}.")
    return read_override(key, expression, override)


def _typed(key: str, entry: Mapping[str, Any]) -> Domain:
    """Read `{type: float, low: ..., high: ..., log: true}` and its like, as other tools write spaces."""
    values = {str(name): value for name, value in entry.items() if name != "type"}
    allowed = _TYPES.get(str(entry.get("type")))
    if allowed is None or not set(values) <= allowed:
        raise InputError(f"sweep.space.{key} is {dict(entry)!r}, which cannot be read; write {_TYPED}.")
    try:
        if entry["type"] == "categorical":
            return _choices(key, str(list(values["choices"])), list(values["choices"]))
        kind = IntDistribution if entry["type"] == "int" else FloatDistribution
        return Domain(kind(**{name: value for name, value in values.items() if value is not None}))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"sweep.space.{key} is {dict(entry)!r} ({first_line(error)}); write {_TYPED}.") from error


def read_override(key: str, expression: str, override: Override) -> Domain:
    """The domain of a parsed sweep over `key`.

    Raises:
        InputError: the sweep is empty, or has a tag or form that means nothing here.
    """
    sweep = override.value()
    tags = sweep.tags if isinstance(sweep, Sweep) else set()
    if tags - {"log"}:
        raise InputError(f"sweep.space.{key} is {expression!r}; the only tag is `log`, not {min(tags - {'log'})!r}.")
    try:
        if isinstance(sweep, IntervalSweep):
            return _interval(sweep, log="log" in tags)
        if isinstance(sweep, RangeSweep):
            return _range(list(override.sweep_iterator()), sweep, log="log" in tags)
    except ValueError as error:
        raise InputError(f"sweep.space.{key} is {expression!r}: {first_line(error).rstrip('.')}.") from error
    if tags:
        raise InputError(f"sweep.space.{key} is {expression!r}; the tag `log` needs an interval.")
    return _choices(key, expression, list(override.sweep_iterator()))


def _interval(sweep: IntervalSweep, *, log: bool) -> Domain:
    low, high = sweep.start, sweep.end
    if low is None or high is None:
        raise ValueError("an interval has two ends")
    if isinstance(low, int) and isinstance(high, int):
        return Domain(IntDistribution(low, high, log=log))
    return Domain(FloatDistribution(float(low), float(high), log=log))


def _range(values: list[Any], sweep: RangeSweep, *, log: bool) -> Domain:
    if not values:
        raise ValueError("a range without a value in it")
    low, high, step = min(values), max(values), abs(sweep.step)
    if all(isinstance(value, int) for value in values):
        if log and step != 1:
            raise ValueError("the tag `log` needs an interval, or a range with step 1")
        return Domain(IntDistribution(low, high, log=log, step=int(step)))
    if log:
        raise ValueError("the tag `log` needs an interval")
    return Domain(FloatDistribution(low, high, step=float(step)))


def _choices(key: str, expression: str, elements: Sequence[Any]) -> Domain:
    """A domain of choices. Optuna stores scalars as they are, and any other choice as its Hydra text."""
    if not elements:
        raise InputError(f"sweep.space.{key} is {expression!r}, which has no choice in it.")
    texts = tuple(Transformer.str(quoted(element)) for element in elements)
    labels = [
        element.text if isinstance(element, QuotedString) else text if isinstance(element, list | dict) else element
        for element, text in zip(elements, texts, strict=True)
    ]
    repeated = [text for i, text in enumerate(texts) if labels[i] in labels[:i]]
    if repeated:
        raise InputError(f"sweep.space.{key} is {expression!r}, which has {repeated[0]} twice.")
    return Domain(CategoricalDistribution(labels), texts)


def quoted(item: Any) -> Any:
    """Put quotes around strings that Hydra would read as something else, also inside a list."""
    if isinstance(item, str) and not _WORD.fullmatch(item):
        return QuotedString(item, Quote.single)
    if isinstance(item, list):
        return [quoted(part) for part in item]
    return item


def in_quotes(text: str) -> str:
    """A text in quotes, as the value of an override that Hydra does not read as another type."""
    return QuotedString(text, Quote.single).with_quotes()
