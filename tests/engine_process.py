"""Processes in which another backend of Keras computes."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

# JAX compiles a small model for longer than it trains it. Code that is not optimised computes the same.
QUICKLY_COMPILED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def environment(backend: str, kept_in: Path | None = None) -> dict[str, str]:
    """This process's environment with another backend of Keras, or skip where that is not installed.

    What JAX compiles is kept in a folder: to compile a model once more takes longer than to train it.
    """
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed, so Keras cannot compute with it")
    environment = {**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": QUICKLY_COMPILED}
    if kept_in is not None:
        environment["JAX_COMPILATION_CACHE_DIR"] = str(kept_in)
        environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    return environment
