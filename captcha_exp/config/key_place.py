"""Find the place of a key in the schema."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from captcha_exp.config.fields import Must


@dataclass
class Place:
    """A key as it is typed, what it may hold, and the value that it got.

    `kind` is a type, or the model of the keys inside. If the key `tag` chooses one of several models, `variants` maps
    its values to these models, and `chosen` is its value.
    """

    key: str
    kind: Any
    value: Any
    rules: list[Any] = field(default_factory=list)
    nullable: bool = False
    tag: str = ""
    variants: dict[str, type[BaseModel]] = field(default_factory=dict)
    chosen: str = ""
    is_one_of_many: bool = False

    def inside(self, name: str | int) -> "Place":
        """The place of one key or entry."""
        if self.is_plain_list:
            return _opened(Place(self.key, Any, _entry(self.value, name), is_one_of_many=True), get_args(self.kind)[0])
        place = Place(f"{self.key}.{name}" if self.key else str(name), Any, _entry(self.value, name))
        if not is_model(self.kind):
            return _opened(place, get_args(self.kind)[-1])
        known = self.kind.model_fields.get(str(name))
        return _opened(place, known.annotation, known) if known else place

    def variant(self, name: str) -> "Place":
        """The same place, with the model of the given variant."""
        return Place(self.key, self.variants[name], self.value, tag=self.tag, variants=self.variants, chosen=name)

    @property
    def is_plain_list(self) -> bool:
        """Whether the key holds a list of values without keys."""
        return get_origin(self.kind) is list and not is_model(get_args(self.kind)[0])


def place_at(place: Place, path: Sequence[str | int]) -> Place:
    """Follow a path of pydantic, which names the variant of a model before the keys inside it."""
    for name in path:
        if place.is_plain_list and any(isinstance(rule, Must) for rule in place.rules):
            return place  # a rule on the whole list also describes its entries
        place = place.variant(str(name)) if place.variants and not place.chosen else place.inside(name)
    return place


def keys_of(schema: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of a model, of the models inside it, and of all variants, joined with dots."""
    for name in schema.model_fields:
        place = Place("", schema, None).inside(name)
        models = [*place.variants.values()] or ([place.kind] if is_model(place.kind) else [])
        if not models:
            yield f"{prefix}{name}"
        for model in models:
            yield from keys_of(model, f"{prefix}{name}.")


def is_model(kind: Any) -> bool:
    """Whether a type has keys of its own."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _opened(place: Place, annotation: Any, known: FieldInfo | None = None) -> Place:
    """A place with the contents of its annotation, unwrapped."""
    if known is not None:
        place.rules += known.metadata
        place.tag = known.discriminator if isinstance(known.discriminator, str) else ""
    if get_origin(annotation) is Annotated:
        annotation, *rules = get_args(annotation)
        for rule in rules:
            place.rules += rule.metadata if isinstance(rule, FieldInfo) else [rule]
        return _opened(place, annotation)
    if get_origin(annotation) in {Union, UnionType}:
        members = [member for member in get_args(annotation) if member is not NoneType]
        place.nullable = NoneType in get_args(annotation)
        if len(members) == 1:
            return _opened(place, members[0])
        place.variants = {
            name: model for model in members for name in get_args(model.model_fields[place.tag].annotation)
        }
    place.kind = annotation
    return place


def _entry(value: Any, name: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    return value[name] if isinstance(value, list) and isinstance(name, int) else None
