"""The table on effects over time: are hazards proportional, and how many months are gained."""

import math

from trial_evidence.audit.times import PROPORTIONAL_P
from trial_evidence.files import Record
from trial_evidence.report.absolute.hazards import curve_facts
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.words.formats import effect
from trial_evidence.words.printed import p_value

NOTHING = dict.fromkeys(
    ("curve_hr", "curve_low", "curve_high", "ph_p", "tau", "rmst_experimental", "rmst_control",
     "gained", "gained_se", "gained_low", "gained_high"), math.nan,
)  # fmt: skip


def over_time_table(material: Material) -> ReportTable:
    """One row per trial with digitised curves and analysis of hazard ratios; times in months."""
    rows = [
        NOTHING | row
        for analysis in material.configuration.analyses
        if analysis.kind == "contrasts"
        for row in curve_facts(material, analysis)
    ]
    formats = {
        "printed": lambda row: effect(row, "estimate", "estimate"),
        "curve": lambda row: effect(row, "curve_hr", "curve"),
        "proportional": _proportional,
        "gained": lambda row: effect(row, "gained", "gained", 1),
    }
    return material.table("over_time", rows, formats, limit=PROPORTIONAL_P)


def _proportional(row: Record) -> str:
    if math.isnan(row["ph_p"]):
        return ""
    verdict = "no" if row["ph_p"] < PROPORTIONAL_P else "no evidence against"
    return f"{verdict} ({p_value(row['ph_p'])})"
