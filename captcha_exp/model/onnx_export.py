"""Writes the network as an ONNX file."""

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from captcha_exp.errors import InputError, joined_lines
from captcha_exp.reader.onnx_file import ONNX_KEY


def export_onnx(model: keras.Model, description: Mapping[str, Any], path: Path) -> None:
    """Write the network as an ONNX file that also holds the description.

    The input of the file is float32 (B, H, W, C) in [0, 1] and is named `image`. The output is the class probabilities,
    float32 (B, T, K).

    Args:
        model: the trained network.
        description: what a program needs to read images with this network, as plain values.
        path: the file to write.

    Raises:
        InputError: the packages for it are not installed, ONNX does not know a layer of the network, or the backend of
            Keras is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND={keras.backend.backend()} writes no ONNX file; type the command with "
            "KERAS_BACKEND=tensorflow, which can load models of every backend (or `promote servable=false`)."
        )
    try:
        import onnx
        import tf2onnx  # noqa: F401  # Keras uses it for the export
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed; an ONNX file needs `pip install 'captcha-exp[serve]'` "
            "(or `promote servable=false`)."
        ) from error
    _export(model, path)
    network = onnx.load(path)
    onnx.helper.set_model_props(network, {ONNX_KEY: json.dumps(dict(description))})
    onnx.save(network, path)


def _export(model: keras.Model, path: Path) -> None:
    import onnx

    # tf2onnx logs every step, and every layer that it cannot convert, between the lines of the command. In the second
    # case it writes a file that cannot be opened. The check below finds this.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    shape = keras.InputSpec("float32", (None, *model.input_shape[1:]), name="image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it comes from inside Keras; a user cannot change anything
        try:
            model.export(str(path), format="onnx", input_signature=[shape], verbose=False)
            onnx.checker.check_model(str(path))
        except Exception as error:  # a layer that ONNX does not know can raise any exception
            reason = joined_lines(error)
            raise InputError(
                f"The network cannot be written as ONNX: {reason}. Set `servable=false` to promote it without one."
            ) from error
