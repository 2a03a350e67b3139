"""Finds and opens the studies of sweeps that ran before."""

from pathlib import Path

import optuna
import sqlalchemy as sa
from optuna.storages import RDBStorage

from captcha_exp.errors import InputError
from captcha_exp.sweep.storage import readable_errors, shown, study_url


def sweep_names(root: Path, storage: str | None) -> list[str]:
    """Names of the sweeps in `root`, or in the database `storage`."""
    if storage is None:
        return sorted(path.parent.name for path in (root / "sweeps").glob("*/study.db"))
    return sorted(optuna.get_all_study_names(_open(study_url(root, "any", storage))))


def load_stored_study(root: Path, name: str, storage: str | None, advice: str = "sweep=NAME") -> optuna.Study:
    """The study of the sweep `name`, to read from.

    Args:
        root: the folder under which `sweeps/` lies.
        name: the sweep's `sweep.name`.
        storage: its `sweep.storage`; None for the database in the sweep's folder.
        advice: what to type for another name.

    Raises:
        InputError: there is no such sweep, or its database cannot be used.
    """
    url = study_url(root, name, storage)
    with readable_errors(url):
        known = sweep_names(root, storage)
        if name not in known:
            raise InputError(
                f"There is no sweep {name!r} {_where(root, storage)}; {_listed(known)}. Set `{advice}`, or `root=...`."
            )
        try:
            return optuna.load_study(study_name=name, storage=_open(url))
        except KeyError as error:
            raise InputError(f"{shown(url)} holds no study {name!r}; begin the sweep again.") from error


def _listed(names: list[str]) -> str:
    """Names of sweeps in words."""
    return f"there are {', '.join(names)}" if names else "there are none"


def _where(root: Path, storage: str | None) -> str:
    return f"in {shown(study_url(root, 'any', storage))}" if storage is not None else f"under {root / 'sweeps'}"


def _open(url: str) -> RDBStorage:
    # A reader must not make tables in a database that holds no study.
    file = sa.make_url(url).database
    if url.startswith("sqlite") and file is not None and not Path(file).is_file():
        raise InputError(f"There is no database {file}; check `report.storage` or `sweep.storage`.")
    return RDBStorage(url, skip_table_creation=True)
