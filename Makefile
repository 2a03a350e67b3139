# `make sweep` and `make test` work on a fresh machine: CPython 3.11 to 3.13 and make are enough.
PYTHON ?= python3
BIN := .venv/bin
# Where the real labelled images lie; tests that need them skip without it.
export CAPTCHA_EXP_DATA

.PHONY: setup sweep test lint ui bench wheel clean

setup: .venv/dev  ## make .venv with everything for development

sweep: .venv/run  ## search heads, projection and dropout on the built-in dataset, offline
	$(BIN)/python -m captcha_exp +sweep=attention

test: .venv/dev  ## every test, on both cores
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations 10 $(PYTEST)

lint: .venv/dev  ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy captcha_exp hydra_plugins benchmarks

ui: .venv/run  ## the MLflow UI over this folder's runs, on loopback
	$(BIN)/python -m captcha_exp.ui

bench: .venv/dev  ## the figures of docs/figures.md, about two hours
	$(BIN)/python -m benchmarks

wheel: .venv/dev  ## dist/*.whl
	$(BIN)/python -m build --wheel --no-isolation

clean:  ## remove what was installed and built; runs, sweeps and data stay
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, not {v[0]}.{v[1]}: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/run: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[serve]'
	touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,launchers,postgres,serve]'
	touch $@ .venv/run
