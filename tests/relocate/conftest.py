"""Fixtures of the tests of relocation."""

from tests.trained_run import left, trained, trained_and_left

__all__ = ["left", "trained", "trained_and_left"]
