"""Fixtures that every test may use."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from captcha_exp.config import Config, conf_dir, load_config, to_plain
from tests.hostile_text import HOSTILE_TEXT
from tests.mlflow_server import MlflowServer, running_server
from tests.small_disk import SmallDisk, mounted
from tests.told import hearing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from captcha_exp.tracking import LoadedRecogniser


HEIGHT, WIDTH, CHARACTERS = 16, 48, "0123abc"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that at the end no process works on one of them alone."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)


@pytest.fixture(autouse=True)
def untouched_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's loggers as they are before a command has set them up, whatever ran in this process before."""
    package = logging.getLogger("captcha_exp")
    logging.setLogRecordFactory(logging.LogRecord)
    monkeypatch.setattr(package, "handlers", [])
    monkeypatch.setattr(package, "propagate", True)


@pytest.fixture
def compose(tmp_path: Path) -> Callable[..., Config]:
    """Compose `conf/` with overrides as a user types them; `root` is the test's own folder."""

    def _compose(*overrides: str) -> Config:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return load_config(hydra_compose("config", [f"root={tmp_path}", *overrides]))

    return _compose


@pytest.fixture
def told() -> Iterator[list[str]]:
    """The lines that a command would print of what the package logs at INFO, as they come."""
    lines: list[str] = []
    with hearing(lines.append):
        yield lines


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A file system of 16 MB, or skip where this process must not mount one."""
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(mounted(tmp_path / "disk", 16))
        except PermissionError as error:
            pytest.skip(f"a full disk needs a file system of its own, which only root may mount: {error}")
        yield disk


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real labelled images, or skip."""
    folder = os.environ.get("CAPTCHA_EXP_DATA")
    if not folder:
        pytest.skip("set CAPTCHA_EXP_DATA to the folder of real labelled images")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with MLflow's tables and nothing in them."""
    from captcha_exp.tracking.database import make_database

    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    make_database(path)
    return path


@pytest.fixture(scope="session")
def give_database(empty_database: Path) -> Callable[[Path], None]:
    """Put an empty database into a root folder. MLflow needs two seconds to make one, a copy takes no time."""

    def give(root: Path) -> None:
        (root / "mlruns").mkdir()
        shutil.copy(empty_database, root / "mlruns")

    return give


@pytest.fixture
def database_made_before(give_database: Callable[[Path], None], tmp_path: Path) -> None:
    """The test's folder has a database before the test starts."""
    give_database(tmp_path)


@pytest.fixture(scope="session")
def mlflow_server(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Starting one takes seconds: all tests share it, each with an experiment and a registered model of its own."""
    with running_server(empty_database, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, or skip."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    from tests.watched_browser import started_browser

    with started_browser() as started:
        yield started


@pytest.fixture(scope="session")
def make_recogniser() -> Callable[..., "LoadedRecogniser"]:
    """Build a small recogniser of any architecture, sharp enough to read different texts in different images."""

    def make(*overrides: str) -> "LoadedRecogniser":
        from captcha_exp.dataset.label_knowledge import label_decoder
        from captcha_exp.model import build_recogniser, with_probabilities
        from captcha_exp.tracking import LoadedRecogniser

        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = load_config(hydra_compose("config", list(overrides)))
        logits = build_recogniser(config.cnn, config.transformer, HEIGHT, WIDTH, len(CHARACTERS) + 1, seed=1)
        output = logits.get_layer("logits")
        output.set_weights([12 * weight for weight in output.get_weights()])
        return LoadedRecogniser(
            with_probabilities(logits),
            CHARACTERS,
            {"height": HEIGHT, "width": WIDTH, "keep_aspect_ratio": False, "background": 255},
            label_decoder(config.decoding, CHARACTERS, []).metadata(),
            {"name": "random", "fingerprint": "0123"},
            to_plain(config),
            run_id="run",
            model_id="m-1",
            training_images=np.arange(3, dtype=np.uint64),
        )

    return make


@pytest.fixture(scope="session")
def recogniser(make_recogniser: Callable[..., "LoadedRecogniser"]) -> "LoadedRecogniser":
    return make_recogniser("cnn.filters=[4,8]", "transformer=none", "cnn.width_stride=2")


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Forty images of blobs, uint8 (N, H, W)."""
    random = np.random.default_rng(0)
    return np.kron(random.integers(0, 256, (40, HEIGHT // 4, WIDTH // 4)), np.ones((4, 4))).astype(np.uint8)


@pytest.fixture(scope="session")
def files(images: np.ndarray) -> list[bytes]:
    """The same as PNG files."""
    from captcha_exp.reader.image import encode_png

    return [encode_png(image) for image in images]


@pytest.fixture(scope="session")
def servable(recogniser: "LoadedRecogniser", files: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A servable model folder."""
    from captcha_exp.promote.servable import build_servable

    folder = tmp_path_factory.mktemp("servable") / "model"
    build_servable(recogniser, folder, example=files[0])
    return folder


@pytest.fixture
def hostile_text() -> list[str]:
    """Texts that mean something to a page, a terminal, a spreadsheet, a formula, YAML, Markdown or a file system."""
    return list(HOSTILE_TEXT.values())
