"""What benchmarks work on: a composed configuration, and the real images."""

import os
from pathlib import Path

from hydra import compose, initialize_config_dir

from captcha_exp.config import Config, conf_dir, load_config


def composed(*overrides: str) -> Config:
    """The configuration of a command line."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return load_config(compose("config", list(overrides)))


def real_images() -> Path:
    """The folder with the real sets, which CAPTCHA_EXP_DATA names.

    Raises:
        SystemExit: it names none.
    """
    data = os.environ.get("CAPTCHA_EXP_DATA")
    if not data:
        raise SystemExit("CAPTCHA_EXP_DATA must name the folder with the real sets.")
    return Path(data).resolve()
