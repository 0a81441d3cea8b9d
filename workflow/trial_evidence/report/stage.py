"""The report stage: all settings in one table, one page and one short summary."""

from pathlib import Path

import pandas as pd

from trial_evidence.configuration import Configuration
from trial_evidence.errors import RequestError
from trial_evidence.extract.columns import RATE_NUMBERS, USED_NUMBERS
from trial_evidence.files import read_table, write_table, write_text
from trial_evidence.pool.columns import ESTIMATE_COUNTS, ESTIMATE_NUMBERS, TRIAL_NUMBERS
from trial_evidence.report.at_a_glance import at_a_glance, summary_lines
from trial_evidence.report.explain import Evidence, explain_row, explain_trial
from trial_evidence.report.trace import trace_table
from trial_evidence.sheet import Sheet


def write_report(configuration: Configuration, processed: Path, results: Path) -> None:
    """Write ``estimates.csv``, ``trace.csv``, ``at-a-glance.md`` and ``summary.txt``."""
    evidence = read_evidence(configuration, processed, results)
    figures = _all_settings(configuration, results, "figures", [])
    estimates = evidence.estimates
    names = dict(zip(evidence.trials["trial_id"], evidence.trials["trial"], strict=True))
    counts = dict.fromkeys(ESTIMATE_COUNTS, "Int64")
    write_table(results / "estimates.csv", estimates.astype(counts))
    write_table(results / "trace.csv", trace_table(evidence.trials, evidence.rates, estimates))
    write_text(results / "at-a-glance.md", at_a_glance(estimates, figures, names, configuration))
    write_text(results / "summary.txt", summary_lines(estimates, configuration))


def read_evidence(configuration: Configuration, processed: Path, results: Path) -> Evidence:
    """What the earlier stages have written, all settings together.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    return Evidence(
        contrasts=_all_settings(configuration, processed, "contrasts", []),
        set_aside=_all_settings(configuration, processed, "set_aside", []),
        trials=_all_settings(configuration, results, "trials", [*USED_NUMBERS, *TRIAL_NUMBERS]),
        rates=_all_settings(configuration, results, "rates", [*RATE_NUMBERS, *TRIAL_NUMBERS]),
        estimates=_all_settings(configuration, results, "estimates", ESTIMATE_NUMBERS),
    )


def explain(
    row: str,
    trial: str,
    analysis: str,
    sheet: Sheet,
    configuration: Configuration,
    evidence: Evidence,
) -> str:
    """The trail of a row (``pcr:6``) or of a trial in an analysis.

    Raises
    ------
    RequestError
        If what is asked for does not exist; the message says what does.
    """
    if trial and analysis:
        return explain_trial(trial, analysis, sheet, evidence, configuration)
    table, _, number = row.replace(".csv", "").replace(" ", ":").partition(":")
    if not number.isdecimal():
        raise RequestError(
            "Say which row, as in ROW=pcr:6, or which trial and analysis, as in "
            "TRIAL=<trial_id> ANALYSIS=<id>."
        )
    return explain_row(table, int(number), sheet, evidence, configuration)


def _all_settings(
    configuration: Configuration, folder: Path, name: str, numbers: list[str]
) -> pd.DataFrame:
    tables = [
        read_table(folder / setting / f"{name}.csv", numbers) for setting in configuration.settings
    ]
    return pd.concat(tables, ignore_index=True)
