"""Figures of how well texts are read, in NumPy and SciPy alone."""
