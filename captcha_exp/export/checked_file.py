"""Makes the file of a model in another format, and checks that it computes what the model computes."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from captcha_exp.config import ExportFormat
from captcha_exp.errors import InputError
from captcha_exp.export.tflite_file import computed_by_tflite, tflite_bytes
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.reader.image import ImageSpec, to_input
from captcha_exp.reader.onnx_runtime import OnnxRuntime
from captcha_exp.tracking import LoadedRecogniser

# Larger differences of a probability are no rounding.
MAX_DIFFERENCE = 1e-5
_IMAGES = 8
_STRIPES = 4


def checked_file(recogniser: LoadedRecogniser, wanted: ExportFormat) -> tuple[bytes, float]:
    """The bytes of a model in a format, and the largest difference of a probability on images that are made up.

    Raises:
        InputError: the model cannot be written in this format, or the file computes something else.
    """
    images = _made_up(ImageSpec.from_dict(recogniser.image))
    data, computed = _MAKERS[wanted](recogniser, images)
    difference = float(np.abs(computed - ForwardPass(recogniser.model)(images)).max())
    if not difference <= MAX_DIFFERENCE:  # also if it is not a number
        raise InputError(
            f"The file in the format {wanted.value} gives probabilities that differ by {difference:g} from the "
            f"model's, more than {MAX_DIFFERENCE:g}; it was not written."
        )
    return data, difference


def _made_up(spec: ImageSpec) -> np.ndarray:
    """Images of noise with stripes as broad as strokes, uint8 (N, H, W) or (N, H, W, 3)."""
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (_IMAGES, *spec.shape), np.uint8)
    noise[:, :, :: 2 * _STRIPES] = 0
    noise[_IMAGES // 2 :, :, _STRIPES :: 2 * _STRIPES] = 255
    return noise


def _as_onnx(recogniser: LoadedRecogniser, images: np.ndarray) -> tuple[bytes, np.ndarray]:
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model.onnx"
        export_onnx(recogniser.model, recogniser.described, path)
        return path.read_bytes(), OnnxRuntime(path, None)(images)


def _as_tflite(recogniser: LoadedRecogniser, images: np.ndarray) -> tuple[bytes, np.ndarray]:
    data = tflite_bytes(recogniser.model, recogniser.described)
    return data, computed_by_tflite(data, to_input(images))


_MAKERS: dict[ExportFormat, Callable[[LoadedRecogniser, np.ndarray], tuple[bytes, np.ndarray]]] = {
    ExportFormat.onnx: _as_onnx,
    ExportFormat.tflite: _as_tflite,
}
