"""Where an alias of a registered model points."""

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError
from captcha_exp.tracking.address import registered
from captcha_exp.tracking.credentials import check_let_in
from captcha_exp.tracking.logged_model import work_with
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.reachable import check_answers, sqlite_file


def resolve_alias(model_uri: str, tracking_uri: str) -> str:
    """The address of the version that `models:/NAME@ALIAS` means now. Other addresses are returned unchanged.

    Raises:
        InputError: the store has no such alias, or does not answer.
    """
    named = registered(model_uri)
    if named is None or named.alias is None:
        return model_uri
    check_answers(tracking_uri)  # MLflow itself would retry for minutes
    database = sqlite_file(tracking_uri)
    if database is not None and not database.is_file():
        raise InputError(f"model={model_uri} is not known: there is no store {database}; set `root` or `tracking.uri`.")
    work_with(tracking_uri)
    try:
        version = named.number(MlflowClient(tracking_uri, tracking_uri))
    except (MlflowException, SQLAlchemyError) as error:
        check_let_in(tracking_uri, error)
        where = without_passwords(tracking_uri)
        raise InputError(f"model={model_uri} is not in the store {where}: {one_line(error)}") from error
    return f"models:/{named.name}/{version}"
