# make                         everything: results/ complete
# make help                    lists these commands
# make check                   is the sheet free of errors?
# make test                    style, types and tests
# make clean                   removes everything generated
# make workbook [BOOK=evidence.xlsx]      writes the sheet as one workbook for a spreadsheet program
# make watch [BOOK=evidence.xlsx]         answers every save: is the sheet sound, and what does it change?
# make import BOOK=path [YES=yes]         takes a workbook, or a folder of CSV files, into the sheet
# make worklist [BOOK=worklist.xlsx] [N=40]   lists what to look up in the papers first
# make records FILE=search.nbib [SEARCH=s10]  takes what a search found, to be screened
# make registry FILE=record.json [BOOK=registry.xlsx]  compares records of ClinicalTrials.gov with the sheet
# make references FILE=export.nbib [REPLACE=yes|no]  fills in and corrects sources.csv from an export
# make changes [SINCE=revision]           says what your edit changes in the results, since the last commit
# make explain ROW=pcr:6                  says why a row is, or is not, in an analysis
# make explain TRIAL=<id> ANALYSIS=<id>   the same for a trial
# make figures STYLE=lancet [WIDTH=85] [ANALYSIS=<id>] [FIGURE=forest]   draws for a journal or a slide
# make calibrate               simulates how often the intervals hold (minutes; see config/calibration.yaml)
# make approve                 accepts what the outputs of the made-up project say now
# make mutants                 plants faults: would the tests notice? (half an hour)
# make test-edits              tests with 2,000 random edits of the sheet (minutes)
# make test-long               tests views and choices of the page, recipes, clusters (minutes)
# make lock                    renews requirements.lock after an edit of pyproject.toml (needs uv)

# The first Python that is new enough; else python3, whose version is then reported.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python
PYTHON ?= $(or $(shell for p in $(PYTHONS); do \
  $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done),python3)
BIN := .venv/bin
STAMP := .venv/installed
# Python compiles a module when it is first imported; most installed modules never are.
unexport PYTHONDONTWRITEBYTECODE
# The matrices are small: one thread per core would be slower, not faster.
export OPENBLAS_NUM_THREADS := 1

.PHONY: all help check watch workbook worklist import records registry references explain changes figures calibrate test test-edits test-long approve mutants clean lock

SINCE ?= HEAD
# BOOK as given on the command line; BOOK from the environment applies only to the sheet.
NAMED_BOOK = $(if $(filter command line,$(origin BOOK)),$(BOOK))
SHEET_BOOK = $(or $(BOOK),evidence.xlsx)

all: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m snakemake --logger progress

# Print the comment lines at the top of this file.
help:
	@sed -n -e '/^# make/!q' -e 's/^# //p' $(firstword $(MAKEFILE_LIST))

check: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence check --list-warnings

explain: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence explain \
	  --row "$(ROW)" --trial "$(TRIAL)" --analysis "$(ANALYSIS)"

workbook: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence workbook --book "$(SHEET_BOOK)"

# Without the trap, make would call Ctrl-C an error.
watch: $(STAMP)
	@trap : INT; PYTHONPATH=workflow $(BIN)/python -m trial_evidence watch \
	  $(if $(NAMED_BOOK),--book "$(NAMED_BOOK)")

worklist: all
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence worklist \
	  --book "$(or $(NAMED_BOOK),worklist.xlsx)" --most "$(or $(N),40)"

records: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence records --file "$(FILE)" --search "$(SEARCH)"

registry: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence registry --file "$(FILE)" \
	  --book "$(or $(NAMED_BOOK),registry.xlsx)"

references: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence references --file "$(FILE)" \
	  $(if $(REPLACE),--replace $(REPLACE))

import: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence import --book "$(SHEET_BOOK)" $(if $(filter yes,$(YES)),--yes)

docs/data-dictionary.md: $(STAMP) workflow/dictionary/*.csv
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence dictionary

# The schemas with which editors check the files of config/.
workflow/schemas/config.schema.json: $(STAMP) workflow/trial_evidence/config/*.py
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence.config

changes: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence changes --since "$(SINCE)"

# Many more random edits of the sheet than in `make test`.
test-edits: $(STAMP)
	@SHEET_EDITS=2000 PYTHONPATH=workflow $(BIN)/python -m pytest tests/edits -q

figures: all
	@PYTHONPATH=workflow $(BIN)/python -m trial_evidence styled --style "$(STYLE)" \
	  $(if $(WIDTH),--width "$(WIDTH)") $(if $(ANALYSIS),--analysis "$(ANALYSIS)") \
	  $(if $(FIGURE),--figure "$(FIGURE)") --processes 2

calibrate: $(STAMP)
	@PYTHONPATH=workflow $(BIN)/python -m snakemake calibrate --logger progress

# The types are checked while the tests run.
test: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/python -m snakefmt --check Snakefile workflow/rules
	@$(BIN)/python -m mypy & types=$$!; \
	  $(BIN)/python -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	  wait $$types && exit $$tests

# Every view of the page and every choice in it, in Chromium; the recipes; clusters; looks of figures.
test-long: $(STAMP)
	@BROWSER_TESTS=required $(BIN)/python -m pytest -m long -n 2 --dist loadfile

# The new texts must be read with git diff; see docs/testing.md.
approve: $(STAMP)
	@APPROVE=yes $(BIN)/python -m pytest tests/approval -q
	@git --no-pager diff --stat -- tests/approval 2>/dev/null || \
	  echo "The texts are written. What is different in them only git can tell, in a clone."

# How many of 300 small planted faults do the tests notice? Not part of `make test`.
mutants: $(STAMP)
	@$(BIN)/python tests/mutants.py

# The environment is rebuilt when the lock changes; the stamp comes last, so that an interrupted
# installation is not mistaken for a complete one.
$(STAMP): requirements.lock
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; found: $$($(PYTHON) --version 2>/dev/null || echo none)."; \
	  echo "Install a newer one, or name it: make PYTHON=/path/to/python3.13"; exit 1; } >&2
	@echo "Installing into .venv (once, about a minute) ..."
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock || { \
	  echo "The libraries of requirements.lock could not be installed; the lines above say why."; \
	  echo "Python 3.14 needs a C compiler and its headers; or name an older one: make PYTHON=python3.13"; \
	  exit 1; } >&2
	@touch $(STAMP)

# Needs uv on the PATH; run after editing the dependencies in pyproject.toml.
lock:
	uv pip compile --universal --prerelease disallow --fork-strategy fewest \
	  --python-version 3.11 --group dev --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --upgrade \
	  pyproject.toml -o requirements.lock

clean:
	rm -rf results data/processed .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis .mutants
