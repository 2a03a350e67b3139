"""The form of a model that is served: image files in, texts out, with nothing else installed than its requirements."""

import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from captcha_exp.errors import InputError
from captcha_exp.serving.predictor import ONNX_FILE, Predictor, Reading
from captcha_exp.serving.runtime import ONNX_KEY, KerasRuntime

if TYPE_CHECKING:
    import keras

    from captcha_exp.tracking import LoadedRecogniser, Store

# What an ONNX file holds beside the network.
_DESCRIBED = ("characters", "image", "decoding", "dataset", "run_id", "model_id")
# Images on which both forms are compared before one is registered.
CHECKED_IMAGES = 500


def add_servable(store: "Store", recogniser: "LoadedRecogniser", images: np.ndarray) -> dict[str, str]:
    """Make the servable form of a logged model, check it on real images, and keep it with the model.

    Args:
        store: where the model is.
        recogniser: what was loaded from there.
        images: uint8 (N, H, W) of the recogniser's size; the first `CHECKED_IMAGES` are read with both forms.

    Returns:
        What was found, as tags for a registered version.

    Raises:
        InputError: the two forms read an image differently.
    """
    from captcha_exp.tracking.servable import upload_servable

    images = images[:CHECKED_IMAGES]
    files = [png(image) for image in images]
    trained = Predictor(KerasRuntime(recogniser.model), vars(recogniser))
    texts = [reading.text for reading in trained.read(files) if isinstance(reading, Reading)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        build_servable(recogniser, folder, example=files[0])
        check_servable(folder, files, texts)
        size = (folder / ONNX_FILE).stat().st_size
        upload_servable(store.client, recogniser.model_id, folder)
    return {"servable.checked_images": str(len(files)), "servable.onnx_bytes": str(size)}


def build_servable(recogniser: "LoadedRecogniser", folder: Path, example: bytes | None = None) -> None:
    """Write a model folder that MLflow can serve, with the network as an ONNX file and the code that reads with it.

    The folder is also everything that the logged model was: `load_recogniser` loads it just the same.

    Args:
        recogniser: the trained model.
        folder: is made.
        example: an image file that is kept as input example; None for a blank one.
    """
    from captcha_exp.tracking.servable import save_servable

    if example is None:
        example = png(np.full((recogniser.image["height"], recogniser.image["width"]), 255, np.uint8))
    with tempfile.TemporaryDirectory() as temporary:
        onnx = Path(temporary) / ONNX_FILE.name
        export_onnx(recogniser, onnx)
        save_servable(recogniser, onnx, example, folder)


def check_servable(folder: Path, images: Sequence[bytes], expected_texts: Sequence[str]) -> None:
    """Read images as a server would, and compare.

    Args:
        folder: what `build_servable` wrote.
        images: image files.
        expected_texts: what the model read in each of them when it was trained.

    Raises:
        InputError: with the first image that is read differently.
    """
    from captcha_exp.tracking.servable import read_as_served

    if len(images) != len(expected_texts) or not images:
        raise InputError(
            f"A servable model is checked on images with a text each, not on {len(images)} with {len(expected_texts)}."
        )
    for index, (text, expected) in enumerate(zip(read_as_served(folder, images), expected_texts, strict=True)):
        if text != expected:
            raise InputError(
                f"The servable model reads {text!r} in image {index} where the trained one reads {expected!r}; "
                "it was not registered."
            )


def export_onnx(recogniser: "LoadedRecogniser", path: Path) -> None:
    """Write the network as an ONNX file that says itself what its classes are.

    It takes float32 (B, H, W, 1) in [0, 1] named `image` and gives class probabilities (B, T, K).

    Raises:
        InputError: the packages for it are not installed, or the network has a layer that ONNX does not know.
    """
    try:
        import onnx
        import tf2onnx  # noqa: F401  # what Keras exports with
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed; a servable model needs `pip install 'captcha-exp[serve]'` "
            "(or set `servable=false`)."
        ) from error
    _export(recogniser.model, path)
    network = onnx.load(path)
    described = json.dumps({key: getattr(recogniser, key) for key in _DESCRIBED})
    onnx.helper.set_model_props(network, {ONNX_KEY: described})
    onnx.save(network, path)


def _export(model: "keras.Model", path: Path) -> None:
    import onnx
    import tensorflow as tf

    # Every step of the conversion would be told in the middle of a command's own lines, and what it cannot convert; it
    # then writes a file that cannot be opened, which the check finds.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    shape = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="image")
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


def png(image: np.ndarray) -> bytes:
    """A grey image, uint8 (H, W), as a file."""
    data = BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()
