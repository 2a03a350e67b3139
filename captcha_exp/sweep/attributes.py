"""What can be believed of attributes of a study, which anybody who shares its database can set to anything."""

from typing import Any, TypeGuard, TypeVar

_Kind = TypeVar("_Kind")


def of_type(kind: type[_Kind], value: object) -> _Kind | None:
    """An attribute; None where it is absent or of another type."""
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def are_numbers(history: object) -> TypeGuard[list[int]]:
    """Whether an attribute is the history of a retried trial."""
    return isinstance(history, list) and bool(history) and all(isinstance(number, int) for number in history)


def scalar(value: Any) -> Any:
    """A searched value as Optuna takes it; JSON could hold others, which have no place on an axis."""
    return value if value is None or isinstance(value, str | int | float) else str(value)
