"""MLflow's SQLite database, made whole or not at all."""

import logging
from pathlib import Path

from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

from captcha_exp.files import made_whole

# MLflow writes a traceback for whatever a database refuses, which is raised as well.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def make_database(path: Path) -> None:
    """Make a database with MLflow's tables where there is none; the caller keeps other processes out."""
    if path.exists() and path.stat().st_size:
        return
    with made_whole(path) as partial:
        engine = create_sqlalchemy_engine(f"sqlite:///{partial}")
        try:
            # Private to MLflow, which otherwise makes the tables only in place; `test_full_disk.py` needs them whole.
            _initialize_tables(engine)
        finally:
            engine.dispose()
