"""Experiment tracking with hyperparameter sweeps for recognisers of short distorted text in images."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from captcha_exp.predict.reading_model import ReadingModel
    from captcha_exp.python_calls import Run, load_model, load_sweep, sweep, train
    from captcha_exp.reader.predictor import Reading

# What Python programs call, and the module of each. They are loaded on use: a command that only shows its help must not
# wait for Optuna.
_CALLS = "captcha_exp.python_calls"
_LOADED_ON_USE = {
    "Reading": "captcha_exp.reader.predictor",
    "ReadingModel": "captcha_exp.predict.reading_model",
    "Run": _CALLS,
    "load_model": _CALLS,
    "load_sweep": _CALLS,
    "sweep": _CALLS,
    "train": _CALLS,
}
__all__ = ["Reading", "ReadingModel", "Run", "load_model", "load_sweep", "sweep", "train"]


def __getattr__(name: str) -> Any:
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LOADED_ON_USE[name]), name)


class _SweepRoom(ModuleType):
    """The folder `sweep/`, which can also be called."""

    def __call__(self, *given: Any, **named: Any) -> Any:
        return import_module(_CALLS).sweep(*given, **named)


class _Package(ModuleType):
    """This package. Python sets a folder of it as its attribute, and would so replace the function `sweep`."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "sweep" and isinstance(value, ModuleType):
            value.__class__ = _SweepRoom
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

# While Python looks for the module of `python -m MODULE`, this is its name. The installed program has its own.
if sys.argv and sys.argv[0].rpartition("/")[2] in {"-m", "captcha-exp"}:
    import_module("captcha_exp.needed_packages").end_if_missing()
