"""Turn pydantic's errors into one line that names the key as the user types it."""

from collections.abc import Mapping
from difflib import get_close_matches
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel, ValidationError

from captcha_exp.config.earlier import CALLED_NOW
from captcha_exp.config.fields import Items, Must, TypedAs, Worded
from captcha_exp.config.key_place import Place, is_model, place_at
from captcha_exp.config.passwords import without_passwords
from captcha_exp.foreign_text import shortened

_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list"}
_MOST_SHOWN = 300
_MANY = {int: "whole numbers", float: "numbers", str: "texts"}
# The type is right, but a rule of the field is broken.
_AGAINST_A_RULE = {
    *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
    *("finite_number", "too_short", "string_too_short"),
}


def refusal(error: ValidationError, schema: type[BaseModel], values: Mapping[str, Any]) -> str:
    """One line: what is wrong, what was received, what to change.

    Args:
        error: the validation error; only one of several mistakes is reported.
        schema: the model that refused the values.
        values: the whole input.
    """
    problems = error.errors(include_url=False)
    # A mistyped key is reported twice, as unknown and as missing; choose unknown.
    problem = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    path, whole = problem["loc"], Place("", schema, values)
    if problem["type"] == "extra_forbidden":
        return _unknown_key(place_at(whole, path[:-1]), str(path[-1]))
    place = place_at(whole, path)
    if problem["type"] == "value_error":
        return f"{place.key}.{problem['ctx']['error']}" if place.key else str(problem["ctx"]["error"])
    if problem["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_choice(place)
    typed = next((rule for rule in place.rules if isinstance(rule, TypedAs)), TypedAs(place.key, f"`{place.key}=...`"))
    if problem["type"] == "missing":
        return f"{typed.key} is missing; set {typed.example}."
    expected = problem["ctx"]["expected"] if problem["type"] == "must" else _words(place, problem["type"])
    received = shortened(repr(without_passwords(place.value)), _MOST_SHOWN)
    return f"{typed.key} must be {'null or ' * place.nullable}{expected}, not {received}."


def _unknown_key(place: Place, name: str) -> str:
    prefix = f"{place.key}." if place.key else ""
    owners = [other for other, model in place.variants.items() if name in model.model_fields]
    if owners:
        return (
            f"{prefix}{name} has no meaning with {prefix}{place.tag}={place.chosen}, only with {', '.join(owners)}; "
            f"choose with `{place.key}=...`, or leave it out with `~{prefix}{name}`."
        )
    near = get_close_matches(name, place.kind.model_fields, n=1)
    hint = f"did you mean {prefix}{near[0]}?" if near else f"its keys are {', '.join(place.kind.model_fields)}."
    return f"Key {name!r} not in {place.key or 'the configuration'}; {hint}"


def _unknown_choice(place: Place) -> str:
    key = f"{place.key}.{place.tag}"
    received = place.value.get(place.tag) if isinstance(place.value, dict) else None
    if received is None:
        return f"{key} is missing; set `{key}=...`."
    now = CALLED_NOW.get((place.key, str(received)))
    if now in place.variants:
        return f"{key}={received} is called {key}={now} now."
    return f"{key} must be one of {', '.join(place.variants)}, not {received!r}."


def _words(place: Place, problem: str) -> str:
    """The values that a place allows, in words."""
    must = [rule.expected for rule in place.rules if isinstance(rule, Must)]
    if must:
        return str(must[0])
    if isinstance(place.kind, type) and issubclass(place.kind, Enum):
        return f"one of {', '.join(member.name for member in place.kind)}"
    if get_origin(place.kind) is Literal:
        return f"one of {', '.join(get_args(place.kind))}"
    if is_model(place.kind) or place.variants or get_origin(place.kind) is dict:
        return "a mapping of keys"
    bounds = _bounds(place.rules) if problem in _AGAINST_A_RULE else ""
    if place.is_one_of_many:
        return ", each ".join(part for part in (_MANY.get(place.kind, "lists"), bounds) if part)
    if bounds:
        return bounds
    return (
        "finite" if problem == "finite_number" else _TYPES.get(get_origin(place.kind) or place.kind, "something else")
    )


def _bounds(rules: list[Any]) -> str:
    """The range of a field in words; empty if it has none."""
    known: dict[type, Any] = {type(rule): rule for rule in rules}
    if MinLen in known:
        return f"at least one {known[Items].name if Items in known else 'character'}"
    if Ge in known and Le in known:
        bounds = f"from {known[Ge].ge} to {known[Le].le}"
    else:
        told = {
            "at least": known[Ge].ge if Ge in known and Gt not in known else None,
            "above": known[Gt].gt if Gt in known else None,
            "at most": known[Le].le if Le in known else None,
            "below": known[Lt].lt if Lt in known else None,
        }
        bounds = " and ".join(f"{words} {bound}" for words, bound in told.items() if bound is not None)
    return known[Worded].template.format(bounds) if Worded in known else bounds
