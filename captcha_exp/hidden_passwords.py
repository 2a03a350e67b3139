"""Keep passwords out of everything that Hydra writes and prints."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from captcha_exp.config import flatten, holds_password, kept_in_environment, without_passwords
from captcha_exp.errors import InputError
from captcha_exp.typed_texts import text_as_typed

_log = logging.getLogger(__name__)
# Options that make Hydra print a configuration instead of using it.
_PRINTING = {"--cfg", "-c", "--info", "-i", "--help", "-h", "--resolve"}
_PREFIX = {OverrideType.ADD: "+", OverrideType.FORCE_ADD: "++", OverrideType.DEL: "~"}


def without_typed_passwords(arguments: Sequence[str]) -> list[str]:
    """Replace each value that holds a password by `${oc.env:...}`, and move the value to the environment.

    Hydra writes the arguments to files, and workers are started with them. A process that was itself started with a
    password starts again without it. Otherwise, its child processes would show its command line for a moment.

    Raises:
        InputError: a password is inside a list, a mapping or a choice.
    """
    hidden = {argument: without_typed_password(argument) for argument in arguments}
    for argument, safe in hidden.items():
        if safe != argument:
            _log.warning(
                "the list of this machine's processes has shown the password that was typed; put the value into the "
                "environment variable that '%s' names, and type that",
                safe,
            )
    command = [hidden.get(argument, argument) for argument in sys.orig_argv]
    if command != sys.orig_argv:
        os.execv(sys.executable, command)
    return [hidden.get(argument, argument) for argument in arguments]


def without_typed_password(argument: str) -> str:
    """One argument; if its value holds a password, an interpolation of the environment variable that now holds it."""
    if argument.startswith("-") or without_passwords(argument) == argument:
        return argument
    try:
        override = OverridesParser.create().parse_override(text_as_typed(argument))
    except HydraException:
        return argument  # Hydra will refuse it
    key, value = override.key_or_group, override.value()
    if holds_password(key, value):
        return f"{_PREFIX.get(override.type, '')}{key}={kept_in_environment(key, value)}"
    if isinstance(value, str | int):
        return argument  # e.g. an address whose password is an interpolation
    raise InputError(f"{key} holds a password among other values; set its key by itself: `{key}.KEY=...`.")


class HiddenPasswords(Callback):
    """A callback that keeps passwords of the user's configuration files out of Hydra's copies of them."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        _hide(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        # Hydra composes each job again, from the files and these overrides.
        for override in _hide(config):
            of = "hydra" if override.startswith("hydra.") else "task"
            config.hydra.overrides[of].append(override)


def _hide(config: DictConfig) -> list[str]:
    """Replace passwords by `${oc.env:...}`. Returns overrides that do the same."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    hidden = {
        key: kept_in_environment(key, value) for key, value in flatten(plain).items() if holds_password(key, value)
    }
    for key, interpolation in hidden.items():
        OmegaConf.update(config, key, interpolation)
    return [f"{key}={interpolation}" for key, interpolation in hidden.items()]


@contextmanager
def printed_without_passwords(arguments: Sequence[str]) -> Iterator[None]:
    """If `arguments` ask Hydra to print the configuration, mask the passwords in it."""
    if not any(argument.partition("=")[0] in _PRINTING for argument in arguments):
        yield
        return
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        print(without_passwords(printed.getvalue()), end="", flush=True)
