"""Imports Keras without the large packages that it imports if they happen to be installed.

Its wrappers and galleries and the converters of TensorFlow look for them, and this program uses none of these. They
take half of the processor time of `import keras`. Whoever needs such a package itself imports it later.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from captcha_exp.config.keras_backend import computes_with_tensorflow

_ONLY_FOUND = ("matplotlib", "pandas", "sklearn")


@contextmanager
def _hidden(packages: tuple[str, ...]) -> Iterator[None]:
    """Let `import` find none of these, unless one is imported already."""
    absent = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # by None, Python says that it is not installed
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]


with _hidden((*_ONLY_FOUND, "jax") if computes_with_tensorflow() else _ONLY_FOUND):
    import keras  # noqa: F401
