# Two commands do everything: `make run` and `make test`. Both need make and Python 3.11 or newer, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# What is installed is noted in these files, so that a repeated call is quick and a changed lock file is installed.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development

# From wheels and by hash only: nothing is compiled, and nothing is installed that was not locked.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) --require-hashes --only-binary :all:
THIS := $(INSTALL) --no-deps --no-build-isolation --editable . --editable clients/python
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Everything that `make help` lists.
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*## .*/\1/p' Makefile)

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: $(RUNTIME) ## Start the service on a sample policy and a small shop, and say where they are
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

drill-backup: $(DEVELOPMENT) ## Back up, lose, restore and verify, on both databases, as docs/operations.md says (A6)
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

bench: $(DEVELOPMENT) ## Measure speed beside bare uvicorn, in under five minutes; writes docs/performance.md
	PYTHONPATH=clients/python/src $(BIN)/python -m bench

bench-full: $(DEVELOPMENT) ## The same with one and ten million visitors; an hour of seeding the first time, then ten minutes; CONSENT_BENCH_DIR takes the data (40 GB)
	PYTHONPATH=clients/python/src $(BIN)/python -m bench --full

soak: $(DEVELOPMENT) ## Half of peak load for SECONDS (1200): memory and connections must stay flat
	$(BIN)/python -m bench.soak $(SECONDS)

stale: $(DEVELOPMENT) ## Write on one process, decide on another, 10,000 times: nothing may be stale (B4)
	$(CAMPAIGN)/test_stale_reads.py

openapi: $(RUNTIME) ## Write openapi/openapi.json anew
	$(BIN)/consent-service openapi > $(VENV)/openapi.json
	mv $(VENV)/openapi.json openapi/openapi.json

compliance: $(DEVELOPMENT) ## Write docs/compliance.md anew from the rules and the tests that name them
	$(BIN)/python scripts/compliance.py

mutants: $(DEVELOPMENT) ## Change the decision rules in every small way and print what no test notices (a few minutes)
	rm -rf mutants
	nice -n 15 $(BIN)/mutmut run --max-children 1
	$(BIN)/mutmut results

banner: $(DEVELOPMENT) ## Build the banner anew, with its integrity values in the documents
	$(BIN)/python clients/browser/build.py

banner-figures: $(DEVELOPMENT) ## Print how large the banner is and how long it holds up a slow device
	$(BIN)/python scripts/ensure_chromium.py
	$(BIN)/python -m tests.browser.measure

banner-pictures: $(DEVELOPMENT) ## Take pictures of the banner in every state to build/screenshots/
	$(BIN)/python scripts/ensure_chromium.py
	$(BIN)/python -m tests.browser.pictures

lock: $(DEVELOPMENT) ## Choose the newest fitting dependencies and write their hashes
	cd requirements && ../$(COMPILE) --upgrade dev.in --output-file dev.txt
	cd requirements && ../$(COMPILE) --upgrade --constraint dev.txt runtime.in --output-file runtime.txt
	cd requirements && ../$(COMPILE) --upgrade --constraint dev.txt build.in --output-file build.txt
	cd requirements && ../$(COMPILE) --upgrade sbom.in --output-file sbom.txt

# Failure campaigns: each prints its figures and the machine. docs/reliability.md says what they mean.
CAMPAIGN = CONSENT_CAMPAIGN=long $(BIN)/python -m pytest -q -s -p no:cacheprovider $(ARGS) tests/reliability

campaigns: $(DEVELOPMENT) ## Run the short forms of all failure campaigns and print their figures
	$(BIN)/python -m pytest -q -s $(ARGS) tests/reliability tests/campaigns

chaos-kill: $(DEVELOPMENT) ## Kill the service under write load, 100 times on each database (A1)
	$(CAMPAIGN)/test_service_killed.py

power-cuts: $(DEVELOPMENT) ## Cut the power under SQLite, 1,000 times in each of two ways (A2)
	$(CAMPAIGN)/test_power_cut.py

chaos-postgres: $(DEVELOPMENT) ## Kill PostgreSQL under write load 20 times (A3)
	$(CAMPAIGN)/test_postgres_killed.py

chaos-patroni: $(DEVELOPMENT) var/patroni/.installed ## Kill the leader of a Patroni cluster 10 times (A3; brings Patroni and etcd)
	$(CAMPAIGN)/patroni_failover.py

state-machine: $(DEVELOPMENT) ## Compare the service with a plain model for 10,000 steps on each database (B1)
	$(CAMPAIGN)/test_state_machine.py

faults: $(DEVELOPMENT) ## Break the database, the keys and the clock (B2)
	$(CAMPAIGN)/test_faults.py tests/reliability/test_outage.py

races: $(DEVELOPMENT) ## Race for one revision and one idempotency key on two replicas (B3)
	$(CAMPAIGN)/test_races.py

rolling: $(DEVELOPMENT) ## Restart two replicas in turn and migrate under load (D2)
	$(CAMPAIGN)/test_rolling_restart.py

hostile: $(DEVELOPMENT) ## Send hostile bytes to the real service (C2)
	$(CAMPAIGN)/test_hostile_bytes.py

# Not a requirement of this project: Patroni from the Python index, etcd from Debian, both under var/ and nowhere else.
var/patroni/.installed:
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target var/patroni/lib 'patroni[etcd3]==4.1.5' 'psycopg[binary]'
	mkdir -p var/patroni/etcd
	command -v etcd || (cd var/patroni && apt-get download etcd-server && dpkg -x etcd-server_*.deb etcd)
	touch $@

sbom: ## Write build/consent-service.cdx.json: what is shipped, from the lock (CycloneDX)
	$(PYTHON) -m venv --clear build/sbom
	build/sbom/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/sbom.txt
	build/sbom/bin/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file build/consent-service.cdx.json
	rm -rf build/sbom

clean: ## Remove what was made here, the data of `make run` included
	rm -rf $(VENV) var build dist mutants .hypothesis .mypy_cache .pytest_cache .ruff_cache .grimp_cache .import_linter_cache

$(CREATED):
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(RUNTIME): $(CREATED) requirements/build.txt requirements/runtime.txt pyproject.toml clients/python/pyproject.toml
	$(LOCKED) -r requirements/build.txt -r requirements/runtime.txt
	$(THIS)
	touch $@

$(DEVELOPMENT): $(CREATED) requirements/dev.txt pyproject.toml clients/python/pyproject.toml
	$(LOCKED) -r requirements/dev.txt
	$(THIS)
	touch $(RUNTIME) $@
