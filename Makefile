# make         results/ complete         make check   is the sheet free of errors?
# make test    style, types, tests       make clean   remove everything generated
# make workbook [BOOK=evidence.xlsx]     the sheet as one workbook for a spreadsheet program
# make watch [BOOK=evidence.xlsx]        answers every save: is it sound, what does it change
# make import BOOK=path [YES=yes]        a workbook, or a folder of CSV files, into the sheet
# make worklist [BOOK=worklist.xlsx] [N=40]   what to look up in the papers first
# make records FILE=search.nbib [SEARCH=s10]   what a search found, to be screened
# make registry FILE=record.json [BOOK=registry.xlsx]   what ClinicalTrials.gov says, to confirm
# make references FILE=export.nbib [REPLACE=yes]   fills and corrects sources.csv by PMID and DOI
# make changes [SINCE=revision]          what your edit changes since the last commit
# make calibrate                         coverage of the intervals (simulation, a few minutes)
# make figures STYLE=lancet [WIDTH=85] [ANALYSIS=<id>] [FIGURE=forest]   for a journal or a slide
# make mutants                           would the tests notice? (a sample of faults, half an hour)
# make approve                           take over what the made-up project's outputs say now
# make explain ROW=pcr:6                 why a row is, or is not, in an analysis
# make explain TRIAL=<id> ANALYSIS=<id>

# The first Python that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/installed
# The matrices are small: one thread for each core would be slower, not faster.
export OPENBLAS_NUM_THREADS := 1

.PHONY: all check watch workbook worklist import records registry references explain changes figures calibrate test test-edits test-page approve mutants clean lock

SINCE ?= HEAD
BOOK ?= evidence.xlsx

all: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/snakemake --logger progress

check: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence check --list-warnings

explain: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence explain \
	  --row "$(ROW)" --trial "$(TRIAL)" --analysis "$(ANALYSIS)"

workbook: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence workbook --book "$(BOOK)"

watch: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence watch \
	  $(if $(filter command line,$(origin BOOK)),--book "$(BOOK)")

worklist: all
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence worklist \
	  --book "$(if $(filter command line,$(origin BOOK)),$(BOOK),worklist.xlsx)" --most "$(or $(N),40)"

records: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence records --file "$(FILE)" --search "$(SEARCH)"

registry: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence registry --file "$(FILE)" \
	  --book "$(if $(filter command line,$(origin BOOK)),$(BOOK),registry.xlsx)"

references: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence references --file "$(FILE)" \
	  $(if $(REPLACE),--replace $(REPLACE))

import: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence import --book "$(BOOK)" $(if $(YES),--yes)

docs/data-dictionary.md: $(STAMP) workflow/dictionary/*.csv
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence dictionary

# The schemas with which an editor checks the files of config/.
workflow/schemas/config.schema.json: $(STAMP) workflow/trial_evidence/config/*.py
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence.config

changes: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence changes --since "$(SINCE)"

# Many more random edits of the sheet than in `make test`.
test-edits: $(STAMP)
	@SHEET_EDITS=2000 PYTHONPATH=workflow $(BIN)/python -m pytest tests/edits -q

figures: all
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence styled --style "$(STYLE)" \
	  $(if $(WIDTH),--width $(WIDTH)) $(if $(ANALYSIS),--analysis "$(ANALYSIS)") \
	  $(if $(FIGURE),--figure "$(FIGURE)") --processes 2

calibrate: all
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence calibrate

test: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	  --ignore=tests/browser/test_views.py --ignore=tests/browser/test_choices.py

# Every view of the page and every choice in it, in Chromium: some minutes more than `make test`.
test-page: $(STAMP)
	@BROWSER_TESTS=required $(BIN)/python -m pytest tests/browser -n 2 --dist loadfile

# For a reader to look through with git diff; docs/testing.md says how.
approve: $(STAMP)
	@APPROVE=yes $(BIN)/python -m pytest tests/approval -q
	@git --no-pager diff --stat -- tests/approval

# How many of 300 small faults does a test notice? Not part of `make test`.
mutants: $(STAMP)
	@$(BIN)/python tests/mutants.py

# The environment is rebuilt when the lock changes; the stamp comes last, so that an interrupted
# installation is not mistaken for a complete one.
$(STAMP): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@echo "Installing into .venv (once, about a minute) ..."
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(STAMP)

# Needs uv on the PATH; run after editing the dependencies in pyproject.toml.
lock:
	uv pip compile --universal --prerelease disallow --fork-strategy fewest \
	  --python-version 3.11 --group dev --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --upgrade \
	  pyproject.toml -o requirements.lock

clean:
	rm -rf results data/processed .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis .mutants
