"""Summary of findings: what a ratio means in patients of a thousand."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import ControlRisk
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.reading import estimate_words
from trial_evidence.report.material.table import ReportTable, count, report_table
from trial_evidence.report.tables.certainty import Certainty, certainty_words
from trial_evidence.words.numbers import round_half_up

PER = 1000
LEVELS = ("low", "moderate", "high")
COLUMNS = [
    "setting", "analysis", "outcome", "measure", "model", "k", "participants", "estimate", "ci_low",
    "ci_high", "control_risk", "control_risk_level", "control_risk_basis", "risk", "risk_low",
    "risk_high", "difference", "difference_low", "difference_high", "certainty",
]  # fmt: skip
HEADINGS = [
    "Setting", "Comparison and outcome", "Trials (patients)", "Relative effect", "Risk taken",
    "Without, per 1,000", "With, per 1,000", "Difference per 1,000", "Certainty",
]  # fmt: skip


@dataclass(frozen=True)
class Baseline:
    """A risk in the control group from which an absolute effect starts.

    Attributes
    ----------
    level : str
        ``low``, ``moderate`` or ``high``.
    risk : float
        Between 0 and 1.
    """

    level: str
    risk: float


def treated_risk(control_risk: float, ratio: float, measure: str) -> float:
    """Risk in the experimental group.

    Parameters
    ----------
    control_risk : float
        Between 0 and 1, by the same time as the risk that is returned.
    ratio : float
        The effect on the natural scale.
    measure : {"risk_ratio", "hazard_ratio", "odds_ratio"}

    Returns
    -------
    float
        Risk ratio: p RR, at most 1. Hazard ratio: 1 - (1 - p)^HR, which supposes proportional
        hazards. Odds ratio: p OR / (1 - p + p OR).
    """
    if measure == "risk_ratio":
        return min(1.0, control_risk * ratio)
    if measure == "hazard_ratio":
        return 1 - math.pow(1 - control_risk, ratio)
    if measure == "odds_ratio":
        return control_risk * ratio / (1 - control_risk + control_risk * ratio)
    raise ValueError(f"{measure} is not a ratio with an absolute effect")


def summary_of_findings(material: Material, found: Sequence[Certainty]) -> ReportTable:
    """Absolute effects of every pooled answer with control risks in the configuration.

    Parameters
    ----------
    material : Material
    found : sequence of Certainty

    Returns
    -------
    ReportTable
        Risks and differences in ``data`` are proportions, not per thousand.
    """
    certainty = certainty_words(found)
    wanted = {(c.setting, c.analysis): c for c in material.report.control_risks}
    data: list[dict[str, Any]] = []
    notes: list[str] = []
    for analysis in material.configuration.analyses:
        rule = wanted.get((analysis.setting, analysis.id))
        lead = material.lead(analysis)
        if rule is None or lead is None:
            continue
        levels, basis = control_risks(material.pooled_trials(analysis), analysis, rule, material)
        notes.append(
            f"{material.configuration.settings[analysis.setting]}, {analysis.title}: {basis}."
        )
        data += [
            _row(lead, base, basis, certainty.get((analysis.setting, analysis.id), ""))
            for base in levels
        ]
    shown = [_shown(material, row) for row in data]
    return report_table(
        "summary_of_findings",
        "Summary of findings: absolute effects",
        shown,
        data,
        HEADINGS,
        COLUMNS,
        [
            "Risk ratios: risk with = risk without × RR, at most 1,000. Hazard ratios: risk with = "
            "1 − (1 − risk without)^HR, which supposes proportional hazards. Intervals carry the "
            "uncertainty of the relative effect, not that of the risk without.",
            "For response more is better; for events fewer.",
            *dict.fromkeys(notes),
        ],
    )


def control_risks(
    trials: pd.DataFrame, analysis: Analysis, rule: ControlRisk, material: Material
) -> tuple[tuple[Baseline, ...], str]:
    """The risks an analysis starts from, and where they come from in words.

    Parameters
    ----------
    trials : DataFrame
        The trials pooled.
    analysis : Analysis
    rule : ControlRisk
    material : Material

    Returns
    -------
    tuple of Baseline
        Empty where no control arm reports its events.
    str
    """
    if rule.source == "stated":
        levels = zip(LEVELS, rule.risks, strict=True)
        return tuple(Baseline(level, risk) for level, risk in levels), rule.basis
    if rule.source == "control_median":
        return (Baseline("moderate", 0.5),), _median_words(trials, analysis, material)
    known = trials[trials["events_control"].notna() & trials["n_control"].notna()]
    if known.empty:
        return (), "no control arm reports its events, so that there is no risk to start from"
    risks = (known["events_control"] / known["n_control"]).to_numpy(float)
    quartiles = np.quantile(risks, [0.25, 0.5, 0.75])
    return (
        tuple(Baseline(level, float(risk)) for level, risk in zip(LEVELS, quartiles, strict=True)),
        f"lower quartile, median and upper quartile of the control arms of {len(known)} of "
        f"{len(trials)} trials",
    )


def _median_words(trials: pd.DataFrame, analysis: Analysis, material: Material) -> str:
    sheet = material.sheet["hazard_ratios"]
    rows = {int(row) for cell in trials["rows"] for row in str(cell).split(";")}
    times = sheet.loc[sheet["row"].isin(rows), "median_control_months"].dropna()
    text = "one half by definition: the time by which half of the control patients had the event"
    if times.empty:
        return f"{text}; no trial pooled reports it"
    low, high = (round_half_up(value, 1) for value in (times.min(), times.max()))
    span = f"{low} months" if low == high else f"{low} to {high} months"
    return f"{text} ({span} in {len(times)} of {len(trials)} trials)"


def _row(lead: Mapping[str, Any], base: Baseline, basis: str, certainty: str) -> dict[str, Any]:
    risk, low, high = (
        treated_risk(base.risk, lead[column], lead["measure"])
        for column in ("estimate", "ci_low", "ci_high")
    )
    return {column: lead.get(column) for column in COLUMNS} | {
        "control_risk": base.risk,
        "control_risk_level": base.level,
        "control_risk_basis": basis,
        "risk": risk,
        "risk_low": low,
        "risk_high": high,
        "difference": risk - base.risk,
        "difference_low": low - base.risk,
        "difference_high": high - base.risk,
        "certainty": certainty,
    }


def _shown(material: Material, row: Mapping[str, Any]) -> dict[str, str]:
    title = next(
        a.title
        for a in material.configuration.of_setting(row["setting"])
        if a.id == row["analysis"]
    )
    patients = "" if math.isnan(row["participants"]) else f" ({count(row['participants'])})"
    return {
        "Setting": material.configuration.settings[row["setting"]],
        "Comparison and outcome": title,
        "Trials (patients)": f"{row['k']:.0f}{patients}",
        "Relative effect": estimate_words(
            {**row, "ci_level": material.configuration.confidence_level}
        ),
        "Risk taken": row["control_risk_level"],
        "Without, per 1,000": _per(row["control_risk"]),
        "With, per 1,000": (
            f"{_per(row['risk'])} ({_per(row['risk_low'])} to {_per(row['risk_high'])})"
        ),
        "Difference per 1,000": (
            f"{_more_or_fewer(row['difference'])} ({_more_or_fewer(row['difference_low'])} to "
            f"{_more_or_fewer(row['difference_high'])})"
        ),
        "Certainty": row["certainty"],
    }


def _per(risk: float) -> str:
    return round_half_up(PER * risk, 0)


def _more_or_fewer(difference: float) -> str:
    number = _per(abs(difference))
    if number == "0":
        return "0"
    return f"{number} {'more' if difference > 0 else 'fewer'}"
