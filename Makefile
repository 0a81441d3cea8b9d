# make         results/ complete         make check   is the sheet sound?
# make test    style, types, tests       make clean   remove everything made

# The first Python that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: all check test clean lock

all: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/snakemake --logger progress

check: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence check --list-warnings

test: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/mypy
	@$(BIN)/python -m pytest

# The environment is made again when the lock changes; the stamp comes last, so that an
# interrupted installation is not taken for a whole one.
$(STAMP): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@echo "Installing into .venv (once, a few minutes) ..."
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(STAMP)

# Needs uv on the PATH; run after editing the dependencies in pyproject.toml.
lock:
	uv pip compile --universal --fork-strategy fewest --python-version 3.11 --group dev \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade \
	  pyproject.toml -o requirements.lock

clean:
	rm -rf results data/processed .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
