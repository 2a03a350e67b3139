"""Every engine takes the same steps, and a training by any of them can be interrupted."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from captcha_exp.config import Config, CustomOptimizerConfig, OptimizerConfig, Schedule
from captcha_exp.errors import InputError
from captcha_exp.model import build_recogniser
from captcha_exp.reader.decoding import Decoder
from captcha_exp.training import train
from captcha_exp.training.engines import Engine, build_engine
from captcha_exp.training.engines.keras_engine import KerasEngine
from captcha_exp.training.engines.tensorflow_engine import TensorflowEngine
from tests.engine_process import environment
from tests.training.engines import engine_steps

HERE = Path(__file__).parent
# Everything but dropout, whose masks each library draws in its own way.
ALTERED = ["dataset.image_height=32", "dataset.image_width=64", "cnn.filters=[8,16,24]"]
ALTERED += ["transformer.projection_dim=24", "transformer.dropout=0", "augmentation=strong", "training.ema_decay=0.5"]
ALTERED += ["training.auxiliary_ctc=0.3"]
Steps = tuple[list[tuple[float, float]], list[np.ndarray]]


@pytest.fixture
def config(compose: Callable[..., Config]) -> Config:
    return compose(*ALTERED)


@pytest.fixture
def steps(config: Config, build: Callable[..., Any]) -> Callable[..., Steps]:
    """Losses and norms of an engine's steps, and weights and their averages after them."""

    def run(make: Callable[..., Engine], optimizer: OptimizerConfig | None = None) -> Steps:
        model = build(config)
        engine = make(model, optimizer or config.optimizer, config.augmentation, config.training)
        return engine_steps.losses_and_weights(engine, model)

    return run


def check_same(told: Any, weights: list[np.ndarray], reference: Steps) -> None:
    np.testing.assert_allclose(told, reference[0], rtol=1e-4)  # the gradient of a third step adds up roundings
    assert len(weights) == len(reference[1])
    for one, other in zip(weights, reference[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_tensorflow_has_an_engine_of_its_own(config: Config, build: Callable[..., Any]) -> None:
    assert isinstance(
        build_engine(build(config), config.optimizer, config.augmentation, config.training), TensorflowEngine
    )


def test_steps_in_terms_of_keras_equal_those_of_tensorflow(steps: Callable[..., Steps]) -> None:
    reference = steps(TensorflowEngine)
    check_same(*steps(KerasEngine), reference)
    assert reference[0][0][1] > 1, "gradients that are clipped"


def test_both_take_the_same_steps_on_bent_struck_and_recoloured_images(compose: Callable[..., Config]) -> None:
    changes = ("invert_probability=0.5", "perspective=0.2", "bend=0.1", "recolor_probability=0.5", "strokes=2")
    config = compose(*ALTERED, "training.auxiliary_ctc=0", *(f"augmentation.{change}" for change in changes))
    images = np.random.default_rng(0).random((4, 32, 64, 3), np.float32)
    told = []
    for make in (TensorflowEngine, KerasEngine):
        model = build_recogniser(config.cnn, config.transformer, 32, 64, 5, channels=3, seed=0)
        engine = make(model, config.optimizer, config.augmentation, config.training)
        seeds = (np.array([7, step], np.int32) for step in range(2))
        losses = [engine.step(images, engine_steps.batch(0)[1], seed, 1e-3) for seed in seeds]
        told.append((losses, engine_steps.weights(engine, model)))
    check_same(*told[0], told[1])


def test_an_optimizer_of_ones_own_takes_the_same_steps_in_both(
    steps: Callable[..., Steps], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "import keras\n\ndef momentum(optimizer):\n    return keras.optimizers.SGD(0.1, momentum=0.9)\n"
    (tmp_path / "optimizers_of_ones_own.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    own = CustomOptimizerConfig(
        kind="custom",
        learning_rate=0.1,
        schedule=Schedule.constant,
        warmup_share=0.0,
        clip_norm=0.5,
        builder="optimizers_of_ones_own:momentum",
        options={},
    )
    check_same(*steps(KerasEngine, own), steps(TensorflowEngine, own))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_steps_on_another_backend_equal_those_of_tensorflow(
    steps: Callable[..., Steps], config: Config, build: Callable[..., Any], tmp_path: Path, backend: str
) -> None:
    build(config).save(tmp_path / "model.keras")
    (tmp_path / "overrides.json").write_text(json.dumps(ALTERED))
    done = subprocess.run(
        [sys.executable, str(HERE / "engine_steps.py"), str(tmp_path)],
        env=environment(backend), capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["name"], told["tensorflow"]) == (backend, False)
    with np.load(tmp_path / "weights.npz") as weights:
        check_same(told["told"], [weights[name] for name in weights.files], steps(TensorflowEngine))


@pytest.mark.parametrize("make", [TensorflowEngine, KerasEngine])
def test_a_restored_engine_takes_the_same_steps(
    make: Callable[..., Engine], config: Config, build: Callable[..., Any], steps: Callable[..., Steps]
) -> None:
    def engine(model: keras.Model) -> Engine:
        return make(model, config.optimizer, config.augmentation, config.training)

    model, continued = build(config), build(config, seed=5)
    first = engine(model)
    engine_steps.take(first, last=2)
    rest = engine(continued)
    continued.set_weights(model.get_weights())
    rest.restore(first.state())
    told = engine_steps.take(rest, first=2)
    reference = steps(make)
    assert told == reference[0][2:]
    for one, other in zip(engine_steps.weights(rest, continued), reference[1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_an_interrupted_training_on_another_backend_ends_with_the_metrics_of_an_uninterrupted_one(
    small: Callable[..., Config],
    build: Callable[..., Any],
    texts: Any,
    characters: str,
    tmp_path: Path,
    backend: str,
) -> None:
    random = ["augmentation=strong", "transformer.dropout=0.3", "cnn.dropout=0.1", "training.epochs=3"]
    random += ["transformer.depth=1", "training.ema_decay=0.9", "training.auxiliary_ctc=0.3"]
    random += ["training.unaltered_share=0.5"]
    script = HERE.parent / "interrupted_fit.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), *random],
        env=environment(backend, tmp_path / "compiled"), capture_output=True, text=True, check=True, timeout=400,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert len(told["whole"]) == 3
    assert told["resumed"] == told["whole"]
    config = small(*random)
    with pytest.raises(InputError, match=f"KERAS_BACKEND={backend}, .* by tensorflow: .*training.resume=false"):
        train(build(config), texts, texts, Decoder(characters), config, checkpoint_dir=tmp_path)
