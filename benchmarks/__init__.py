"""Measurements that take minutes; each prints what docs/figures.md quotes."""
