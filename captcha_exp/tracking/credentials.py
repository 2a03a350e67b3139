"""The user and password of a tracking server, kept where MLflow looks for them."""

import os
from urllib.parse import unquote, urlsplit, urlunsplit

from mlflow.exceptions import MlflowException

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError

_UNKNOWN, _FORBIDDEN = 401, 403


def keep_credentials(uri: str) -> str:
    """The address without its `user:password@`, which goes to the environment; any other is returned as it is.

    Only there MLflow takes them from without writing them into messages, and processes that this one starts have them.

    Raises:
        InputError: what follows the host is no port, as when a / in the password is not percent-encoded.
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
    """Return unless `error` says that the server behind `uri` asks for another user or password.

    Raises:
        InputError: it does.
    """
    status = error.get_http_status_code() if isinstance(error, MlflowException) else None
    if status in {_UNKNOWN, _FORBIDDEN}:
        raise InputError(
            f"The MLflow server at tracking.uri={uri} does not let this user in (HTTP {status}); set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in the environment."
        ) from error
