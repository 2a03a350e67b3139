"""The network as an ONNX file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from captcha_exp.config import conf_dir
from captcha_exp.errors import InputError
from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.reader.image import to_input
from captcha_exp.reader.onnx_file import EXPORTED, FOR_BUILDERS, PARTS
from captcha_exp.reader.onnx_runtime import OnnxRuntime
from captcha_exp.tracking import LoadedRecogniser

CNNS = sorted(path.stem for path in (conf_dir() / "cnn").glob("*.yaml"))
TRANSFORMERS = sorted(path.stem for path in (conf_dir() / "transformer").glob("*.yaml"))


def described(recogniser: LoadedRecogniser) -> dict[str, Any]:
    return {part: getattr(recogniser, part) for part in PARTS}


def operators(path: Path) -> set[str]:
    return {node.op_type for node in onnx.load(path).graph.node}


@pytest.mark.parametrize(
    ("cnn", "transformer"), sorted({(cnn, "pre_norm") for cnn in CNNS} | {("compact", name) for name in TRANSFORMERS})
)
def test_the_onnx_form_computes_the_same_probabilities(
    cnn: str, transformer: str, make_recogniser: Callable[..., LoadedRecogniser], images: np.ndarray, tmp_path: Path
) -> None:
    recogniser = make_recogniser(f"cnn={cnn}", f"transformer={transformer}")
    export_onnx(recogniser.model, described(recogniser), tmp_path / "model.onnx")
    assert operators(tmp_path / "model.onnx") <= EXPORTED
    computed = OnnxRuntime(tmp_path / "model.onnx", threads=1)(images)
    np.testing.assert_allclose(computed, recogniser.model(to_input(images)).numpy(), atol=1e-5)


def test_no_operator_is_opened_in_vain(make_recogniser: Callable[..., LoadedRecogniser], tmp_path: Path) -> None:
    made: set[str] = set()
    for choices in (
        ["transformer=lstm", "cnn.activation=elu"],
        ["cnn=original", "cnn.activation=gelu", "transformer=pre_norm", "transformer.activation=relu"],
        ["cnn=residual", "transformer=none"],
    ):
        recogniser = make_recogniser(*choices)
        export_onnx(recogniser.model, described(recogniser), tmp_path / "model.onnx")
        made |= operators(tmp_path / "model.onnx")
    assert made == EXPORTED
    assert not FOR_BUILDERS & {"If", "Loop", "Scan", "SequenceMap", *EXPORTED}


def test_a_network_that_onnx_does_not_know_is_refused(recogniser: LoadedRecogniser, tmp_path: Path) -> None:
    """Activation functions of a user's own are one way to it."""
    import keras
    import tensorflow as tf

    output = keras.layers.Lambda(tf.math.lgamma)(recogniser.model.output)
    other = replace(recogniser, model=keras.Model(recogniser.model.input, output))
    with pytest.raises(InputError, match=r"^The network cannot be written as ONNX: .*Set `servable=false`"):
        export_onnx(other.model, {}, tmp_path / "model.onnx")
