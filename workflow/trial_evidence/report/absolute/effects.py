"""Absolute effects: the risk with the second agent, on the scale that varies least."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trial_evidence.config.configuration import DIFFERENCE, Analysis
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import Material, by_rank, of_pool
from trial_evidence.report.words.formats import DIFFERENCES
from trial_evidence.report.words.reading import measure_name
from trial_evidence.words.models import is_random_effects
from trial_evidence.words.numbers import round_half_up
from trial_evidence.words.printed import listing, number_as, p_value, percent, with_interval

RISK_RATIO = "risk_ratio"


@dataclass(frozen=True)
class ConstantScale:
    """The measure that absolute effects are calculated with, and the reason in words."""

    measure: str
    words: str


@dataclass(frozen=True)
class _Spread:
    """Heterogeneity of the trials of an analysis in one measure, by the random-effects model."""

    measure: str
    i2: float
    q_p: float

    @property
    def words(self) -> str:
        """``risk difference (I² 0%, p = 0.83)``."""
        i2 = number_as(self.i2, lambda value: f"I² {round_half_up(value, 0)}%")
        facts = ", ".join(filter(None, (i2, p_value(self.q_p))))
        return measure_name(self.measure) + (f" ({facts})" if facts else "")


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
    """Risk with treatment and its difference from the control risk, each with its limits.

    A risk lies between 0 and 1; a risk difference is given as estimated, even where the control
    risk leaves no room for it.
    """
    found = {"control_risk": risk}
    for column, end in (("estimate", ""), ("ci_low", "_low"), ("ci_high", "_high")):
        found[f"risk{end}"] = treated_risk(risk, estimate[column], estimate["measure"])
        is_difference = estimate["measure"] == DIFFERENCE
        apart = estimate[column] if is_difference else found[f"risk{end}"] - risk
        found[f"difference{end}"] = apart
    return found


def effects_to_apply(
    material: Material, analysis: Analysis
) -> tuple[Sequence[dict[str, Any]], str]:
    """The leading and co-primary estimates to apply to control risks, and why in this measure.

    For counts, the measure is the one that varies least between trials
    (:func:`constant_scale`); for any other analysis, its first.
    """
    scale = constant_scale(material, analysis)
    estimates = of_pool(material.evidence.estimates, analysis)
    return by_rank(where(estimates, measure=scale.measure, subgroup="all")), scale.words


def constant_scale(material: Material, analysis: Analysis) -> ConstantScale:
    """The most constant of the measures that the configuration names; for counts only.

    Any other analysis has its first measure, without a reason. Otherwise the smallest I2 decides
    (from tau2, random-effects model); if tied, the largest p value of Q; if that is tied or missing
    (one trial), the first that the configuration names.
    """
    order = [m for m in material.report.absolute_scales if m in analysis.measures]
    if analysis.kind != "counts" or not order:
        return ConstantScale(analysis.measures[0], "")
    spreads = [_spread(material, analysis, measure) for measure in order]
    best = min(spreads, key=lambda s: (_or(s.i2, math.inf), -_or(s.q_p, -math.inf)))
    if math.isnan(best.i2) or len(order) == 1:
        return ConstantScale(best.measure, f"absolute effects come from the {best.words}")
    others = [
        _spread(material, analysis, measure)
        for measure in analysis.measures
        if measure != best.measure
    ]
    among = listing([measure_name(measure) for measure in order])
    least = "less" if len(order) == 2 else "least"
    words = (
        f"absolute effects come from the {best.words}: of {among} it varies {least} between the "
        f"trials (for comparison: {listing([spread.words for spread in others])})"
    )
    return ConstantScale(best.measure, words)


def ratio_varies_between_trials(material: Material, analysis: Analysis) -> str:
    """A sentence if trials differ more in the risk ratio than on another scale, or ``""``.

    The other scale is the most constant one. The result of the regression on the control risk
    follows, if there is one.
    """
    scale = constant_scale(material, analysis)
    if analysis.measures[0] != RISK_RATIO:
        return ""
    own, constant = (
        _spread(material, analysis, measure) for measure in (RISK_RATIO, scale.measure)
    )
    if not own.i2 > constant.i2:
        return ""
    return (
        f"The trials differ more in the risk ratio (I² {round_half_up(own.i2, 0)}%) than in the "
        f"{measure_name(scale.measure)} ({round_half_up(constant.i2, 0)}%): the risk ratio is an "
        "average over these trials, not a constant to apply to other control risks."
        + _by_regression(material, analysis)
    )


def _by_regression(material: Material, analysis: Analysis) -> str:
    table = of_pool(material.sensitivity["control_risk"], analysis)
    rows, tests = records(table.dropna(subset=["control_risk"])), [*table["p_value"].dropna()]
    if not rows or not tests:
        return ""
    risks = listing([percent(row["control_risk"]) for row in rows])
    gains = listing([_points(row) for row in rows])
    return (
        f" In a regression on the true control risk (odds ratio; slope: {p_value(tests[0])}) the "
        f"risk difference is {gains} percentage points at control risks of {risks}."
    )


def _points(row: Record) -> str:
    return with_interval(*(100 * row[column] for column in DIFFERENCES), digits=0)


def _spread(material: Material, analysis: Analysis, measure: str) -> _Spread:
    rows = where(of_pool(material.evidence.estimates, analysis), measure=measure, subgroup="all")
    random = records(rows[rows["model"].map(is_random_effects)])
    row = random[0] if random else {"i2": math.nan, "q_p": math.nan}
    return _Spread(measure, row["i2"], row["q_p"])


def _or(value: float, other: float) -> float:
    return other if math.isnan(value) else value
