# Two commands do everything: `make run` and `make test`. Both need make and Python 3.11 or newer, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# What is installed is noted in these files, so that a repeated call is quick and a changed lock file is installed.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
DEMO := $(VENV)/.demo
DEVELOPMENT := $(VENV)/.development

# From wheels and by hash only: nothing is compiled, and nothing is installed that was not locked.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) --require-hashes --only-binary :all:
THIS := $(INSTALL) --no-deps --no-build-isolation --editable . --editable clients/python
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-sdk bench-sdk lint format lock openapi clean \
	erasure tamper evidence-volume drill-backup

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: $(DEMO) ## Start the service on a sample policy and a small shop, and say where they are
	$(BIN)/python scripts/run_demo.py

test: $(DEVELOPMENT) ## Run all tests, on memory, SQLite, a real PostgreSQL and a real Chromium
	$(BIN)/python scripts/ensure_chromium.py
	$(BIN)/python scripts/ensure_nginx.py
	$(BIN)/python -m pytest -n 2 $(ARGS)

test-sdk: $(DEVELOPMENT) ## Run the tests of the Python SDK alone; `make test` runs them too
	$(BIN)/python scripts/ensure_nginx.py
	$(BIN)/python -m pytest clients/python/tests $(ARGS)

bench-sdk: $(DEVELOPMENT) ## Print how many decisions a second the SDK makes from signed states
	$(BIN)/python clients/python/bench_local.py $(ARGS)

erasure: $(DEVELOPMENT) ## Erase 1,000 visitors on both databases and search the files for their bytes (A5)
	$(BIN)/python -m tests.campaigns.evidence_erasure

tamper: $(DEVELOPMENT) ## Change the log in 1,000 ways on both databases; CONSENT_WRITES=1000000 for the long form (A4)
	$(BIN)/python -m tests.campaigns.evidence_tampering

evidence-volume: $(DEVELOPMENT) ## Verify and export 1,000,000 events on both databases, with time and memory
	$(BIN)/python -m tests.campaigns.evidence_volume

drill-backup: $(DEVELOPMENT) ## Back up, lose, restore and verify, on both databases (A6)
	$(BIN)/python -m tests.campaigns.backup_drill

lint: $(DEVELOPMENT) ## Check style, types, the import law and common weaknesses
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml src clients

format: $(DEVELOPMENT) ## Put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

openapi: $(RUNTIME) ## Write openapi/openapi.json anew
	$(BIN)/consent-service openapi > $(VENV)/openapi.json
	mv $(VENV)/openapi.json openapi/openapi.json

lock: $(DEVELOPMENT) ## Choose the newest fitting dependencies and write their hashes
	cd requirements && ../$(COMPILE) --upgrade dev.in --output-file dev.txt
	cd requirements && ../$(COMPILE) --upgrade --constraint dev.txt runtime.in --output-file runtime.txt
	cd requirements && ../$(COMPILE) --upgrade --constraint dev.txt demo.in --output-file demo.txt
	cd requirements && ../$(COMPILE) --upgrade --constraint dev.txt build.in --output-file build.txt

clean: ## Remove what was made here, the data of `make run` included
	rm -rf $(VENV) var build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .grimp_cache .import_linter_cache

$(CREATED):
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(RUNTIME): $(CREATED) requirements/build.txt requirements/runtime.txt pyproject.toml clients/python/pyproject.toml
	$(LOCKED) -r requirements/build.txt -r requirements/runtime.txt
	$(THIS)
	touch $@

$(DEMO): $(RUNTIME) requirements/demo.txt
	$(LOCKED) -r requirements/demo.txt
	touch $@

$(DEVELOPMENT): $(CREATED) requirements/dev.txt pyproject.toml clients/python/pyproject.toml
	$(LOCKED) -r requirements/dev.txt
	$(THIS)
	touch $(RUNTIME) $(DEMO) $@
