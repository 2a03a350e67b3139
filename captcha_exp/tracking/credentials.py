"""The user and password of a tracking server, kept where MLflow looks for them."""

import os
from urllib.parse import unquote, urlsplit, urlunsplit

from mlflow.exceptions import MlflowException

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError

_UNKNOWN, _FORBIDDEN = 401, 403


def keep_credentials(uri: str) -> str:
    """Move `user:password@` from an address to the environment, and return the rest of the address.

    An address without a user is returned unchanged. If MLflow reads user and password from the environment, it does not
    write them into messages. The processes that this process starts inherit them.

    Raises:
        InputError: the text after the host is no port number, for instance because a / in the password is not
            percent-encoded.
    """
    if not uri.startswith(("http://", "https://")):
        return uri
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise InputError(
            f"tracking.uri={without_passwords(uri)} has no number as its port; a / ? # or @ in a user or password is "
            "written %2F %3F %23 %40."
        ) from error
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return uri
    name, _, password = user.partition(":")
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(name)
    if password:
        os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    return urlunsplit(parts._replace(netloc=host))


def check_let_in(uri: str, error: Exception) -> None:
    """Check whether `error` says that the server behind `uri` refuses this user or password.

    Raises:
        InputError: the server refuses them.
    """
    status = error.get_http_status_code() if isinstance(error, MlflowException) else None
    if status in {_UNKNOWN, _FORBIDDEN}:
        raise InputError(
            f"The MLflow server at tracking.uri={uri} does not let this user in (HTTP {status}); set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in the environment."
        ) from error
