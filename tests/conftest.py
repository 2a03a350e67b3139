"""Fixtures that every test may use."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from captcha_exp.config import Config, conf_dir, load_config


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that at the end no process works on one of them alone."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)


@pytest.fixture
def compose(tmp_path: Path) -> Callable[..., Config]:
    """Compose `conf/` with overrides as a user types them; `root` is the test's own folder."""

    def _compose(*overrides: str) -> Config:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return load_config(hydra_compose("config", [f"root={tmp_path}", *overrides]))

    return _compose


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real labelled images, or skip."""
    folder = os.environ.get("CAPTCHA_EXP_DATA")
    if not folder:
        pytest.skip("set CAPTCHA_EXP_DATA to the folder of real labelled images")
    return Path(folder).resolve()
