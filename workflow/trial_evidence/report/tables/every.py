"""Every table of the report."""

from pathlib import Path

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.report.material.material import Material, read_material
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.tables.absolute_effects import summary_of_findings
from trial_evidence.report.tables.certainty import certainties, certainty_table, certainty_words
from trial_evidence.report.tables.characteristics import (
    biomarkers_table,
    characteristics_table,
    evidence_map,
    risk_of_bias_table,
)
from trial_evidence.report.tables.claims import claims_table, verdicts
from trial_evidence.report.tables.flow import flow_table
from trial_evidence.report.tables.front import answers_table, front_table
from trial_evidence.report.tables.robustness import (
    heterogeneity_table,
    sensitivity_table,
    timeline_table,
)
from trial_evidence.report.tables.rows import rows_set_aside_table, rows_used_table
from trial_evidence.sheet import Sheet

__all__ = ["ReportTable", "report_tables", "tables_of"]


def report_tables(
    configuration: Configuration,
    report: ReportConfiguration,
    sheet: Sheet,
    processed: Path,
    results: Path,
) -> tuple[ReportTable, ...]:
    """Make every table from what the earlier stages wrote.

    Parameters
    ----------
    configuration : Configuration
    report : ReportConfiguration
    sheet : Sheet
    processed, results : Path

    Returns
    -------
    tuple of ReportTable
        As :func:`tables_of` gives them.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    return tables_of(read_material(configuration, report, sheet, processed, results))


def tables_of(material: Material) -> tuple[ReportTable, ...]:
    """Every table, in the order in which a reader wants them.

    Parameters
    ----------
    material : Material

    Returns
    -------
    tuple of ReportTable
        ``front``, ``answers``, ``claims``, ``summary_of_findings``, ``certainty``,
        ``characteristics``, ``risk_of_bias``, ``flow``, ``evidence_map``, ``heterogeneity``,
        ``sensitivity``, ``timeline``, ``biomarkers``, ``rows_used``, ``rows_set_aside``.
    """
    found = certainties(material)
    return (
        front_table(material, found),
        answers_table(material, found),
        claims_table(material, verdicts(material, certainty_words(found))),
        summary_of_findings(material, found),
        certainty_table(material, found),
        characteristics_table(material),
        risk_of_bias_table(material),
        flow_table(material),
        evidence_map(material),
        heterogeneity_table(material),
        sensitivity_table(material),
        timeline_table(material),
        biomarkers_table(material),
        rows_used_table(material),
        rows_set_aside_table(material),
    )
