"""Summary of findings: what a ratio means in patients of a thousand."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.config.reports import ControlRisk
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.tables.harms import harm_findings
from trial_evidence.report.words.formats import Format, Row
from trial_evidence.report.words.printed import count
from trial_evidence.words.numbers import round_half_up

PER = 1000
LEVELS = ("low", "moderate", "high")


def treated_risk(control_risk: float, ratio: float, measure: str) -> float:
    """Risk in the experimental group.

    Parameters
    ----------
    control_risk : float
        Between 0 and 1, by the same time as the risk that is returned.
    ratio : float
        The effect on the natural scale.

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


def summary_of_findings(
    material: Material, certainty: Mapping[tuple[str, str], str]
) -> ReportTable:
    """Absolute effects of every pooled answer with control risks in the configuration.

    Risks and differences in ``data`` are proportions, not per thousand.
    """
    wanted = {(c.setting, c.analysis): c for c in material.report.control_risks}
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for analysis in material.configuration.analyses:
        place = analysis.setting, analysis.id
        lead = material.lead(analysis)
        if place not in wanted or lead is None:
            continue
        risks, basis = control_risks(material, analysis, wanted[place])
        notes.append(
            f"{material.configuration.settings[analysis.setting]}, {analysis.title}: {basis}."
        )
        known = {"control_risk_basis": basis, "certainty": certainty.get(place, "")}
        rows += [
            lead | known | {"control_risk_level": level} | _absolute(lead, risk)
            for level, risk in risks.items()
        ]
    for harm, risks, basis in harm_findings(material):
        setting = material.configuration.settings[harm["setting"]]
        notes.append(f"{setting}, {harm['title']}: {basis}.")
        rows += [
            {**harm, "control_risk_basis": basis, "certainty": "", "control_risk_level": level}
            | _absolute(harm, risk)
            for level, risk in risks.items()
        ]
    formats: dict[str, Format] = {
        "trials": _trials,
        "per": lambda row, key: _per(row[key]),
        "with_limits": _with_limits,
    }
    return material.table("summary_of_findings", rows, formats, dict.fromkeys(notes))


def control_risks(
    material: Material, analysis: Analysis, rule: ControlRisk
) -> tuple[dict[str, float], str]:
    """The risks an analysis starts from by their level, and where they come from in words.

    None where no control arm reports its events.
    """
    trials = material.pooled_trials(analysis)
    if rule.source == "stated":
        return dict(zip(LEVELS, rule.risks, strict=True)), rule.basis
    if rule.source == "control_median":
        return {"moderate": 0.5}, _median_words(material, analysis, trials)
    risks = (trials["events_control"] / trials["n_control"]).dropna()
    if risks.empty:
        return {}, "no control arm reports its number of events, so there is no control risk"
    quartiles = risks.quantile([0.25, 0.5, 0.75])
    return dict(zip(LEVELS, quartiles, strict=True)), (
        f"lower quartile, median and upper quartile of the control arms of {len(risks)} of "
        f"{len(trials)} trials"
    )


def _median_words(material: Material, analysis: Analysis, trials: pd.DataFrame) -> str:
    sheet = material.sheet[analysis.table]
    rows = {int(row) for cell in trials["rows"] for row in str(cell).split(";")}
    times = sheet.loc[sheet["row"].isin(rows), "median_control_months"].dropna()
    text = "50% by definition, at the time by which half of the control patients had the event"
    if times.empty:
        return f"{text}; no pooled trial reports this time"
    low, high = (round_half_up(value, 1) for value in (times.min(), times.max()))
    span = f"{low} months" if low == high else f"{low} to {high} months"
    return f"{text} ({span} in {len(times)} of {len(trials)} trials)"


def _absolute(lead: Row, risk: float) -> dict[str, float]:
    """Risk with treatment and its difference from the risk without, each with its limits."""
    found = {"control_risk": risk}
    for column, end in (("estimate", ""), ("ci_low", "_low"), ("ci_high", "_high")):
        found[f"risk{end}"] = treated_risk(risk, lead[column], lead["measure"])
        found[f"difference{end}"] = found[f"risk{end}"] - risk
    return found


def _trials(row: Row) -> str:
    patients = count(row["participants"])
    return count(row["k"]) + (f" ({patients})" if patients else "")


def _with_limits(row: Row, key: str, form: str) -> str:
    text = _per if form == "per" else _more_or_fewer
    return f"{text(row[key])} ({text(row[f'{key}_low'])} to {text(row[f'{key}_high'])})"


def _per(risk: float) -> str:
    return round_half_up(PER * risk, 0)


def _more_or_fewer(difference: float) -> str:
    number = _per(abs(difference))
    if number == "0":
        return "0"
    return f"{number} {'more' if difference > 0 else 'fewer'}"
