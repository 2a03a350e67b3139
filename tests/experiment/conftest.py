"""Fixtures of the tests of runs."""

import pytest

from tests.trained_run import left, trained, trained_and_left

__all__ = ["left", "trained", "trained_and_left"]


@pytest.fixture(autouse=True)
def _made_before(database_made_before: None) -> None:
    """Making a database takes MLflow seconds; copying an empty one does not."""
