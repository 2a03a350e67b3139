"""The command that shows the runs of a folder in the pages of MLflow."""

import sys
from typing import TYPE_CHECKING

from captcha_exp.command_line import hydra_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main() -> int:
    """Show the runs of the folder that the command line names, e.g. `root=DIR port=8080`."""
    codes: list[int] = []
    code = hydra_command(lambda composed: codes.append(_show(composed)), "ui", sys.argv[1:])
    return code or sum(codes)


def _show(composed: "DictConfig") -> int:
    from captcha_exp.config import UiConfig, load

    config = load(UiConfig, composed)
    from captcha_exp.ui.mlflow_pages import show_pages

    return show_pages(config)


if __name__ == "__main__":
    sys.exit(main())
