"""Writes a model as a file that other programs can run."""
