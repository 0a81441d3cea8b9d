"""The audit stage: all findings, a readable page, and the readers' agreement."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from trial_evidence.audit import counts, hazards, sources, times
from trial_evidence.audit.effects import Families, far_from_pool, own_other_results
from trial_evidence.audit.findings import Finding, findings_table, with_notes
from trial_evidence.audit.page import audit_page
from trial_evidence.audit.readers import pooled_rows, write_readings
from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.context import tables_of
from trial_evidence.files import read_table, write_table, write_text
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.sheet import Sheet

SHEET_CHECKS = (
    counts.levels_against_whole,
    counts.level_sizes,
    counts.missing_levels,
    counts.percent_against_counts,
    counts.stricter_definitions,
    counts.itt_without_all,
    hazards.successive_analyses,
    hazards.events_against_interval,
    hazards.medians_against_ratio,
    hazards.p_value_against_interval,
    times.rising_rates,
    times.rates_against_ratio,
    times.medians_against_rates,
    times.printed_against_curve,
    times.hazards_not_proportional,
    times.unpaired_counts,
    sources.conflicts,
    sources.too_early,
    sources.later_without_follow_up,
    sources.unverified,
    sources.without_locator,
)


def audit_findings(
    sheet: Sheet,
    trials_results: pd.DataFrame | None = None,
    families: Families = (),
    survival: Collection[str] = (),
    nested: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[Finding]:
    """Return every finding about a sheet, with reviewers' notes.

    Parameters
    ----------
    trials_results : DataFrame, optional
        ``results/<setting>/trials.csv`` of all settings, with the ``table`` of its rows. Without it
        no effect is compared with its pool, and no row counts as pooled.
    families : collection of tuple of str
        Endpoints that an analysis treats as equivalent.
    survival : collection of str
        Outcomes whose events are all deaths and nothing else.
    nested : mapping
        Outcome -> the one that counts all its patients as well; empty if there is none.

    Returns
    -------
    list of Finding
        Open ones by severity and trial, settled ones after them.
    """
    checks = (
        *SHEET_CHECKS,
        partial(own_other_results, families=families),
        partial(times.survival_below_event_free, survival=survival),
        partial(counts.part_above_whole, nested=nested),
    )
    findings = [found for check in checks for found in check(sheet)]
    if trials_results is None:
        findings += sources.second_hand(sheet, ())
    else:
        findings += sources.second_hand(sheet, {row for row, _ in pooled_rows(trials_results)})
        findings += far_from_pool(sheet, trials_results)
    return with_notes(findings, sheet["audit_notes"])


def write_audit(
    sheet: Sheet, first: Sheet, configuration: Configuration, processed: Path, results: Path
) -> None:
    """Write ``audit.csv``, ``audit.md``, ``readers.csv`` and ``readers.md`` into results/checks.

    Parameters
    ----------
    sheet, first : Sheet
        With the values that are pooled, and with those of the first reader.
    processed, results : Path
        Folders with the output of the extract and pool stages.
    """
    tables = tables_of(configuration)

    def every(folder: Path, names: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
        """A table of all settings, with the table of the sheet that its rows are from."""
        paths = [folder / setting / name for setting in configuration.settings for name in names]
        rows = pd.concat([read_table(path, numbers) for path in paths], ignore_index=True)
        keys = zip(rows["setting"], rows["analysis"], strict=True)
        return rows.assign(table=pd.Series([tables[key] for key in keys], dtype=object))

    trials = every(results, ["trials.csv"], TRIAL_NUMBERS)
    write_readings(first, every(processed, ["used.csv", "rates.csv"], []), results)
    families = [analysis.endpoints for analysis in configuration.analyses]
    survival = {name for name, outcome in configuration.outcomes.items() if outcome.survival}
    nested = {name: outcome.part_of for name, outcome in configuration.outcomes.items()}
    findings = audit_findings(sheet, trials, families, survival, nested)
    write_table(results / "checks" / "audit.csv", findings_table(findings))
    write_text(results / "checks" / "audit.md", audit_page(findings))
