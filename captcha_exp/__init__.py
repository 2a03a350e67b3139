"""Experiment tracking with hyperparameter sweeps for recognisers of short distorted text in images."""
