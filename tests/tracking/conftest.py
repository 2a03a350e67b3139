"""Fixtures of the tests of tracking."""

from pathlib import Path
from typing import Any

import pytest

from captcha_exp.config import TrackingConfig
from captcha_exp.tracking import Store, open_store


@pytest.fixture(scope="session")
def store_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making a database takes seconds: most tests share one."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def store(store_root: Path, request: pytest.FixtureRequest) -> Store:
    """An experiment of the test's own."""
    return open_store(TrackingConfig(None, request.node.name, None, True, 0), store_root)


@pytest.fixture(scope="session")
def small_model() -> Any:
    """float32 (B, 4, 6, 1) to probabilities (B, 6, 3)."""
    import keras

    keras.utils.set_random_seed(0)
    images = keras.Input((4, 6, 1))
    x = keras.layers.Reshape((6, 4))(images)
    return keras.Model(images, keras.layers.Dense(3, activation="softmax")(x))
