"""A second part of the namespace package, on the path of the tests' application only."""
