"""The network as an ONNX file."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.config import conf_dir
from captcha_exp.errors import InputError
from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.reader.image import to_input
from captcha_exp.reader.onnx_runtime import OnnxRuntime
from captcha_exp.tracking import LoadedRecogniser

CNNS = sorted(path.stem for path in (conf_dir() / "cnn").glob("*.yaml"))
TRANSFORMERS = sorted(path.stem for path in (conf_dir() / "transformer").glob("*.yaml"))


@pytest.mark.parametrize(("cnn", "transformer"), list(product(CNNS, TRANSFORMERS)))
def test_the_onnx_form_computes_the_same_probabilities(
    cnn: str, transformer: str, make_recogniser: Callable[..., LoadedRecogniser], images: np.ndarray, tmp_path: Path
) -> None:
    recogniser = make_recogniser(f"cnn={cnn}", f"transformer={transformer}")
    export_onnx(recogniser.model, {}, tmp_path / "model.onnx")
    computed = OnnxRuntime(tmp_path / "model.onnx", threads=1)(images)
    np.testing.assert_allclose(computed, recogniser.model(to_input(images)).numpy(), atol=1e-5)


def test_a_network_that_onnx_does_not_know_is_refused(recogniser: LoadedRecogniser, tmp_path: Path) -> None:
    """Activation functions of a user's own are one way to it."""
    import keras
    import tensorflow as tf

    output = keras.layers.Lambda(tf.math.lgamma)(recogniser.model.output)
    other = replace(recogniser, model=keras.Model(recogniser.model.input, output))
    with pytest.raises(InputError, match=r"^The network cannot be written as ONNX: .*Set `servable=false`"):
        export_onnx(other.model, {}, tmp_path / "model.onnx")
