"""The network as an ONNX file."""

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from captcha_exp.errors import InputError
from captcha_exp.reader.onnx_file import ONNX_KEY


def export_onnx(model: keras.Model, description: Mapping[str, Any], path: Path) -> None:
    """Write the network as an ONNX file that says itself what its classes are.

    It takes float32 (B, H, W, C) in [0, 1] named `image` and gives class probabilities (B, T, K).

    Args:
        model: the trained network.
        description: what reading with it takes, as plain values; kept in the file.
        path: of the file.

    Raises:
        InputError: the packages for it are not installed, the network has a layer that ONNX does not know, or another
            backend of Keras than TensorFlow computes.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND={keras.backend.backend()} writes no ONNX file; promote with KERAS_BACKEND=tensorflow, "
            "which reads every model, whatever trained it (or set `servable=false`)."
        )
    try:
        import onnx
        import tf2onnx  # noqa: F401  # what Keras exports with
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed; a servable model needs `pip install 'captcha-exp[serve]'` "
            "(or set `servable=false`)."
        ) from error
    _export(model, path)
    network = onnx.load(path)
    onnx.helper.set_model_props(network, {ONNX_KEY: json.dumps(dict(description))})
    onnx.save(network, path)


def _export(model: keras.Model, path: Path) -> None:
    import onnx

    # Every step of the conversion would be told in the middle of a command's own lines, and what it cannot convert; it
    # then writes a file that cannot be opened, which the check finds.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    shape = keras.InputSpec("float32", (None, *model.input_shape[1:]), name="image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # from inside Keras; nothing that a user could mend
        try:
            model.export(str(path), format="onnx", input_signature=[shape], verbose=False)
            onnx.checker.check_model(str(path))
        except Exception as error:  # of any kind, where a layer has no counterpart in ONNX
            reason = " ".join(str(error).split())
            raise InputError(
                f"The network cannot be written as ONNX: {reason}. Set `servable=false` to promote it without."
            ) from error
