"""Types of configuration values, with the words that messages use for them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from captcha_exp.extension import is_function_name, lies_with_the_user

# The context for validating values from a run or a model, which other people may have written.
STORED = object()
MAX_PORT = 65535


class Settings(BaseModel):
    """Typed keys. They have no defaults, because `conf/` has the values. Unknown keys are refused; all are read-only.

    A validator of several keys raises an `InputError` whose message begins with a key of the model. The prefix of
    that key on the command line is added later.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        hide_input_in_errors=True,
    )


class Rooted(Settings):
    """Settings of a command with the folder `root`, which holds `sweeps/`, `mlruns/`, `outputs/` and `cache/`."""

    root: str

    @property
    def root_path(self) -> Path:
        return Path(self.root).expanduser().resolve()

    @property
    def checkpoints_path(self) -> Path:
        """Where the states of trainings lie that may go on."""
        return self.root_path / "outputs" / "checkpoints"


@dataclass(frozen=True)
class Must:
    """A rule that is not a range, with the message `X must be {expected}`."""

    expected: str
    holds: Callable[[Any], bool]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._held, handler(source))

    def _held(self, value: Any) -> Any:
        if not self.holds(value):
            raise PydanticCustomError("must", "must be {expected}", {"expected": self.expected})
        return value


@dataclass(frozen=True)
class Worded:
    """Words for messages; a range replaces `{}` in them. Pydantic ignores this."""

    template: str


@dataclass(frozen=True)
class Items:
    """The name of one entry of a list, for messages. Pydantic ignores this."""

    name: str


@dataclass(frozen=True)
class TypedAs:
    """The shorter form of a key on the command line, and an example of it. Pydantic ignores this."""

    key: str
    example: str


def between(low: float, high: float) -> Must:
    """A rule for the two ends of a range from which values are drawn."""

    def holds(ends: list[float]) -> bool:
        return len(ends) == 2 and all(map(math.isfinite, ends)) and low <= ends[0] <= ends[1] <= high

    return Must(f"a range [low, high] between {low} and {high}", holds)


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):  # Python treats it as a whole number
        raise PydanticCustomError("int_type", "must be a number")
    return value


def _callable_if_stored(name: str, info: ValidationInfo) -> str:
    # Otherwise, anybody who can write to a store could make us call any function of any installed library.
    if info.context is STORED and not lies_with_the_user(name):
        expected = (
            "a function of a module in the current folder or on PYTHONPATH, because a stored configuration names it"
        )
        raise PydanticCustomError("must", "must be {expected}", {"expected": expected})
    return name


Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Number = Annotated[float, BeforeValidator(_no_truth_value)]
Count = Annotated[Whole, Field(ge=1)]
NotNegativeWhole = Annotated[Whole, Field(ge=0)]
Seed = Annotated[Whole, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
ShareBelowOne = Annotated[Number, Field(ge=0, lt=1)]
ShareBelowHalf = Annotated[Number, Field(ge=0, lt=0.5)]
Few = Annotated[Whole, Field(ge=0, le=9)]
GreyLevel = Annotated[Whole, Field(ge=0, le=255), Worded("a grey level {}")]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Must("a name", bool)]
FunctionName = Annotated[
    str, Must("MODULE:FUNCTION, e.g. my_module:build", is_function_name), AfterValidator(_callable_if_stored)
]
ModelAddress = Annotated[str, Must("an address, a folder or an ONNX file", bool)]
