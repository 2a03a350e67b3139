"""Several recognisers as one model."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.model.voters import build_voters, mean_weights
from captcha_exp.reader.image import to_input
from captcha_exp.reader.onnx_file import EXPORTED, PARTS
from captcha_exp.reader.onnx_runtime import OnnxRuntime
from captcha_exp.tracking import LoadedRecogniser

# Loaded as a model from a store is: only stock layers, and no code of this package in the network.
LOAD = """
import sys
import numpy as np
from pathlib import Path
from captcha_exp.tracking.keras_file import check_network
folder = Path(sys.argv[1])
model = check_network(folder / "model.keras", "model=x").rebuild()
np.save(folder / "read.npy", model(np.load(folder / "images.npy")).numpy())
"""
CHOICES = (["transformer=pre_norm", "cnn=lean"], ["transformer=lstm", "cnn.dropout=0.1"])


def logits_of(recogniser: LoadedRecogniser) -> "keras.Model":  # noqa: F821
    import keras

    return keras.Model(recogniser.model.input, recogniser.model.get_layer("logits").output)


@pytest.fixture(params=CHOICES, ids=" ".join)
def joined(
    request: pytest.FixtureRequest, make_recogniser: Callable[..., LoadedRecogniser], images: np.ndarray
) -> tuple[LoadedRecogniser, np.ndarray]:
    """Three members of different weights as one model, and the mean of their probabilities."""
    member = make_recogniser(*request.param)
    rng = np.random.default_rng(0)
    first = member.model.get_weights()
    weights = [first, *([w * rng.uniform(0.7, 1.3, w.shape).astype(w.dtype) for w in first] for _ in range(2))]
    probabilities = []
    for values in weights:
        member.model.set_weights(values)
        probabilities.append(member.model(to_input(images)).numpy())
    assert np.abs(probabilities[0] - probabilities[1]).max() > 1e-3
    return replace(member, model=build_voters(logits_of(member), weights)), np.mean(probabilities, axis=0)


def test_the_probabilities_are_the_mean_of_the_members(
    joined: tuple[LoadedRecogniser, np.ndarray], images: np.ndarray
) -> None:
    voters, mean = joined
    np.testing.assert_allclose(voters.model(to_input(images)).numpy(), mean, atol=1e-6)


def test_the_onnx_form_computes_the_same(
    joined: tuple[LoadedRecogniser, np.ndarray], images: np.ndarray, tmp_path: Path
) -> None:
    import onnx

    voters, mean = joined
    path = tmp_path / "model.onnx"
    export_onnx(voters.model, {part: getattr(voters, part) for part in PARTS}, path)
    assert {node.op_type for node in onnx.load(path).graph.node} <= EXPORTED
    np.testing.assert_allclose(OnnxRuntime(path, threads=1)(images), mean, atol=1e-5)


@pytest.mark.parametrize("joined", CHOICES[:1], indirect=True)
def test_it_is_loaded_in_a_fresh_process_as_a_stored_model_is(
    joined: tuple[LoadedRecogniser, np.ndarray], images: np.ndarray, tmp_path: Path
) -> None:
    voters, mean = joined
    voters.model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", to_input(images))
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "read.npy"), mean, atol=1e-6)


def test_the_average_of_weights_has_those_of_batch_normalisation_too(recogniser: LoadedRecogniser) -> None:
    first = recogniser.model.get_weights()
    averaged = mean_weights([first, [3 * weight for weight in first]])
    for weight, average in zip(first, averaged, strict=True):
        np.testing.assert_allclose(average, 2 * weight, rtol=1e-6)
        assert average.dtype == weight.dtype
