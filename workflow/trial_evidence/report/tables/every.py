"""Every table of the report."""

from trial_evidence.report.material.material import Material
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

__all__ = ["ReportTable", "tables_of"]


def tables_of(material: Material) -> tuple[ReportTable, ...]:
    """Every table, in the order in which a reader wants them."""
    found = certainties(material)
    certainty = certainty_words(found)
    return (
        front_table(material, certainty),
        answers_table(material, certainty),
        claims_table(material, verdicts(material, certainty)),
        summary_of_findings(material, certainty),
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
