"""Fixtures of the tests of tracking."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from captcha_exp.tracking import LoadedRecogniser, Store, open_store
from captcha_exp.tracking.logged_model import save_recogniser
from tests.tracking_choice import tracked_in


@pytest.fixture(scope="session")
def store_root(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root folder of a store that most tests share."""
    root = tmp_path_factory.mktemp("store")
    give_database(root)
    return root


@pytest.fixture
def store(store_root: Path, request: pytest.FixtureRequest) -> Store:
    """An experiment of the test's own."""
    return open_store(tracked_in(request.node.name), store_root)


def reader(classes: int) -> Any:
    """float32 (B, 4, 6, 1) to probabilities (B, 6, K)."""
    import keras

    keras.utils.set_random_seed(0)
    images = keras.Input((4, 6, 1))
    x = keras.layers.Reshape((6, 4))(images)
    return keras.Model(images, keras.layers.Dense(classes, activation="softmax")(x))


@pytest.fixture(scope="session")
def small_model() -> Any:
    """A reader of two characters."""
    return reader(3)


@pytest.fixture(scope="session")
def model_of_eight() -> Any:
    """A reader of eight characters."""
    return reader(9)


@pytest.fixture(scope="session")
def metadata() -> dict[str, Any]:
    """What stands beside the reader of two characters."""
    return {
        "characters": "ab",
        "image": {"height": 4, "width": 6, "keep_aspect_ratio": False, "background": 255},
        "decoding": {"kind": "greedy", "beam_width": 1},
        "dataset": {"name": "folder", "fingerprint": "f00d"},
        "config": {"training": {"epochs": 3}},
    }


@pytest.fixture(scope="session")
def honest_folder(small_model: Any, metadata: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model as this project writes it; not to be changed."""
    folder = tmp_path_factory.mktemp("honest") / "model"
    recogniser = LoadedRecogniser(
        small_model,
        **metadata,
        run_id="0123",
        model_id="m-0123",
        training_images=np.arange(3, dtype=np.uint64),
        validation_images=np.arange(3, 5, dtype=np.uint64),
    )
    save_recogniser(recogniser, folder)
    return folder


@pytest.fixture
def folder(honest_folder: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(honest_folder, tmp_path / "model"))
