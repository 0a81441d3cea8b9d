"""Every table of the report."""

from trial_evidence.report import in_whom
from trial_evidence.report.absolute import hazards
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.tables import (
    absolute_effects,
    balance,
    certainty,
    characteristics,
    claims,
    flow,
    front,
    harms,
    network_certainty,
    robustness,
    rows,
)


def tables_of(material: Material) -> tuple[ReportTable, ...]:
    """Every table, in reading order."""
    found = certainty.certainties(material)
    words = certainty.certainty_words(found)
    alone = (
        characteristics.characteristics_table, characteristics.excluded_table,
        characteristics.risk_of_bias_table,
        flow.flow_table, characteristics.evidence_map, robustness.heterogeneity_table,
        robustness.sensitivity_table, robustness.change_table, robustness.timeline_table,
        in_whom.in_whom_table, in_whom.biomarker_reports_table, characteristics.biomarkers_table,
        rows.verification_table, rows.rows_used_table, rows.rows_set_aside_table,
    )  # fmt: skip
    return (
        front.front_table(material, words),
        front.answers_table(material, words),
        claims.claims_table(material, claims.verdicts(material, words)),
        absolute_effects.plain_language_table(material, found),
        absolute_effects.summary_of_findings(material, words),
        hazards.over_time_table(material),
        certainty.certainty_table(material, found),
        network_certainty.network_certainty_table(material),
        harms.harms_table(material),
        balance.balance_table(material),
        *(table(material) for table in alone),
    )
