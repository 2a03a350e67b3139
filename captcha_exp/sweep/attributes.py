"""Check attributes of a study. Anybody who shares its database can set them to anything."""

from typing import Any, TypeGuard, TypeVar

_Kind = TypeVar("_Kind")


def of_type(kind: type[_Kind], value: object) -> _Kind | None:
    """The attribute if it has the type `kind`, otherwise None."""
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def are_numbers(history: object) -> TypeGuard[list[int]]:
    """Whether an attribute is the history of a retried trial."""
    return isinstance(history, list) and bool(history) and all(isinstance(number, int) for number in history)


def scalar(value: Any) -> Any:
    """A searched value of a type that Optuna allows. Any other JSON value becomes text, as no axis can show it."""
    return value if value is None or isinstance(value, str | int | float) else str(value)
