"""Find the functions and classes that a configuration names, the user's own above all."""

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from typing import Any, TypeVar

from captcha_exp.errors import InputError

_Kind = TypeVar("_Kind")
_SPEC = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_function_name(spec: str) -> bool:
    """Whether a text has the form MODULE:FUNCTION."""
    return _SPEC.fullmatch(spec) is not None


def lies_with_the_user(spec: str) -> bool:
    """Whether the module of MODULE:FUNCTION is in the current folder or on PYTHONPATH. Nothing is imported."""
    top = spec.partition(":")[0].partition(".")[0]
    places = [os.getcwd(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    there, taken = PathFinder.find_spec(top, places), importlib.util.find_spec(top)
    # If Python would import another module of the same name first, it is not the user's.
    return there is not None and taken is not None and there.origin == taken.origin


def named_function(key: str, spec: str) -> Callable[..., Any]:
    """Import the function `MODULE:FUNCTION`. Its module is in the current folder or anywhere on PYTHONPATH.

    Args:
        key: the configuration's key, for messages.
        spec: its value.

    Raises:
        InputError: there is no such module or function. Exceptions of the module itself are passed on.
    """
    if not is_function_name(spec):
        raise InputError(f"{key} must be MODULE:FUNCTION, e.g. my_module:build, not {spec!r}.")
    function = _named(key, spec)
    if not callable(function):
        module_name, _, name = spec.partition(":")
        raise InputError(f"{key}={spec}: the module {module_name} has no function {name}.")
    return function


def named_class(key: str, spec: str, base: type[_Kind]) -> type[_Kind]:
    """Import the class `MODULE:CLASS`, a kind of `base`.

    Raises:
        InputError: there is no such module or class. Exceptions of the module itself are passed on.
    """
    found = _named(key, spec)
    if not isinstance(found, type) or not issubclass(found, base):
        module_name, _, name = spec.partition(":")
        raise InputError(f"{key}={spec}: the module {module_name} has no class {name} that is a {base.__name__}.")
    return found


def _named(key: str, spec: str) -> Any:
    """What the module has under the name; None if there is nothing."""
    if os.getcwd() not in sys.path:  # `python -m` adds it, an installed script does not
        sys.path.append(os.getcwd())
    module_name, _, name = spec.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{key}={spec} cannot be imported: {error}. Its module must lie in the current folder or on PYTHONPATH."
        ) from error
    return getattr(module, name, None)
