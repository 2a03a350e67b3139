"""Describes a dataset and finds its faults."""
