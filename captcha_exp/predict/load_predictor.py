"""Load the model at an address, ready to read images."""

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from captcha_exp.errors import InputError
from captcha_exp.reader.predictor import ONNX_FILE, Predictor
from captcha_exp.terminal import quiet_stderr


def load_predictor(model_uri: str, tracking_uri: str, threads: int | None = None) -> Predictor:
    """Load a model with ONNX Runtime if the model has that form, otherwise with Keras' backend.

    Args:
        model_uri: as for `tracking.load_recogniser`, or an ONNX file that `model.onnx_export` wrote.
        tracking_uri: the store of the model.
        threads: threads of the network's computation; None uses every core.

    Raises:
        InputError: there is no such model, or this project did not make it.
    """
    if model_uri.endswith(".onnx"):
        if not os.path.isfile(model_uri):
            raise InputError(f"model={model_uri} does not exist.")
        return Predictor.of_onnx(Path(model_uri), threads)
    if os.path.isfile(os.path.join(model_uri, ONNX_FILE)) and _has_onnx():
        return Predictor.of_onnx(Path(model_uri) / ONNX_FILE, threads, model_uri=model_uri)
    from captcha_exp.tracking.logged_model import check_model, model_folder
    from captcha_exp.tracking.model_description import describe_model

    with tempfile.TemporaryDirectory() as temporary:
        folder = model_folder(model_uri, tracking_uri, Path(temporary))
        known = describe_model(folder, model_uri, tracking_uri)
        if (folder / ONNX_FILE).is_file() and _has_onnx():
            return Predictor.of_onnx(folder / ONNX_FILE, threads, known.version, known.figures, model_uri)
        checked = check_model(folder, model_uri)  # check before TensorFlow is imported, which is slow
        from captcha_exp.model.forward_pass import ForwardPass
        from captcha_exp.model.threads import limit_threads

        if threads is not None:
            limit_threads(threads)
        recogniser = checked.rebuild()
        compute = ForwardPass(recogniser.model)
        if (folder / ONNX_FILE).is_file():
            compute.name += " because onnxruntime is not installed (`pip install 'captcha-exp[serve]'`)"
    return Predictor(compute, vars(recogniser), known.version, known.figures)


def load_from_project(address: str, tracking_uri: str | None, root: Path, threads: int | None = None) -> Predictor:
    """The same for a model's folder or file, or for an address in the store of a project. What libraries print is held.

    Args:
        address: as for `load_predictor`.
        tracking_uri: the store; None for the database under `root`.
        root: the project's folder, absolute.
        threads: as for `load_predictor`.

    Raises:
        InputError: as for `load_predictor`.
    """
    if os.path.exists(address):
        with quiet_stderr():
            return load_predictor(address, "", threads)
    from captcha_exp.tracking import store_uri

    with quiet_stderr(root):
        return load_predictor(address, store_uri(tracking_uri, root), threads)


def _has_onnx() -> bool:
    """Whether an ONNX file can be checked and computed."""
    return find_spec("onnxruntime") is not None and find_spec("onnx") is not None
