"""Waits for a study's database that does not answer, or has no connection left, for a while."""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from captcha_exp.errors import InputError
from captcha_exp.sweep.storage import NO_ANSWER

Result = TypeVar("Result")

_PATIENCE_S = 30.0
_PAUSE_S = 0.5


def once_it_answers(call: Callable[[], Result]) -> Result:
    """Call again and again until the server answers, for as long as a restart takes. Files are not waited for.

    Raises:
        OperationalError: or another of `NO_ANSWER`. It did not answer.
        InputError: it answers, but cannot be used.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return call()
        except (*NO_ANSWER, InputError) as error:
            silence = error if isinstance(error, NO_ANSWER) else error.__cause__
            if not isinstance(silence, NO_ANSWER) or is_of_file(silence):
                raise
            if time.monotonic() > deadline:
                raise silence from error
        time.sleep(_PAUSE_S)


def is_of_file(error: BaseException) -> bool:
    """Whether an error of a database comes from a file, which no server brings back."""
    return isinstance(getattr(error, "orig", None), sqlite3.Error)
