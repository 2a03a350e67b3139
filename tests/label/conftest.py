"""A folder of images without labels, and sessions over it in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from captcha_exp.config import FolderConfig, LabelCommandConfig, conf_dir, load
from captcha_exp.label.guesses import Guesses
from captcha_exp.label.image_pool import open_pool
from captcha_exp.label.label_table import LabelTable
from captcha_exp.label.labelled_dataset import with_table
from captcha_exp.label.labelling_session import LabellingSession
from captcha_exp.label.retraining import Retraining
from tests.dataset.conftest import png

Configured = Callable[..., LabelCommandConfig]


def write_images(folder: Path, names: list[str]) -> Path:
    """Files of these names, all with other pixels."""
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(seed))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images", [f"{number}.png" for number in range(20)])


@pytest.fixture
def configured(tmp_path: Path, folder: Path) -> Configured:
    """Compose conf/label.yaml with overrides; nothing is trained unless they say so."""

    def configure(*overrides: str) -> LabelCommandConfig:
        given = [f"root={tmp_path}", "dataset=folder", f"dataset.path='{folder}'", "retrain_every=null"]
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return load(LabelCommandConfig, hydra_compose("label", [*given, *overrides]))

    return configure


@pytest.fixture
def begun(configured: Configured, folder: Path, tmp_path: Path) -> Callable[..., LabellingSession]:
    """A session with the table `labels.csv` in the folder; typed again, it goes on."""

    def begin(*overrides: str, guesses: Guesses | None = None) -> LabellingSession:
        config = configured(*overrides)
        assert isinstance(config.dataset, FolderConfig)
        pool, table = open_pool(config.dataset), LabelTable(folder / "labels.csv")
        files = [(image.name, image.path) for image in pool.images]
        retraining = Retraining(with_table(config, table.path, folder), files, tmp_path / "labelling", guesses)
        return LabellingSession(pool, table, retraining, config.test_every, config.retrain_every)

    return begin
