"""Runs a recogniser from an ONNX file with ONNX Runtime."""

import os
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from captcha_exp.errors import InputError, first_line
from captcha_exp.reader.image import to_input
from captcha_exp.reader.onnx_file import read_onnx

_FATAL = 4
_ARENA_DEFAULTS = (-1, -1, -1)


class Runtime(Protocol):
    """Computes a recogniser. Several threads may call it at once."""

    name: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Turn uint8 (N, H, W) or (N, H, W, 3) into class probabilities float32 (N, T, K)."""


class OnnxRuntime:
    """A recogniser in an ONNX file."""

    name = "ONNX Runtime"

    def __init__(self, path: Path, threads: int | None, model_uri: str | None = None) -> None:
        """Open a file that `model.onnx_export` wrote.

        Args:
            path: the file.
            threads: number of threads for the computation; None uses every core.
            model_uri: the user's name for the model, for messages; None for the path.

        Raises:
            InputError: the file is damaged or was not written by this project.
        """
        import onnxruntime

        _bound_memory()
        where = f"model={model_uri or path}"
        network, self.description = read_onnx(path, where)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # Otherwise its threads would keep the processor busy while they wait for work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.log_severity_level = _FATAL  # errors are raised as well
        try:
            self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no common base class
            raise InputError(f"{where} is no ONNX file that can be opened: {first_line(error)}") from error
        self._input = self._session.get_inputs()[0].name

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """See `Runtime`."""
        return np.asarray(self._session.run(None, {self._input: to_input(images)})[0])


@cache
def _bound_memory() -> None:
    """Limit all networks of this process to half of the machine's memory, so no network can exhaust it.

    A network can compute sizes while it runs, so they cannot be checked before.
    """
    import onnxruntime as ort

    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg(most, *_ARENA_DEFAULTS))
