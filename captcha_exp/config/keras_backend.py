"""Checks the backend that Keras will compute with, before anything waits for its import."""

import importlib.util
import json
import os
from pathlib import Path

from captcha_exp.errors import InputError

_PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def check_keras_backend() -> None:
    """Refuse a backend that is not installed.

    Raises:
        InputError: naming the variable or the file that chose it.
    """
    chosen, where = _chosen()
    if chosen is None:
        return
    if chosen not in _PACKAGES:
        raise InputError(f"{where} names {chosen!r}, and this program trains with {', '.join(_PACKAGES)} only.")
    if importlib.util.find_spec(_PACKAGES[chosen]) is None:
        raise InputError(
            f"{where} names {chosen}, which is not installed here: pip install {_PACKAGES[chosen]}, or set "
            "KERAS_BACKEND=tensorflow."
        )


def computes_with_tensorflow() -> bool:
    """Whether Keras will compute with TensorFlow, as it does if nobody chose a backend."""
    return _chosen()[0] in {None, "tensorflow"}


def _chosen() -> tuple[str | None, str]:
    """The backend that somebody chose, and the place where; None if nobody did. The variable wins, as in Keras."""
    if backend := os.environ.get("KERAS_BACKEND"):
        return backend, "KERAS_BACKEND in the environment"
    file = Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()) / "keras.json"
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Keras passes over such a file too
        return None, ""
    backend = told.get("backend") if isinstance(told, dict) else None
    return (backend if isinstance(backend, str) else None), f"Keras' own file {file}"
