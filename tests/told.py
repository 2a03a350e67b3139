"""Hear what the package tells its user."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Ear(logging.Handler):
    def __init__(self, hear: Callable[[str], object]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear(logging.LogRecord.getMessage(record))  # the text as it was logged, as `terminal` prints it


@contextmanager
def hearing(hear: Callable[[str], object]) -> Iterator[None]:
    """Call `hear` with each line at the moment that it is told; what it raises, the teller gets."""
    package, ear = logging.getLogger("captcha_exp"), _Ear(hear)
    before = package.level
    package.addHandler(ear)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.setLevel(before)
        package.removeHandler(ear)
