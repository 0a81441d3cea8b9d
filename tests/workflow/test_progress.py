"""Errors of Snakemake, as the terminal tells them."""

import logging
from types import SimpleNamespace

from snakemake_logger_plugin_progress import LogHandler

# As Snakemake says it to a user who may not write the file; root may write every file.
PROTECTED = (
    'ProtectedOutputException in rule pool in file "workflow/rules/pool.smk", line 8:\n'
    "Write-protected output files for rule pool:\n"
    "    output: results/neoadjuvant/estimates.csv, results/neoadjuvant/trials.csv\n"
    "    wildcards: setting=neoadjuvant\n"
    "    affected files:\n"
    "        results/neoadjuvant/estimates.csv\n"
    "        results/neoadjuvant/trials.csv"
)


def test_results_that_must_not_be_written_are_named_plainly(capsys):
    handler = LogHandler(SimpleNamespace(), None)
    handler.emit(logging.LogRecord("snakemake", logging.ERROR, "", 0, PROTECTED, (), None))
    assert capsys.readouterr().err == (
        "results/neoadjuvant/estimates.csv, results/neoadjuvant/trials.csv: write-protected, so "
        "this run cannot write there. Allow writing, or delete what is there. Run make again.\n"
    )
