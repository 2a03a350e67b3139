"""Some steps of an engine, also in a process of its own: engine_steps.py FOLDER, its engine by KERAS_BACKEND."""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from captcha_exp.training.engines import Engine, build_engine

STEPS = 3
UNALTERED = 1  # the step that learns from images as they are
LEARNING_RATE = 1e-3


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 (4, 32, 64, 1) and labels int32 (4, 3)."""
    random = np.random.default_rng(step)
    return random.random((4, 32, 64, 1), np.float32), np.array([[1, 2, 2], [3, 1, 0], [4, 0, 0], [2, 4, 3]], np.int32)


def take(engine: Engine, first: int = 0, last: int = STEPS) -> list[tuple[float, float]]:
    """Loss and norm of the steps from `first` to before `last`."""
    told = []
    for step in range(first, last):
        images, labels = batch(step)
        seed = np.array([7, step], np.int32) if step != UNALTERED else None
        told.append(engine.step(images, labels, seed, LEARNING_RATE * (step + 1)))
    return told


def losses_and_weights(engine: Engine, model: keras.Model) -> tuple[Any, list[np.ndarray]]:
    """Losses and norms of all steps, and what is left after them: weights, then their averages."""
    return take(engine), weights(engine, model)


def weights(engine: Engine, model: keras.Model) -> list[np.ndarray]:
    """The model's weights, then their averages."""
    averages = engine.averaged_weights()
    assert averages is not None
    return model.get_weights() + averages


if __name__ == "__main__":
    from hydra import compose, initialize_config_dir

    from captcha_exp.config import conf_dir, load_config

    folder = Path(sys.argv[1])
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load_config(compose("config", json.loads((folder / "overrides.json").read_text())))
    model = keras.models.load_model(folder / "model.keras", compile=False)
    engine = build_engine(model, config.optimizer, config.augmentation, config.training)
    told, left = losses_and_weights(engine, model)
    np.savez(folder / "weights.npz", *left)
    print(json.dumps({"name": engine.name, "told": told, "tensorflow": "tensorflow" in sys.modules}))
