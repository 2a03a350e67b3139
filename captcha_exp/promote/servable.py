"""The servable form of a model: it turns image files into texts, and needs only its own requirements."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.reader.image import Images, ImageSpec, encode_png
from captcha_exp.reader.predictor import ONNX_FILE, Predictor, Reading

if TYPE_CHECKING:
    from captcha_exp.tracking import LoadedRecogniser, Store

# Number of images on which both forms are compared before the servable form is registered.
CHECKED_IMAGES = 500


def add_servable(store: "Store", recogniser: "LoadedRecogniser", images: Images) -> dict[str, str]:
    """Make the servable form of a logged model, check it on real images, and keep it with the model.

    Args:
        store: where the model is.
        recogniser: the model, loaded from that store.
        images: uint8 (N, H, W) or (N, H, W, 3) of the recogniser's form; the first `CHECKED_IMAGES` are read in both
            forms of the model.

    Returns:
        The result of the check, as tags for a registered version.

    Raises:
        InputError: the two forms read an image differently.
    """
    from captcha_exp.tracking.served_form import upload_servable

    images = images[:CHECKED_IMAGES]
    files = [encode_png(image) for image in images]
    trained = Predictor(ForwardPass(recogniser.model), vars(recogniser))
    texts = [reading.text for reading in trained.read(files) if isinstance(reading, Reading)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        build_servable(recogniser, folder, example=files[0])
        check_servable(folder, files, texts)
        size = (folder / ONNX_FILE).stat().st_size
        upload_servable(store.client, recogniser.model_id, folder)
    return {"servable.checked_images": str(len(files)), "servable.onnx_bytes": str(size)}


def build_servable(recogniser: "LoadedRecogniser", folder: Path, example: bytes | None = None) -> None:
    """Write a model folder that MLflow can serve, with the network as an ONNX file and the code that reads images.

    The folder also holds the whole logged model, so `load_recogniser` can load it.

    Args:
        recogniser: the trained model.
        folder: the folder to make.
        example: an image file that is kept as the input example; None for a blank image.
    """
    from captcha_exp.tracking.served_form import save_servable

    if example is None:
        example = encode_png(np.full(ImageSpec.from_dict(recogniser.image).shape, 255, np.uint8))
    with tempfile.TemporaryDirectory() as temporary:
        onnx = Path(temporary) / ONNX_FILE.name
        export_onnx(recogniser.model, recogniser.described, onnx)
        save_servable(recogniser, onnx, example, folder)


def check_servable(folder: Path, images: Sequence[bytes], expected_texts: Sequence[str]) -> None:
    """Read images as a server would, and compare the texts.

    Args:
        folder: a folder that `build_servable` wrote.
        images: image files.
        expected_texts: the text that the trained model reads in each image.

    Raises:
        InputError: an image is read differently; the message names the first one.
    """
    from captcha_exp.tracking.served_form import read_as_served

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
