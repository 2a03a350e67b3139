"""Makes MLflow's SQLite database, in one step: either all of it or nothing."""

import logging
from pathlib import Path

from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

from captcha_exp.files import made_whole

# MLflow logs a traceback for each error of a database. The same error is raised as well.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def make_database(path: Path) -> None:
    """Make a database with MLflow's tables if `path` has none yet. The caller keeps other processes out."""
    if path.exists() and path.stat().st_size:
        return
    with made_whole(path) as partial:
        engine = create_sqlalchemy_engine(f"sqlite:///{partial}")
        try:
            # Private to MLflow, but its public way makes the tables in place. `test_full_disk.py` needs one step.
            _initialize_tables(engine)
        finally:
            engine.dispose()
