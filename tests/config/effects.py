"""How the effect of a key is shown."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from captcha_exp.config import Config


@dataclass(frozen=True)
class Shown:
    """With the overrides `given`, `value` in place of what is there changes what `observable` sees.

    `also` holds what must change with it, by key; None leaves a key out.
    """

    observable: Callable[[Config], Any]
    value: Any
    given: tuple[str, ...] = ()
    also: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ShownBy:
    """A test elsewhere shows the effect: `FILE::NAME` below tests/."""

    test: str


Effects = dict[str, list[Shown | ShownBy]]
