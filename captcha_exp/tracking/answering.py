"""How long a command waits for a store's answers, and what it says if no answer comes.

MLflow itself makes 8 attempts of 2 minutes each. That is right during a training, but too long if a person waits.
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
# 3 attempts of 15 s each, with pauses of 0 and 2 s between them (plus up to 1 s each): a request ends within 50 s.
_SHORT = {_RETRIES: "2", _TIMEOUT: "15", _BACKOFF: "1", "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false"}
_MOST = 500
# The errors that are raised if a store refuses or does not answer.
StoreFailure = (MlflowException, requests.RequestException)


@contextmanager
def short_patience() -> Iterator[None]:
    """Give up on a request after at most 50 seconds of silence. Limits that the user's environment sets are kept."""
    quiet_retries()
    with _environment({key: value for key, value in _SHORT.items() if key not in os.environ}):
        yield


# A request of a training that may be made again later. Each is made once.
ONCE = {_RETRIES: "0", _TIMEOUT: "20", "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false"}
_UPLOAD_TIMEOUT = "300"


@contextmanager
def time_for_uploads() -> Iterator[None]:
    """Wait longer than `ONCE` says: a large file may take the server a while. A limit of the user's is kept."""
    with _environment({_TIMEOUT: _UPLOAD_TIMEOUT} if os.environ.get(_TIMEOUT) == ONCE[_TIMEOUT] else {}):
        yield


def quiet_retries() -> None:
    """Keep urllib3 from printing a line for each attempt."""
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@contextmanager
def without_retries() -> Iterator[None]:
    """Send each request once. Use it for requests that would do their work twice if they were sent twice."""
    with _environment({_RETRIES: "0"}):
        yield


@contextmanager
def told_in_one_line(uri: str) -> Iterator[None]:
    """Turn a store's failure into an error of one line.

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
    # MLflow reads these variables at each request.
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
