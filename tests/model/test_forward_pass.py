"""The compiled network."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.reader.image import to_input
from captcha_exp.tracking import LoadedRecogniser
from tests.engine_process import environment

PROCESS = Path(__file__).with_name("forward_pass_process.py")


class Counted(keras.layers.Layer):
    """Counts how often it is traced; TensorFlow calls it in Python at no other time."""

    traced = 0

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        Counted.traced += 1
        return inputs


def test_every_batch_size_gives_what_the_model_gives(recogniser: LoadedRecogniser, images: np.ndarray) -> None:
    expected = np.asarray(recogniser.model(to_input(images), training=False))
    for size in (1, 16, 32, 64):
        read = ForwardPass(recogniser.model, size)(images)
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, expected, atol=1e-6)
    np.testing.assert_allclose(ForwardPass(recogniser.model)(images[:1]), expected[:1], atol=1e-6)


def test_no_size_of_a_batch_is_traced_anew() -> None:
    inputs = keras.Input((16, 48, 1))
    forward_pass = ForwardPass(keras.Model(inputs, Counted()(inputs)[:, :, :, 0]), 8)
    forward_pass(np.zeros((8, 16, 48), np.uint8))
    before = Counted.traced
    for count in (1, 8, 13, 5):
        assert len(forward_pass(np.zeros((count, 16, 48), np.uint8))) == count
    assert Counted.traced == before > 0


def test_it_follows_weights_that_are_trained(images: np.ndarray) -> None:
    inputs = keras.Input((16, 48, 1))
    dense = keras.layers.Dense(2)
    model = keras.Model(inputs, dense(inputs[:, :, :, 0]))
    forward_pass = ForwardPass(model)
    before = forward_pass(images)
    dense.set_weights([2 * weight for weight in dense.get_weights()])
    np.testing.assert_allclose(forward_pass(images), 2 * before, atol=1e-5)


@pytest.mark.parametrize(("backend", "name"), [("jax", "JAX"), ("torch", "PyTorch")])
def test_other_backends_of_keras_read_the_same_and_load_no_tensorflow(
    recogniser: LoadedRecogniser, images: np.ndarray, tmp_path: Path, backend: str, name: str
) -> None:
    recogniser.model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    done = subprocess.run(
        [sys.executable, str(PROCESS), str(tmp_path)],
        env=environment(backend), capture_output=True, text=True, check=True, timeout=400,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told.pop("refused").startswith(
        f"KERAS_BACKEND={backend} writes no ONNX file; type the command with KERAS_BACKEND=ten"
    )
    assert told == {"name": name, "tensorflow": False, "lengths": [1, 3, 40]}
    for count in told["lengths"]:
        read = np.load(tmp_path / f"read-{count}.npy")
        np.testing.assert_allclose(read, ForwardPass(recogniser.model)(images[:count]), atol=1e-5)
