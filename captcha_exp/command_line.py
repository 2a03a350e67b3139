"""The frame of every command: compose `conf/`, and report mistakes in one line."""

import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from captcha_exp.config import conf_dir, without_passwords
from captcha_exp.config.brought import answer, check_arguments
from captcha_exp.errors import InputError, joined_lines
from captcha_exp.files import telling_full_disk
from captcha_exp.help_page import asks_for_help, help_page, show
from captcha_exp.hidden_passwords import printed_without_passwords, without_typed_passwords
from captcha_exp.needed_packages import told_missing
from captcha_exp.terminal import complain, log_to_terminal
from captcha_exp.typed_texts import as_typed

EXIT_INPUT = 2
EXIT_INTERRUPT = 130
# System errors that a user can fix: no permission, or a file in place of a folder.
_USERS_TO_MEND = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
# Keys of databases, which may be files on another disk.
_DATABASES = ("tracking.uri", "sweep.storage")
# Commands whose configuration is not named after them.
_COMMAND_OF = {"config": "train"}


def hydra_command(task: Callable[[DictConfig], Any], config_name: str, arguments: Sequence[str]) -> int:
    """Compose `config_name` with `arguments`, call `task`, and return the exit code.

    An error that the user can fix is printed to standard error, as one line that begins with `error:`.
    `HYDRA_FULL_ERROR=1` shows tracebacks instead. `--help` shows the command's help.
    """
    log_to_terminal()
    if asks_for_help(arguments):
        is_sweep = any(argument.startswith("+sweep=") for argument in arguments)
        return exit_code(lambda: show(help_page("sweep" if is_sweep else _COMMAND_OF.get(config_name, config_name))))
    return exit_code(lambda: _run_hydra(task, config_name, arguments))


def exit_code(work: Callable[[], Any]) -> int:
    """Call `work`. Returns 0, or the exit code for its exception, which is reported in one line.

    An exception that the user cannot fix keeps its traceback.
    """
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        work()
        return 0
    try:
        work()
    except InputError as error:
        return _refuse(str(error), EXIT_INPUT)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        return _refuse(hydra_message(error), EXIT_INPUT)
    except ModuleNotFoundError as error:
        missing = told_missing(error)
        if missing is None:
            raise
        return _refuse(missing, EXIT_INPUT)
    except OSError as error:
        if error.errno not in _USERS_TO_MEND:
            raise
        return _refuse(
            f"{error.filename or 'a file'}: {error.strerror}; free the way or set another `root`", EXIT_INPUT
        )
    except KeyboardInterrupt:
        return _refuse("interrupted; the same command continues where this one stopped", EXIT_INTERRUPT)
    return 0


def _run_hydra(task: Callable[[DictConfig], Any], config_name: str, arguments: Sequence[str]) -> None:
    check_arguments(arguments)
    _check_options(arguments)
    sys.argv[1:] = as_typed(without_typed_passwords(arguments))
    # Without this, Hydra would print several lines and hide the exception. With it, Hydra raises for exit_code.
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    refused: list[Exception] = []
    try:
        run = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=config_name)
        # This catches full disks while Hydra writes, and exceptions of the sweep's own process.
        places = (Path(a.removeprefix("root=")) for a in arguments if a.startswith("root="))
        with telling_full_disk(*places), printed_without_passwords(arguments):
            run(_quietly(task, refused))()
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before
    if refused:
        raise refused[0]


def _check_options(arguments: Sequence[str]) -> None:
    """Refuse an option that Hydra does not have in one line. Hydra would print all of its own before."""

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{message}; `--hydra-help` explains the options.")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    parser.parse_args(list(arguments))


def _quietly(task: Callable[[DictConfig], Any], refused: list[Exception]) -> Callable[[DictConfig], Any]:
    """Carry an error that is told in one line past Hydra, which would print another line about a single job."""

    @wraps(task)
    def carrying(composed: DictConfig) -> Any:
        log_to_terminal()  # Hydra sets up logging before each job, and a launcher may call this in another process
        try:
            with telling_full_disk(*_places(composed)):
                return task(composed)
        except (InputError, ModuleNotFoundError) as error:
            if is_one_of_many():
                raise  # this is a trial, and its sweep records the reason
            refused.append(error)

    return carrying


def is_one_of_many() -> bool:
    """Whether Hydra runs this job as one of several."""
    return HydraConfig.get().mode is not RunMode.RUN


def _places(composed: DictConfig) -> list[Path]:
    """Where a command writes."""
    databases = [OmegaConf.select(composed, key) for key in _DATABASES]
    files = [str(url).partition(":///")[2] for url in databases if str(url).startswith("sqlite")]
    return [Path(place) for place in (composed.get("root"), *files) if place]


def _refuse(message: str, code: int) -> int:
    complain(f"error: {without_passwords(joined_lines(message))}")
    return code


def hydra_message(error: Exception) -> str:
    """Hydra's message, without the lines for programmers."""
    from captcha_exp.config import known_keys
    from captcha_exp.config.earlier import renamed_choice

    better = renamed_choice(str(error)) or answer(str(error))
    if better is not None:
        return better
    lines = [line.strip() for line in str(error).splitlines()]
    noise = ("full_key:", "object_type=", "Config search path", "provider=", "See https")
    message = " ".join(line for line in lines if line and not line.startswith(noise))
    mistyped = re.search(r"Could not override '([^']+)'", message)
    near = get_close_matches(mistyped[1], known_keys(), n=1) if mistyped and mistyped[1] not in known_keys() else []
    return f"{message} Did you mean {near[0]}?" if near else message
