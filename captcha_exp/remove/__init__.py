"""Removes a sweep with its runs and models."""
