# callflow: everything a developer types. `make` alone explains.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
AUDIT := .venv-audit
RUNS := $(VENV)/runs-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
READY := $(VENV)/ready-$(shell cat requirements-dev.lock pyproject.toml | cksum | cut -d' ' -f1)
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --progress-bar on
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-real test test-fast coverage lint types format check-prompts lab-asterisk lab-services bench bench-hearing bench-hearing-quick chaos fuzz soak lock prompts settings-docs dist deb bill audit clean

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: $(READY)  ## Make the virtual environment (.venv) with exact versions

$(RUNS): requirements.lock pyproject.toml
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { echo "installing Debian's python3-venv"; \
	  apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); }
	@$(PIP_INSTALL) -r requirements.lock -c requirements-dev.lock hatchling editables dpkt tomli-w
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/runs-* && touch $@

$(READY): $(RUNS) requirements-dev.lock
	@echo "adding what the tests need (once, about a minute)"
	@$(PIP_INSTALL) -r requirements-dev.lock
	@rm -f $(VENV)/ready-* && touch $@

demo: $(RUNS)  ## Twelve different callers at once on a pretend Asterisk, live; needs nothing but Python
	@$(BIN)/callflow simulate demo --pretend

demo-real: setup  ## The same callers with real SIP and RTP on a real Asterisk (needs root on Debian the first time)
	@$(BIN)/callflow simulate demo --lab 22

test: setup lint types check-prompts lab-asterisk lab-services  ## All tests, on real Asterisk 22 and 16 too
	@$(BIN)/python -m pytest -n 4 --dist loadgroup --durations=15 $(TESTS)

test-fast: setup  ## The tests that need no Asterisk
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --ignore-glob='tests/lab*/*' $(TESTS)

coverage: setup lab-asterisk lab-services  ## All tests, and the lines that none of them reaches (a quarter slower)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered $(TESTS)

lint: setup  ## ruff: rules and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: setup  ## mypy, strict: callflow, tests and dialplan
	@$(BIN)/mypy

format: setup  ## Put the code in ruff's format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

check-prompts: setup  ## The committed sound files against their words and levels
	@$(BIN)/python dialplan/sounds/build_prompts.py --check

lab-asterisk: setup  ## Make (or find) the real Asterisk 22 and 16 of the lab, cached outside the repo
	@$(BIN)/callflow lab make

lab-services: setup  ## Find (or, as root on Debian, install) Mosquitto, PostgreSQL, Prometheus and Chromium for the tests
	@$(BIN)/python -m tests.services.programs

chaos: setup lab-asterisk lab-services  ## Faults of every kind under load on real Asterisk 22 and 16 (as root, 20 minutes)
	@$(BIN)/python -m tests.chaos --asterisk 22
	@$(BIN)/python -m tests.chaos --asterisk 16

fuzz: setup  ## Fuzz every reader of outside input, an hour of CPU each (`python -m tests.fuzz --minutes 5 --only ami`: less)
	@$(BIN)/python -m tests.fuzz --minutes 60

bench: setup  ## Print timings: real calls, reaction, AMI intake, database
	@$(BIN)/callflow lab bench
	@$(BIN)/python -m tests.adapters.bench_ami_intake
	@$(BIN)/python -m tests.bench.bench_start
	@$(BIN)/python -m tests.bench.bench_store
	@$(BIN)/python -m tests.bench.bench_report --calls 1000000
	@$(BIN)/python -m tests.bench.bench_scale
	@$(BIN)/python -m tests.bench.bench_taps
	@$(BIN)/python -m tests.bench.bench_assist
	@$(BIN)/python -m tests.bench.bench_web
	@$(BIN)/python -m tests.bench.bench_fleet --calls 2000 --rate 200

soak: setup  ## Two hours at 20 calls a second with everything enabled: what the daemon holds, by tenths
	@$(BIN)/python -m tests.bench.bench_soak

bench-hearing: setup  ## How well the ears hear, on a labelled set; writes the tables of docs/hearing.md (ten minutes)
	@$(BIN)/python -m tests.bench.hearing --write

bench-hearing-quick: setup  ## The same with a twentieth of the calls; writes nothing (a minute)
	@$(BIN)/python -m tests.bench.hearing --quick

lock: setup  ## Resolve exact versions anew (needs uv)
	uv pip compile pyproject.toml --universal --no-header --no-emit-index-url --no-annotate -q -U -o requirements.lock
	uv pip compile pyproject.toml --universal --extra lab --group dev --no-header --no-emit-index-url --no-annotate -q -U -o requirements-dev.lock

prompts:  ## Speak the prompts anew (see dialplan/sounds/README.md)
	@echo "the prompts have an environment of their own: see dialplan/sounds/README.md"
	$(PYTHON) dialplan/sounds/build_prompts.py

settings-docs: setup  ## Write config/callflow.toml and the generated parts of docs/
	@$(BIN)/callflow settings example > config/callflow.toml
	@$(BIN)/python -m tests.docs.diagram

dist: bill  ## Build wheel and sdist (the same bytes from the same commit), bill of materials and licences into dist/
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -d dist -t sdist -t wheel
	@cd dist && sha256sum callflow-*.tar.gz callflow-*.whl callflow.cdx.json licences.md | tee SHA256SUMS

deb: setup  ## Build a Debian package into dist/, for the Python of .venv
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m release.deb dist

bill: setup  ## Write the bill of materials (CycloneDX) and the list of licences into dist/
	@$(BIN)/python -m release.bill dist && echo "dist/callflow.cdx.json, dist/licences.md"

audit: bill  ## Bill of materials, licences, and the known weaknesses of the packages in requirements.lock (pip-audit)
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && \
	  $(AUDIT)/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1; }
	@$(BIN)/python -m release.audit $(AUDIT)/bin/pip-audit

clean:  ## Remove the virtual environment and caches in this folder
	rm -rf $(VENV) $(AUDIT) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist
