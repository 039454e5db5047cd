# `make help` lists everything. The two that matter: `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
HOME_DIR := .demo-home
UV := 0.13.9
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-build --compile-bytecode
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
ALONE := not service and not postgresql and not browser
FIRST := $(ALONE) and not corpus
IDENTITY_AND_KEYS := tests/unit/iam tests/unit/kms
BROWSERS_AND_STORES := tests/browser tests/cli tests/contracts
SOURCES := secops iam kms detectors playbooks audits rules tests tools samples

.PHONY: help run check test test-deep lint types contracts unit services browsers-and-stores with-services identity-and-keys all-else coverage bench texts lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: apt-get install python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)

$(RUNTIME): $(BIN)/python requirements.lock setup.cfg
	@echo "installing locked wheels into $(VENV) …"
	@$(INSTALL) -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.lock
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

DEMO := $(HOME_DIR)/.made

$(DEMO): $(RUNTIME)
	@$(BIN)/secops --home $(HOME_DIR) init --demo
	@$(BIN)/secops --home $(HOME_DIR) demo-data
	@touch $@

run: $(DEMO) ## make a demo home, ingest the samples, detect once, serve on http://localhost:8080
	@cat $(HOME_DIR)/demo-accounts.txt
	@exec $(BIN)/secops --home $(HOME_DIR) serve

lint: $(DEVELOPMENT) ## ruff: rules and format; our own detection rules with their samples
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/secops detectors check-rules rules/sigma

types: $(DEVELOPMENT) ## mypy --strict
	@$(BIN)/mypy

contracts: $(DEVELOPMENT) ## import contracts
	@$(BIN)/lint-imports

unit: $(DEVELOPMENT)
	@$(BIN)/python -m pytest -q -m "$(ALONE)"

check: $(DEVELOPMENT) ## lint, types, contracts, tests without services (≤ 5 min)
	@$(MAKE) -j2 --output-sync=target --no-print-directory unit lint types contracts

services: ## install what the tests need beside Python (Debian, root or sudo)
	@tests/services/install.sh

test: services ## everything, with services (≤ 25 min)
	@scratch=$$(tests/services/scratch.sh) && trap 'rm -rf "$$scratch"' EXIT && TMPDIR=$$scratch \
		$(MAKE) -j4 --no-print-directory with-services all-else identity-and-keys browsers-and-stores lint types contracts

# four shares of all tests, side by side
browsers-and-stores: $(DEVELOPMENT)
	@$(BIN)/python -m pytest -q --durations=15 -m "not ($(FIRST))" $(BROWSERS_AND_STORES)

with-services: $(DEVELOPMENT)
	@$(BIN)/python -m pytest -q --durations=15 -m "not ($(FIRST))" $(BROWSERS_AND_STORES:%=--ignore=%)

identity-and-keys: $(DEVELOPMENT)
	@$(RUN) -m pytest -q --durations=15 -m "$(FIRST)" $(IDENTITY_AND_KEYS)

all-else: $(DEVELOPMENT)
	@$(RUN) -m pytest -q --durations=15 -m "$(FIRST)" $(IDENTITY_AND_KEYS:%=--ignore=%)

coverage: $(DEVELOPMENT) ## branch coverage by what needs nothing but Python: 100 % of each core
	@rm -f .coverage .coverage.*
	@$(MAKE) -j2 --no-print-directory RUN="$(BIN)/coverage run" identity-and-keys all-else
	@$(BIN)/coverage combine -q && $(BIN)/coverage json -q -o .coverage.json && $(BIN)/python tests/shape/coverage_floor.py .coverage.json

test-deep: services $(DEVELOPMENT) coverage ## the full counts of faults and attacks (≤ 60 min), and coverage
	@SECOPS_DEEP=1 $(BIN)/python -m pytest -q --durations=15

bench: $(RUNTIME) ## every figure, with its circumstances
	@for plane in iam kms detectors ledger logs playbooks audits; do $(BIN)/secops --home $(HOME_DIR) bench $$plane; done

texts: $(DEVELOPMENT) ## bring the console's English catalogue up to date
	@$(BIN)/python tools/texts.py

lock: $(BIN)/python ## resolve the dependencies anew
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-build requirements.in -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-build requirements-dev.in -c requirements.lock -o requirements-dev.lock

clean: ## remove what was built, not the demo home
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
