"""Absolute effects: from the control risk to the risk with the second agent."""

import math
from collections.abc import Sequence
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record, where
from trial_evidence.report.absolute.scale import constant_scale
from trial_evidence.report.material.material import Material, by_rank, of_pool


def treated_risk(control_risk: float, effect: float, measure: str) -> float:
    """Risk in the experimental group.

    Parameters
    ----------
    control_risk : float
        Between 0 and 1, at the same time as the returned risk.
    effect : float
        On the natural scale.

    Returns
    -------
    float
        Risk ratio: p RR, at most 1. Hazard ratio: 1 - (1 - p)^HR, which assumes proportional
        hazards. Odds ratio: p OR / (1 - p + p OR). Risk difference: p + RD, from 0 to 1. Limits
        may be infinite; NaN gives NaN.
    """
    if math.isnan(control_risk) or math.isnan(effect):
        return math.nan
    if measure == "risk_ratio":
        return min(1.0, control_risk * effect) if control_risk > 0 else 0.0
    if measure == "hazard_ratio":
        return 1 - math.pow(1 - control_risk, effect)
    if measure == "odds_ratio" and (math.isinf(effect) or control_risk == 1):
        return float(control_risk > 0)
    if measure == "odds_ratio":
        return control_risk * effect / (1 - control_risk + control_risk * effect)
    if measure == "risk_difference":
        return min(1.0, max(0.0, control_risk + effect))
    raise ValueError(f"{measure} gives no absolute effect")


def absolute_effect(estimate: Record, risk: float) -> dict[str, float]:
    """Risk with treatment and its difference from the control risk, each with its limits."""
    found = {"control_risk": risk}
    for column, end in (("estimate", ""), ("ci_low", "_low"), ("ci_high", "_high")):
        found[f"risk{end}"] = treated_risk(risk, estimate[column], estimate["measure"])
        found[f"difference{end}"] = found[f"risk{end}"] - risk
    return found


def effects_to_apply(
    material: Material, analysis: Analysis
) -> tuple[Sequence[dict[str, Any]], str]:
    """The leading and co-primary estimates to apply to control risks, and why in this measure.

    For counts, the measure is the one that varies least between trials
    (:func:`.scale.constant_scale`); for any other analysis, its first.
    """
    scale = constant_scale(material, analysis)
    estimates = of_pool(material.evidence.estimates, analysis)
    return by_rank(where(estimates, measure=scale.measure, subgroup="all")), scale.words
