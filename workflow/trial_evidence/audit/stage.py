"""The audit stage: all findings, the page that a person reads, and the readers' agreement."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from trial_evidence.audit.counts import (
    itt_without_all,
    levels_against_whole,
    missing_levels,
    percent_against_counts,
    stricter_definitions,
)
from trial_evidence.audit.effects import far_from_pool, own_other_results
from trial_evidence.audit.findings import Finding, findings_table, with_notes
from trial_evidence.audit.hazards import (
    events_against_interval,
    medians_against_ratio,
    p_value_against_interval,
    successive_analyses,
)
from trial_evidence.audit.page import audit_page
from trial_evidence.audit.readers import write_readings
from trial_evidence.audit.sources import (
    conflicts,
    second_hand,
    too_early,
    unverified,
    without_locator,
)
from trial_evidence.extract.columns import USED_NUMBERS
from trial_evidence.files import read_table, records, write_table, write_text
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.sheet import Sheet

SHEET_CHECKS = (
    levels_against_whole,
    missing_levels,
    percent_against_counts,
    stricter_definitions,
    itt_without_all,
    successive_analyses,
    events_against_interval,
    medians_against_ratio,
    p_value_against_interval,
    conflicts,
    too_early,
    own_other_results,
    unverified,
    without_locator,
)


def audit_findings(sheet: Sheet, trials_results: pd.DataFrame | None = None) -> list[Finding]:
    """Return every finding about a sheet, with what people noted on it.

    Parameters
    ----------
    sheet : Sheet
    trials_results : DataFrame, optional
        ``results/<setting>/trials.csv`` of all settings. Without it no effect is compared with its
        pool, and no row counts as pooled.

    Returns
    -------
    list of Finding
        Open ones by severity and trial, settled ones after them.
    """
    findings = [found for check in SHEET_CHECKS for found in check(sheet)]
    if trials_results is None:
        findings += second_hand(sheet, ())
    else:
        findings += second_hand(sheet, _pooled_rows(trials_results))
        findings += far_from_pool(sheet, trials_results)
    return with_notes(findings, sheet["audit_notes"])


def write_audit(sheet: Sheet, settings: Sequence[str], processed: Path, results: Path) -> None:
    """Write ``audit.csv``, ``audit.md``, ``readers.csv`` and ``readers.md`` into results/checks.

    Parameters
    ----------
    sheet : Sheet
        With the values of the first reader.
    settings : sequence of str
    processed, results : Path
        Where the extract and the pool stage have written.
    """
    trials = pd.concat(
        [
            read_table(results / setting / "trials.csv", [*USED_NUMBERS, *TRIAL_NUMBERS])
            for setting in settings
        ],
        ignore_index=True,
    )
    used = pd.concat(
        [
            read_table(processed / setting / f"{table}.csv", [])
            for setting in settings
            for table in ("used", "rates")
        ],
        ignore_index=True,
    )
    write_readings(sheet, used, results)
    findings = audit_findings(sheet, trials)
    write_table(results / "checks" / "audit.csv", findings_table(findings))
    write_text(results / "checks" / "audit.md", audit_page(findings))


def _pooled_rows(trials: pd.DataFrame) -> set[tuple[str, int]]:
    return {
        ("hazard_ratios" if row["measure"] == "hazard_ratio" else "pcr", int(number))
        for row in records(trials[trials["pooled"] == "yes"])
        for number in str(row["rows"]).split(";")
    }
