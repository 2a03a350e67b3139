"""What every command does around its own work: compose `conf/`, and tell mistakes in one line."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from captcha_exp.config import conf_dir
from captcha_exp.errors import InputError

EXIT_HYDRA = 1  # what Hydra itself exits with when it refuses a command line
EXIT_INPUT = 2
EXIT_INTERRUPT = 130


def hydra_command(task: Callable[[DictConfig], Any], config_name: str, arguments: Sequence[str]) -> int:
    """Compose `config_name` with `arguments`, call `task`, and return the exit code.

    What the user can mend is printed to standard error as one line that begins with `error:`.
    `HYDRA_FULL_ERROR=1` shows tracebacks instead.
    """
    return exit_code(lambda: _run_hydra(task, config_name, arguments))


def exit_code(work: Callable[[], Any]) -> int:
    """Call `work`; 0 when it returns, otherwise what its exception stands for, told in one line.

    Anything that is not the user's to mend keeps its traceback.
    """
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        work()
        return 0
    try:
        work()
    except InputError as error:
        return _refuse(str(error), EXIT_INPUT)
    except (HydraException, OmegaConfBaseException) as error:
        return _refuse(_hydra_message(error), EXIT_HYDRA)
    except KeyboardInterrupt:
        return _refuse("interrupted; the same command continues where this one stopped", EXIT_INTERRUPT)
    return 0


def _run_hydra(task: Callable[[DictConfig], Any], config_name: str, arguments: Sequence[str]) -> None:
    sys.argv[1:] = list(arguments)
    # Hydra would print its own several lines and hide the exception: with this it raises, and exit_code tells it.
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=config_name)(task)()
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def _refuse(message: str, code: int) -> int:
    one_line = " ".join(message.split())
    print(f"error: {one_line}", file=sys.stderr)
    return code


def _hydra_message(error: Exception) -> str:
    """Hydra's message without the lines that repeat it for programmers."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(
        line for line in lines if line and not line.startswith(("full_key:", "object_type=", "Config search"))
    )
