"""The command that labels the images of a folder on a page."""

import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from captcha_exp.command_line import EXIT_INTERRUPT, hydra_command
from captcha_exp.errors import InputError
from captcha_exp.pretrained_network import beside, with_pretrained_network

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main() -> int:
    """Label the images that the command line names, e.g. `dataset=folder dataset.path=DIR`."""
    ended_by: list[int | None] = []
    arguments = sys.argv[1:]
    completed = with_pretrained_network(with_folder(arguments))
    code = hydra_command(lambda composed: ended_by.append(_label(composed, arguments)), "label", completed)
    return EXIT_INTERRUPT if ended_by == [signal.SIGINT] else code


def with_folder(arguments: Sequence[str]) -> list[str]:
    """Only folders are labelled, so `dataset.path=DIR` is enough."""
    chosen = any(argument.startswith("dataset=") for argument in arguments)
    return list(arguments) if chosen else beside("dataset.path=", arguments, "dataset=folder")


def _label(composed: "DictConfig", arguments: Sequence[str]) -> int | None:
    from captcha_exp.config import LabelCommandConfig, load
    from captcha_exp.config.keras_backend import check_keras_backend

    config = load(LabelCommandConfig, composed)
    check_keras_backend()
    if find_spec("uvicorn") is None or find_spec("starlette") is None:
        raise InputError("uvicorn is not installed; the page needs `pip install 'captcha-exp[serve]'`.")
    # Import this after the checks: the error for a mistyped key must not wait for it.
    from captcha_exp.label.whole_session import run_session

    return run_session(config, arguments)


if __name__ == "__main__":
    sys.exit(main())
