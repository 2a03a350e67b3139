"""Images that a small model learns to read within seconds."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.model import build_recogniser

CHARACTERS = "abcd"
SMALL = [
    "dataset.image_height=32",
    "dataset.image_width=64",
    "augmentation=none",
    "cnn.filters=[8,16,24]",
    "transformer.dropout=0",
    "transformer.projection_dim=24",
    "training.batch_size=8",
]


@dataclass(frozen=True)
class Texts:
    images: np.ndarray  # uint8 (N, 32, 64)
    labels: list[str]


def draw_texts(count: int, seed: int) -> Texts:
    """Labels of three characters, each drawn as one random pattern of its own with noise over it."""
    glyphs = np.random.default_rng(99).integers(0, 2, (len(CHARACTERS), 8, 4)).repeat(3, axis=1).repeat(4, axis=2)
    rng = np.random.default_rng(seed)
    images = np.full((count, 32, 64), 220.0)
    ids = rng.integers(0, len(CHARACTERS), (count, 3))
    for image, row in zip(images, ids, strict=True):
        for place, index in enumerate(row):
            top, left = rng.integers(0, 8), 4 + 20 * place
            image[top : top + 24, left : left + 16] -= 180 * glyphs[index]
    noisy = np.clip(images + rng.normal(scale=10, size=images.shape), 0, 255).astype(np.uint8)
    return Texts(noisy, ["".join(CHARACTERS[i] for i in row) for row in ids])


@pytest.fixture(scope="session")
def texts() -> Texts:
    return draw_texts(40, seed=0)


@pytest.fixture(scope="session")
def other_texts() -> Texts:
    return draw_texts(12, seed=1)


@pytest.fixture
def small(compose: Callable[..., Config]) -> Callable[..., Config]:
    """A configuration of the small model, with overrides."""
    return lambda *overrides: compose(*SMALL, *overrides)


@pytest.fixture
def build() -> Callable[..., keras.Model]:
    """The model of a configuration, for `CHARACTERS`."""

    def _build(config: Config, seed: int = 0) -> keras.Model:
        height, width = config.dataset.image_height, config.dataset.image_width
        return build_recogniser(config.cnn, config.transformer, height, width, len(CHARACTERS) + 1, seed=seed)

    return _build


@pytest.fixture(scope="session")
def characters() -> str:
    return CHARACTERS
