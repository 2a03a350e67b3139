"""Where a project's own store says that its artifacts lie, and how that is set right after the folder was moved."""

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from captcha_exp.errors import InputError
from captcha_exp.files import made_whole
from captcha_exp.lock import locked
from captcha_exp.tracking.reachable import sqlite_file

_ARTIFACTS = "/mlruns/artifacts"  # of every root; see `open_store`
_BUSY_S = 10
# Tables and columns of MLflow that hold addresses of artifacts. A version's source can be an address too.
_COLUMNS = {
    ("experiments", "artifact_location"): "experiment",
    ("runs", "artifact_uri"): "run",
    ("logged_models", "artifact_location"): "model",
    ("model_versions", "storage_location"): "registered version",
    ("model_versions", "source"): None,  # a version is counted once
}


@dataclass(frozen=True)
class Relocation:
    """What has to change so that a store finds its artifacts again.

    `old` are the addresses of the folders where the store looks for them. `counts` has the number of rows by what they
    are, `missing` the ids of models whose files are not under the new folder. `backup` is the database as it was, None
    if nothing was changed.
    """

    old: list[str]
    new: str
    counts: dict[str, int]
    missing: list[str]
    backup: Path | None = None


def check_name(root: Path) -> None:
    """Refuse a folder that MLflow's addresses cannot name.

    Raises:
        InputError: its name has a character with a meaning there.
    """
    if set(str(root)) & set("%?"):
        raise InputError(f"root={root} cannot hold % or ?, which have a meaning in MLflow's addresses; rename it.")


def told_moved(root: Path) -> str:
    """What a user is told whose folder was moved."""
    return (
        "the folder was moved, renamed or copied. Type `python -m captcha_exp.relocate "
        f"{shlex.quote(f'root={root}')}` to set that right"
    )


def points_elsewhere(location: str, root: Path) -> bool:
    """Whether the address of an experiment's artifacts is that of another root than `root`."""
    return location.endswith(_ARTIFACTS) and location != artifacts_address(root)


def check_not_moved(tracking_uri: str, model_uri: str) -> None:
    """Explain why a model's files are not found, if the reason is that its project's folder was moved.

    Raises:
        InputError: the store looks for artifacts in another folder than its own.
    """
    database = sqlite_file(tracking_uri)
    if database is None or database.parent.name != "mlruns" or not database.is_file():
        return
    root = database.parent.parent
    with closing(sqlite3.connect(database, timeout=_BUSY_S)) as connection:
        old = _elsewhere(connection, root)
    if old:
        raise InputError(f"model={model_uri} is not where the store looks for it, in {old[0]}: {told_moved(root)}.")


def relocate(root: Path, *, dry_run: bool) -> Relocation:
    """Let the store under `root` find its artifacts under `root`, in one transaction after a copy of the database.

    Args:
        root: a project's folder, absolute.
        dry_run: only tell what would change.

    Raises:
        InputError: there is no store, it is in use, its folder has an impossible name, or its models' files did not
            come along.
    """
    check_name(root)
    database = root / "mlruns" / "mlflow.db"
    if not database.is_file():
        raise InputError(f"There is no store {database}; set `root=DIR` to the folder that holds `mlruns/`.")
    with locked(database.parent / ".lock"), _opened(database) as connection:
        planned = _planned(connection, root)
        if dry_run or not planned.old:
            return planned
        backup = _copied(connection, database)
        with connection:  # one transaction
            connection.execute("BEGIN IMMEDIATE")
            for table, column in _columns(connection):
                for old in planned.old:
                    _replace(connection, table, column, old, planned.new)
    return Relocation(planned.old, planned.new, planned.counts, planned.missing, backup)


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, timeout=_BUSY_S, isolation_level=None)) as connection:
        try:
            yield connection
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise InputError(
                f"{database} is in use ({error}); end what uses it, then type the command again."
            ) from error
        except sqlite3.DatabaseError as error:
            raise InputError(f"{database} is no usable SQLite database ({error}).") from error


def _planned(connection: sqlite3.Connection, root: Path) -> Relocation:
    new, old = artifacts_address(root), _elsewhere(connection, root)
    counts: dict[str, int] = {}
    for (table, column), named in _COLUMNS.items():
        if named is not None and (table, column) in _columns(connection):
            counts[named] = sum(_count(connection, table, column, one) for one in old)
    models = _models(connection, old, new)
    missing = [model for model, folder in models.items() if not folder.is_dir()]
    if models and len(missing) == len(models):
        raise InputError(
            f"The files of none of the {len(models)} models lie under {root}{_ARTIFACTS}; copy that folder as well, "
            f"from where it was: {', '.join(old)}."
        )
    return Relocation(old, new, counts, missing)


def _elsewhere(connection: sqlite3.Connection, root: Path) -> list[str]:
    found = connection.execute("SELECT DISTINCT artifact_location FROM experiments ORDER BY 1")
    return [location for (location,) in found if location is not None and points_elsewhere(location, root)]


def _columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """The columns that this database has: a store of an earlier MLflow has fewer."""
    there = {(table, column) for table, column in _COLUMNS for row in _described(connection, table) if row == column}
    return [place for place in _COLUMNS if place in there]


def _described(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _models(connection: sqlite3.Connection, old: list[str], new: str) -> dict[str, Path]:
    """Where the files of the models that were not deleted will be looked for, by id."""
    if ("logged_models", "artifact_location") not in _columns(connection):
        return {}
    rows = connection.execute("SELECT model_id, artifact_location FROM logged_models WHERE lifecycle_stage = 'active'")
    return {
        model_id: Path(unquote((new + location.removeprefix(one)).removeprefix("file://")))
        for model_id, location in rows
        for one in old
        if location.startswith(f"{one}/")
    }


def _count(connection: sqlite3.Connection, table: str, column: str, old: str) -> int:
    return int(connection.execute(f"SELECT COUNT(*) FROM {table} WHERE {_begins(column)}", _bound(old)).fetchone()[0])


def _replace(connection: sqlite3.Connection, table: str, column: str, old: str, new: str) -> None:
    changed = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {_begins(column)}"
    connection.execute(changed, (new, len(old) + 1, *_bound(old)))


def _begins(column: str) -> str:
    """The condition that an address is a folder or something below it."""
    return f"{column} = ? OR substr({column}, 1, ?) = ?"


def _bound(old: str) -> tuple[str, int, str]:
    return old, len(old) + 1, f"{old}/"


def _copied(connection: sqlite3.Connection, database: Path) -> Path:
    backup = database.with_name(f"mlflow-before-{datetime.now(UTC):%Y%m%dT%H%M%S}.db")
    with made_whole(backup) as partial, closing(sqlite3.connect(partial)) as copy:
        connection.backup(copy)
    return backup


def artifacts_address(root: Path) -> str:
    """The address of the artifacts of the store under `root`."""
    return f"{root.as_uri()}{_ARTIFACTS}"
