"""Checks within seconds whether a tracking store answers.

MLflow itself retries for minutes. That is right in the middle of a run, but wrong at its start.
"""

import http.client
import os
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from captcha_exp.config import without_passwords
from captcha_exp.errors import InputError, first_line

TIMEOUT_S = 4
_SQLITE = "sqlite:///"
_SERVER_DATABASES = ("postgresql", "mysql")


def check_answers(uri: str) -> None:
    """Check that the server or database behind `uri` answers. Any answer counts, even an error.

    Raises:
        InputError: nothing answers within `TIMEOUT_S` seconds, or the driver of the database is not installed.
    """
    if uri.startswith(("http://", "https://")):
        _check_http(uri)
    elif uri.startswith(_SERVER_DATABASES):
        _check_database(uri)
    elif (file := sqlite_file(uri)) is not None and file.exists():
        _check_sqlite(file)


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite address, or None for any other address."""
    if not uri.startswith(_SQLITE):
        return None
    return Path(uri.removeprefix(_SQLITE).partition("?")[0]).absolute()


def _check_http(uri: str) -> None:
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError:
        return  # Even "log in first" is an answer. MLflow's own message will then say more than a guess here.
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"No MLflow server answers at tracking.uri={without_passwords(uri)} ({reason}). "
            "Start it, correct the address, or use `tracking.uri=null` for a local store."
        ) from error


def _check_database(uri: str) -> None:
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(uri, connect_args={"connect_timeout": TIMEOUT_S})
        with engine.connect():
            pass
        engine.dispose()
    except ModuleNotFoundError as error:
        raise InputError(
            f"The driver {error.name!r} of tracking.uri={without_passwords(uri)} is not installed; "
            "`pip install captcha-exp[postgres]` brings the one of postgresql+psycopg://."
        ) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = first_line(getattr(error, "orig", None) or error)
        raise InputError(
            f"The database at tracking.uri={without_passwords(uri)} does not answer ({reason}). "
            "Start it, correct the address, or use `tracking.uri=null` for a local store."
        ) from error


def _check_sqlite(file: Path) -> None:
    try:
        with closing(sqlite3.connect(file, timeout=TIMEOUT_S)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
            readonly = not os.access(file, os.W_OK)
    except sqlite3.Error as error:
        raise InputError(f"{file} is no usable SQLite database ({error}); move it away to begin a new one.") from error
    if readonly:
        raise InputError(f"{file} cannot be written; choose another folder with `root=DIR`.")
