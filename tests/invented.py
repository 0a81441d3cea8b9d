"""Invented trials of invented agents, in the form that extraction receives them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from trial_evidence.config.configuration import (
    Analysis,
    Configuration,
    ContrastRule,
    EffectModifier,
    Outcome,
    RateAnalysis,
    read_configuration,
)
from trial_evidence.config.methods import FigureFiles
from trial_evidence.extract.evidence import SettingEvidence, extract_setting
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.tables import PRINTED

ROOT = Path(__file__).resolve().parents[1]
# Tests use the project's own orders of preference and methods.
PROJECT = read_configuration(ROOT / "config")
SELECTION, POOLING, SENSITIVITY = PROJECT.selection, PROJECT.pooling, PROJECT.sensitivity
SETTING = "early"
RECEPTOR = EffectModifier("receptor", "Receptor", ("negative", "positive"))
NAN = float("nan")
KINDS = {"pcr": "counts", "hazard_ratios": "contrasts"}

AGENTS = [
    {"agent": "almab", "label": "Almab", "parent_antibody": ""},
    {"agent": "bemab", "label": "Bemab", "parent_antibody": ""},
    {"agent": "cetinib", "label": "Cetinib", "parent_antibody": ""},
    {"agent": "almab-x", "label": "Almab exotoxin (A-X)", "parent_antibody": "almab"},
]
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "agents": {},
    "trials": {"setting": SETTING, "randomised": "yes", "first_report_year": NAN},
    "arms": {
        "trial_id": "", "arm_id": "", "agents": "", "her2_schedule": "concurrent",
        "partner": "chemotherapy", "n_randomised": 100.0,
    },
    "pcr": {
        "trial_id": "", "arm_id": "", "definition": "ypT0/is ypN0", "population": "ITT",
        "assessor": "local", "subgroup": "all", "events": 40.0, "n": 100.0,
        "source_id": "first_report", "locator": "Table 2", "verification": "primary",
        "derivation": "reported", "status": "current", "public_note": "",
    },
    "hazard_ratios": {
        "trial_id": "", "experimental_arm_id": "", "control_arm_id": "",
        "endpoint": "PFS", "analysis": "final", "median_followup_months": 60.0,
        "assessor": "investigator", "subgroup": "all", "hr": 0.8, "ci_low": 0.6, "ci_high": 1.0667,
        "ci_level": 95.0, "p_value": NAN, "p_value_operator": "", "p_sided": "",
        "events_experimental": NAN, "n_experimental": NAN, "events_control": NAN, "n_control": NAN,
        "source_id": "first_report", "locator": "Figure 1", "verification": "primary",
        "derivation": "reported", "status": "current", "public_note": "",
    },
    "exclusions": {
        "trial_id": "", "arm_id": "", "analysis": "*", "subgroup": "*", "reason": "too odd",
    },
    "populations": {"trial_id": "", "subgroup": "", "basis": ""},
    "sources": {"source_id": "first_report", "year": 2020.0},
    "second_reading": dict.fromkeys(
        ["table", "trial_id", "row_key", "field", "first_value", "second_value", "verdict",
         "second_verification", "second_source", "locator"], ""),
    "adjudication": dict.fromkeys(
        ["table", "trial_id", "row_key", "field", "adjudicated_value", "chosen", "reason",
         "initials", "date"], ""),
}  # fmt: skip

Rows = Sequence[Mapping[str, Any]]


def frame(table: str, rows: Rows) -> pd.DataFrame:
    """A table of the sheet; missing cells are filled with defaults and row 1 is the header."""
    filled = [DEFAULTS[table] | {"row": at} | dict(row) for at, row in enumerate(rows, start=2)]
    found = pd.DataFrame(filled, columns=None if rows else ["row", *DEFAULTS[table]])
    if table in KINDS:
        found["outcome"] = found.get("endpoint", table)
    for column in PRINTED.get(KINDS.get(table, ""), ()):
        if column in found and f"{column}_printed" not in found:
            numbers = found[column]
            found[f"{column}_printed"] = numbers.map("{:g}".format).where(numbers.notna(), "")
    return found


def sheet(
    arms: Mapping[str, Rows],
    *,
    trials: Mapping[str, Mapping[str, Any]] | None = None,
    **tables: Rows,
) -> Sheet:
    """A sheet of the trials in `arms` (trial id -> arms), with further columns in `trials`."""
    about = trials or {}
    content = {
        "agents": AGENTS,
        "trials": [{"trial_id": t, "name": t.upper()} | dict(about.get(t, {})) for t in arms],
        "arms": [{"trial_id": t} | dict(arm) for t, rows in arms.items() for arm in rows],
        "pcr": [], "hazard_ratios": [], "exclusions": [], "populations": [],
        "sources": [{}], "second_reading": [], "adjudication": [],
    } | tables  # fmt: skip
    return Sheet({name: frame(name, rows) for name, rows in content.items()}, KINDS)


def analysis(**changes: Any) -> Analysis:
    """Hazard ratios of dual against single blockade, unless `changes` say otherwise."""
    fields = {
        "id": "comparison", "setting": SETTING, "title": "A comparison", "endpoints": ("PFS",),
        "measures": ("hazard_ratio",), "contrast": ContrastRule("dual v single"),
        "pool": "overall", "subgroups": "added_agents", "effect_modifiers": (),
        "arm_labels": ("Dual", "Single"),
    } | changes  # fmt: skip
    fields["outcomes"] = outcomes(*fields.pop("endpoints"))
    return Analysis(**fields)


def outcomes(*names: str) -> tuple[Outcome, ...]:
    """Outcomes of the project, by name."""
    return tuple(PROJECT.outcomes[name] for name in names)


PCR = {"endpoints": ("pcr",), "measures": ("risk_ratio",)}
RATES = RateAnalysis("rates", SETTING, "Rates", outcomes("pcr"), (RECEPTOR,))


def configuration(*analyses: Analysis, rates: Sequence[RateAnalysis] = ()) -> Configuration:
    """A configuration of one setting with the project's orders of preference."""
    return Configuration(
        confidence_level=95.0,
        tau_priors=PROJECT.tau_priors,
        effect_modifier_min_trials=2,
        pooling=POOLING,
        sensitivity=SENSITIVITY,
        selection=SELECTION,
        figures=FigureFiles(180.0, ("svg",)),
        settings={SETTING: "Early disease"},
        outcomes=PROJECT.outcomes,
        analyses=analyses,
        rates=tuple(rates),
    )


def extract(
    content: Sheet, *analyses: Analysis, rates: Sequence[RateAnalysis] = ()
) -> SettingEvidence:
    """The evidence of the only setting."""
    return extract_setting(content, configuration(*analyses, rates=rates), SETTING)


DUAL_AND_SINGLE = [
    {"arm_id": "dual", "agents": "almab+bemab"},
    {"arm_id": "single", "agents": "almab"},
]
