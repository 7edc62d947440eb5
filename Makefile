# Everything is done in .venv, which is made when it is missing and brought up to date when pyproject.toml changes.
# PYTHON=/path/to/python says which Python makes it. PYTEST_ARGS="tests/core -x" says which tests to run, and how;
# BENCH_ARGS="--store sqlite drain", what is measured.

VENV := .venv
NEWER := .venv-newer
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST_ARGS ?=
# Two at a time, each file by one of them: what a file needs, such as a million rows, is made once.
# A process of tests that dies ends the run: xdist may wait for ever for what another was to take over from it.
PARALLEL := -n 2 --dist loadfile --max-worker-restart 0
BENCH_ARGS ?=
MINUTES ?= 60
STORE ?=
SEED ?=

# How far .venv is filled: what the demo needs, what the tests need, what a developer needs.
DEMO := $(VENV)/.stamp-demo
TEST := $(VENV)/.stamp-test
DEV := $(VENV)/.stamp-dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo servers test slow newer mysql coverage check lint types format bench soak planted docs reference pictures clean

help: ## Say what can be done here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

venv: $(DEV) ## Make .venv with everything that development needs

demo: $(DEMO) ## Run the tutorial's application
	$(BIN)/python examples/tutorial/demo.py

# No stamp: a virtual environment may outlive the machine that it was made on, and looking takes a moment only.
servers: $(TEST) ## Get the database servers that the tests need, as far as this user may
	@scripts/install-servers $(BIN)/python

test: $(TEST) servers ## Run the tests, but for the slow ones
	$(BIN)/python -m pytest $(PARALLEL) -m 'not slow' $(PYTEST_ARGS)

slow: $(TEST) servers ## Run the tests that take long and seldom find what the others do not
	$(BIN)/python -m pytest $(PARALLEL) -m slow $(PYTEST_ARGS)

newer: servers ## Run the tests of the integrations with a newer Python, Django 6 and SQLAlchemy 2.0
	@scripts/newer-python $(NEWER) -n 2 --dist worksteal --max-worker-restart 0

# Not part of `check`: it asks for Debian unstable, which has its days.
mysql: $(TEST) ## Run the tests of the MySQL and MariaDB store with a MySQL
	@scripts/with-mysql build/mysql $(BIN)/python -m pytest $(PARALLEL) -m 'not slow' \
		-k 'mysql or mariadb or asyncmy' $(PYTEST_ARGS)

coverage: $(TEST) servers ## Run the tests as `test` does, and show which lines and branches they do not reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) -m 'not slow' $(PYTEST_ARGS); status=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report && exit $$status

check: lint types test slow newer ## Run all that must pass: lint, types, all tests, those of the integrations twice

lint: $(DEV) ## Check style, formatting and the import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache --no-logo

types: $(DEV) ## Check types
	$(BIN)/mypy
	$(BIN)/pyright

format: $(DEV) ## Put the code into the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TEST) servers ## Measure throughput and latency of every store on this machine
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: $(TEST) servers ## Let everything go wrong for MINUTES, with every STORE; SEED repeats it
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) $(STORE:%=--store %) $(SEED:%=--seed %)

planted: $(TEST) servers ## Plant known bugs in a copy, and see whether the tests find them
	$(BIN)/python -m tests.faults.planted

docs: $(DEV) ## Build the documentation into build/docs
	$(BIN)/sphinx-build -W --keep-going -b html docs build/docs

reference: $(TEST) ## Write the parts of the reference that are made from the code
	$(BIN)/python -m docs.reference.generated

pictures: $(DEV) ## Draw the pictures of the documentation again
	$(BIN)/python docs/pictures/lifecycle.py
	$(BIN)/python docs/pictures/demo.py

clean: ## Remove what the other targets made, except .venv
	rm -rf build dist .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests examples benchmarks docs scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.stamp-python:
	@PYTHON="$(PYTHON)" scripts/make-venv $(VENV)
	@touch $@

$(DEMO): $(VENV)/.stamp-python pyproject.toml
	$(PIP) install --editable . --group demo
	@touch $@

$(TEST): $(DEMO)
	$(PIP) install --group test
	@touch $@

$(DEV): $(TEST)
	$(PIP) install --group dev
	@touch $@
