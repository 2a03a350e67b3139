"""A recogniser with random weights, and its servable form."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import conf_dir, load_config, to_plain
from captcha_exp.tracking import LoadedRecogniser

HEIGHT, WIDTH, CHARACTERS = 16, 48, "0123abc"


@pytest.fixture(scope="session")
def make_recogniser() -> Callable[..., LoadedRecogniser]:
    """Build a small recogniser of any architecture, sharp enough to read different texts in different images."""

    def make(*overrides: str) -> LoadedRecogniser:
        from captcha_exp.model import build_recogniser, with_probabilities

        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = load_config(compose("config", list(overrides)))
        logits = build_recogniser(config.cnn, config.transformer, HEIGHT, WIDTH, len(CHARACTERS) + 1, seed=1)
        output = logits.get_layer("logits")
        output.set_weights([12 * weight for weight in output.get_weights()])
        return LoadedRecogniser(
            with_probabilities(logits),
            CHARACTERS,
            {"height": HEIGHT, "width": WIDTH, "keep_aspect_ratio": False, "background": 255},
            to_plain(config.decoding),
            {"name": "random", "fingerprint": "0123"},
            to_plain(config),
            run_id="run",
            model_id="m-1",
            training_images=np.arange(3, dtype=np.uint64),
        )

    return make


@pytest.fixture(scope="session")
def recogniser(make_recogniser: Callable[..., LoadedRecogniser]) -> LoadedRecogniser:
    return make_recogniser("cnn.filters=[4,8]", "transformer=none", "cnn.width_stride=2")


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Forty images of blobs, uint8 (N, H, W)."""
    random = np.random.default_rng(0)
    return np.kron(random.integers(0, 256, (40, HEIGHT // 4, WIDTH // 4)), np.ones((4, 4))).astype(np.uint8)


@pytest.fixture(scope="session")
def files(images: np.ndarray) -> list[bytes]:
    """The same as PNG files."""
    from captcha_exp.serving.servable import png

    return [png(image) for image in images]


@pytest.fixture(scope="session")
def servable(recogniser: LoadedRecogniser, files: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A servable model folder."""
    from captcha_exp.serving.servable import build_servable

    folder = tmp_path_factory.mktemp("servable") / "model"
    build_servable(recogniser, folder, example=files[0])
    return folder
