"""Functions of the user's own that a configuration names."""

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from typing import Any

from captcha_exp.errors import InputError

_SPEC = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_function_name(spec: str) -> bool:
    """Whether a text has the form MODULE:FUNCTION."""
    return _SPEC.fullmatch(spec) is not None


def lies_with_the_user(spec: str) -> bool:
    """Whether the module of MODULE:FUNCTION lies in the current folder or on PYTHONPATH; nothing is imported."""
    top = spec.partition(":")[0].partition(".")[0]
    places = [os.getcwd(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    there, taken = PathFinder.find_spec(top, places), importlib.util.find_spec(top)
    # A module of the same name that Python would take before it is not the user's.
    return there is not None and taken is not None and there.origin == taken.origin


def named_function(key: str, spec: str) -> Callable[..., Any]:
    """The function `MODULE:FUNCTION`, where the module lies in the current folder or anywhere on PYTHONPATH.

    Args:
        key: of the configuration, for messages.
        spec: its value.

    Raises:
        InputError: there is no such module or function. What the module itself raises is passed on.
    """
    if not is_function_name(spec):
        raise InputError(f"{key} must be MODULE:FUNCTION, e.g. my_module:build, not {spec!r}.")
    if os.getcwd() not in sys.path:  # `python -m` has it there, an installed script has not
        sys.path.append(os.getcwd())
    module_name, _, name = spec.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{key}={spec} cannot be imported: {error}. Its module must lie in the current folder or on PYTHONPATH."
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise InputError(f"{key}={spec}: the module {module_name} has no function {name}.")
    return function
