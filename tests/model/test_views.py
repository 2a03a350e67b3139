"""A recogniser that reads several views of each image."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.model.transfer import adopt_weights
from captcha_exp.model.views import MOST_VIEWS, with_views
from captcha_exp.model.voters import build_voters
from captcha_exp.reader.image import to_input
from captcha_exp.reader.onnx_file import EXPORTED, PARTS
from captcha_exp.reader.onnx_runtime import OnnxRuntime
from captcha_exp.tracking import LoadedRecogniser
from tests.model.test_voters import LOAD


def moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    rows = np.clip(np.arange(images.shape[1]) - down, 0, images.shape[1] - 1)
    columns = np.clip(np.arange(images.shape[2]) - right, 0, images.shape[2] - 1)
    return images[:, rows][:, :, columns]


@pytest.fixture(scope="module")
def small(make_recogniser: Callable[..., LoadedRecogniser]) -> LoadedRecogniser:
    return make_recogniser("transformer=pre_norm", "cnn=compact")


def test_one_view_is_the_model_itself(small: LoadedRecogniser) -> None:
    assert with_views(small.model, 1) is small.model


@pytest.mark.parametrize("views", range(2, MOST_VIEWS + 1))
def test_the_probabilities_are_the_mean_over_the_views(small: LoadedRecogniser, images: np.ndarray, views: int) -> None:
    inputs = to_input(images)
    seen = [inputs, 1 - inputs, moved(inputs, -1, 0), moved(inputs, 1, 0), moved(inputs, 0, 2), moved(inputs, 0, -2)]
    wanted = np.mean([small.model(view).numpy() for view in seen[:views]], axis=0)
    model = with_views(small.model, views)
    np.testing.assert_allclose(model(inputs).numpy(), wanted, atol=1e-5)
    assert model.count_params() == small.model.count_params()


def test_voters_can_read_several_views(small: LoadedRecogniser, images: np.ndarray) -> None:
    logits = keras.Model(small.model.input, small.model.get_layer("logits").output)
    twice = build_voters(logits, [small.model.get_weights()] * 2)
    wanted = with_views(small.model, 2)(to_input(images)).numpy()
    np.testing.assert_allclose(with_views(twice, 2)(to_input(images)).numpy(), wanted, atol=1e-5)


def test_a_training_can_start_from_a_model_that_reads_several_views(small: LoadedRecogniser) -> None:
    logits = keras.Model(small.model.input, small.model.get_layer("logits").output)
    started = keras.models.clone_model(logits)
    known = adopt_weights(started, small.characters, with_views(small.model, MOST_VIEWS), small.characters)
    assert known == small.characters
    for weight, wanted in zip(started.get_weights(), logits.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_the_onnx_form_computes_the_same(small: LoadedRecogniser, images: np.ndarray, tmp_path: Path) -> None:
    import onnx

    model, path = with_views(small.model, MOST_VIEWS), tmp_path / "model.onnx"
    export_onnx(model, {part: getattr(small, part) for part in PARTS}, path)
    assert {node.op_type for node in onnx.load(path).graph.node} <= EXPORTED
    np.testing.assert_allclose(OnnxRuntime(path, threads=1)(images), model(to_input(images)).numpy(), atol=1e-5)


def test_it_is_loaded_in_a_fresh_process_as_a_stored_model_is(
    small: LoadedRecogniser, images: np.ndarray, tmp_path: Path
) -> None:
    model = with_views(small.model, MOST_VIEWS)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", to_input(images))
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "read.npy"), model(to_input(images)).numpy(), atol=1e-6)
