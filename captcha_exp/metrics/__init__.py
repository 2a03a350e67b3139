"""Figures for how well texts are read, with NumPy and SciPy alone."""
