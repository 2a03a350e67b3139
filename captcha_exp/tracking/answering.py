"""How long a command waits for a store's answers, and what it says where none comes.

MLflow's own patience, 8 attempts of 2 minutes each, is right during a training and wrong where somebody waits.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from mlflow.exceptions import MlflowException

from captcha_exp.errors import InputError
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.reachable import without_passwords

_RETRIES, _TIMEOUT, _BACKOFF = (f"MLFLOW_HTTP_REQUEST_{name}" for name in ("MAX_RETRIES", "TIMEOUT", "BACKOFF_FACTOR"))
# 3 attempts of 15 s of silence, 0 and 2 s (and up to 1 s more each) between them: a request ends within 50 s.
_SHORT = {_RETRIES: "2", _TIMEOUT: "15", _BACKOFF: "1", "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false"}
_MOST = 500
# What a store that does not answer, or refuses, raises.
StoreFailure = (MlflowException, requests.RequestException)


@contextmanager
def short_patience() -> Iterator[None]:
    """Give up on a request within 50 seconds of silence; what the user's environment says of it stays."""
    # It would tell each attempt in a line of its own.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    with _environment({key: value for key, value in _SHORT.items() if key not in os.environ}):
        yield


@contextmanager
def without_retries() -> Iterator[None]:
    """Send a request once, for those that do something a second time when they are sent again."""
    with _environment({_RETRIES: "0"}):
        yield


@contextmanager
def told_in_one_line(uri: str) -> Iterator[None]:
    """Tell a store's failure in words.

    Raises:
        InputError: the store does not answer, or refuses.
    """
    try:
        yield
    except StoreFailure as error:
        reason = without_passwords(one_line(error))[:_MOST]
        raise InputError(
            f"The store {without_passwords(uri)} failed: {reason}. Once it answers, the same command goes on where "
            "this one stopped."
        ) from error


@contextmanager
def _environment(own: Mapping[str, str]) -> Iterator[None]:
    # MLflow reads these at each request.
    before = {key: os.environ.get(key) for key in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
