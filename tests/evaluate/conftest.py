"""Fixtures of the tests of evaluation."""

import shutil
from pathlib import Path

import pytest

from tests.trained_run import empty_database, left, trained, trained_and_left

__all__ = ["empty_database", "left", "trained", "trained_and_left"]


@pytest.fixture(autouse=True)
def _made_before(empty_database: Path, tmp_path: Path) -> None:
    """Making a database takes MLflow seconds; copying an empty one does not."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_database, tmp_path / "mlruns")
