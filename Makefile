# Two commands do everything: `make run` and `make test`. Both need make and Python 3.11 or newer, nothing else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint format lock openapi clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 12

run: $(RUNTIME) ## Start the service on a sample policy and say where it is
	$(BIN)/python scripts/run_demo.py

test: $(DEVELOPMENT) ## Run all tests, on memory, SQLite, a real PostgreSQL and a real Chromium
	$(PYTHON) scripts/ensure_chromium.py
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEVELOPMENT) ## Check style, types, the import law and common weaknesses
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml src clients

format: $(DEVELOPMENT) ## Put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

openapi: $(RUNTIME) ## Write openapi/openapi.json anew
	$(BIN)/consent-service openapi > openapi/openapi.json

lock: $(DEVELOPMENT) ## Choose the newest fitting dependencies and write their hashes
	for set in build runtime dev; do $(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --quiet --upgrade requirements/$$set.in --output-file requirements/$$set.txt; done

clean: ## Remove what was made here, the data of `make run` included
	rm -rf $(VENV) var build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; try make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(VENV)/pyvenv.cfg requirements/build.txt requirements/runtime.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(DEVELOPMENT): $(RUNTIME) requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@
