"""A recogniser in an ONNX file, computed by ONNX Runtime."""

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.image import to_input

# The key under which an ONNX file holds what is needed to read images with it.
ONNX_KEY = "captcha_exp"


class Runtime(Protocol):
    """Computes a recogniser; may be called from several threads at once."""

    name: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Turn uint8 (N, H, W) into class probabilities float32 (N, T, K)."""


class OnnxRuntime:
    """A recogniser in an ONNX file."""

    name = "ONNX Runtime"

    def __init__(self, path: Path, threads: int | None) -> None:
        """Open a file that `servable.export_onnx` wrote; `threads` None uses every core.

        Raises:
            InputError: the file is damaged or was not written by this project.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # Its threads would otherwise keep the processor busy while they wait for work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own classes of exception have no common base
            reason = str(error).splitlines()[0]
            raise InputError(f"model={path} is no ONNX file that can be opened: {reason}") from error
        self._input = self._session.get_inputs()[0].name
        metadata = self._session.get_modelmeta().custom_metadata_map
        if ONNX_KEY not in metadata:
            raise InputError(f"model={path} does not say what its classes are; it was not written by captcha_exp.")
        self.description: dict[str, Any] = json.loads(metadata[ONNX_KEY])

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """See `Runtime`."""
        return np.asarray(self._session.run(None, {self._input: to_input(images)})[0])
