"""A table of twelve images, and how a test opens one."""

from collections.abc import Callable
from pathlib import Path

from captcha_exp.config import Config
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.sources import open_source

Compose = Callable[..., Config]
ROWS = {f"{number:04d}": f"{number * 37 % 10}{number % 7}a" for number in range(12)}


def opened(compose: Compose, table: Path, *overrides: str) -> Source:
    config = compose("dataset=manifest", f"dataset.path='{table}'", *overrides)
    return open_source(config.dataset, config.root_path / "cache")
