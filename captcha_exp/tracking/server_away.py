"""Tells a tracking server that is away from one that refuses, and waits until it is back."""

import http.client
import logging
import os
import re
import time
import urllib.error
from collections.abc import Callable, Iterator
from typing import TypeVar

import requests
from mlflow.exceptions import MlflowException, RestException

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError, StoreAwayError

Result = TypeVar("Result")

# How long work that cannot go on without the server waits for it.
WAIT_VARIABLE = "CAPTCHA_EXP_OUTAGE_MINUTES"
_WAIT_MINUTES = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_SILENT = (requests.ConnectionError, requests.Timeout, urllib.error.URLError, http.client.HTTPException, TimeoutError)
_BUSY = {408, 425, 429, 500, 502, 503, 504}
# MLflow has no type of its own for a request without an answer.
_NO_ANSWER = re.compile(r"API request to \S+ failed with (timeout )?exception")
_log = logging.getLogger(__name__)
_longest_s = 0.0  # for `if_told_patiently`


def is_away(error: BaseException) -> bool:
    """Whether `error` means that no server answered, or that it answered that it cannot work now."""
    return any(_says_away(one) for one in _causes(error))


def wait_s() -> float:
    """Seconds that work waits for a server.

    Raises:
        InputError: the environment has no number there.
    """
    told = os.environ.get(WAIT_VARIABLE, str(_WAIT_MINUTES))
    try:
        minutes = float(told)
    except ValueError:
        minutes = -1.0
    if not minutes >= 0:
        raise InputError(f"{WAIT_VARIABLE}={told!r} in the environment must be a number of minutes, 0 or more.")
    return 60 * minutes


def patiently(call: Callable[[], Result], uri: str, longest_s: float) -> Result:
    """Call until the server answers.

    Raises:
        StoreAwayError: the server was away for `longest_s` seconds.
    """
    began, pauses, told = time.monotonic(), pauses_s(), False
    while True:
        try:
            return call()
        except Exception as error:
            if not is_away(error):
                raise
            waited = time.monotonic() - began
            if waited >= longest_s:
                raise given_up(uri, waited) from error
        if not told:
            _log.warning("the tracking server %s does not answer; waiting for it", without_passwords(uri))
        told = True
        time.sleep(min(next(pauses), max(0.0, longest_s - waited)))


def be_patient(longest_s: float) -> None:
    """From now on, let `if_told_patiently` wait in this process."""
    global _longest_s
    _longest_s = longest_s


def if_told_patiently(call: Callable[[], Result], uri: str) -> Result:
    """Call `patiently` in the process of a trial; elsewhere somebody waits for an answer, so call once."""
    return patiently(call, uri, _longest_s) if _longest_s else call()


def pauses_s() -> Iterator[float]:
    """Pauses between attempts, in seconds, each twice as long as the one before, up to a limit."""
    pause = _FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def given_up(uri: str, waited_s: float) -> StoreAwayError:
    """The error after a wait in vain."""
    return StoreAwayError(
        f"The tracking server {without_passwords(uri)} does not answer, and was waited for {waited_s:.0f} s. Once it "
        "answers, the same command goes on where this one stopped."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _says_away(error: BaseException) -> bool:
    if isinstance(error, _SILENT):
        return not isinstance(error, urllib.error.HTTPError) or error.code in _BUSY
    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code in _BUSY
    if isinstance(error, RestException):
        return error.get_http_status_code() in _BUSY
    if not isinstance(error, MlflowException):
        return False
    text = str(error)
    code = re.search(r"failed with error code (\d+) !=", text)
    return bool(_NO_ANSWER.match(text)) or (code is not None and int(code[1]) in _BUSY)
