"""Results from digitised curves: are hazards proportional, and how many months are gained."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from trial_evidence.audit.times import PROPORTIONAL_P
from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record, records, where
from trial_evidence.measures.scales import normal_quantile
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.words.formats import effect
from trial_evidence.sheet import Sheet
from trial_evidence.words.printed import listing, p_value

# The tables of restricted mean survival times, and of hazard ratios, from digitised curves.
MEANS, RATIOS = "curves_rmst", "curves_cox"
NOTHING = dict.fromkeys(
    ("curve_hr", "curve_low", "curve_high", "ph_p", "tau", "rmst_experimental", "rmst_control",
     "gained", "gained_se", "gained_low", "gained_high"), math.nan,
)  # fmt: skip


def over_time_table(material: Material) -> ReportTable:
    """One row per trial with digitised curves and analysis of hazard ratios; times in months."""
    rows = [
        row
        for analysis in material.configuration.analyses
        if analysis.kind == "contrasts"
        for row in curve_facts(material, analysis)
    ]
    return material.table("over_time", rows, CURVE_WORDS, limit=PROPORTIONAL_P)


def _proportional(row: Record) -> str:
    if math.isnan(row["ph_p"]):
        return ""
    verdict = "no" if row["ph_p"] < PROPORTIONAL_P else "no evidence against"
    return f"{verdict} ({p_value(row['ph_p'])})"


def time_gained(experimental: Record, control: Record, level: float) -> dict[str, float]:
    """Restricted mean survival time of the experimental arm minus that of the control arm.

    Parameters
    ----------
    experimental, control : mapping
        ``rmst`` and ``se`` in months, for two arms of one trial, up to the same ``tau``.
    level : float
        Confidence level of the interval, in percent.

    Returns
    -------
    dict
        ``gained`` in months, its standard error ``gained_se``, and its limits ``gained_low`` and
        ``gained_high``.

    Raises
    ------
    ValueError
        If the two ``tau`` differ: the areas cannot be compared then.
    """
    if experimental["tau"] != control["tau"]:
        raise ValueError(f"restricted to {experimental['tau']:g} and to {control['tau']:g} months")
    difference = experimental["rmst"] - control["rmst"]
    se = math.hypot(experimental["se"], control["se"])
    half = normal_quantile(level) * se
    limits = {"gained_low": difference - half, "gained_high": difference + half}
    return {"gained": difference, "gained_se": se} | limits


# Column of the table -> the words for what digitised curves show.
CURVE_WORDS: Mapping[str, Callable[[Record], str]] = {
    "curve": lambda row: effect(row, "curve_hr", "curve"),
    "proportional": _proportional,
    "gained": lambda row: effect(row, "gained", "gained", 1),
}


def shown_by_curves(trials: pd.DataFrame, sheet: Sheet, level: float) -> list[dict[str, Any]]:
    """One row per trial with digitised curves: its hazard ratio, test of hazards and time gained.

    What the curves do not show is NaN.

    Parameters
    ----------
    trials : DataFrame
        Contrasts of all patients of an analysis, with ``trial_id``, ``outcome`` and both arms.
    level : float
        Confidence level of the interval of the time gained, in percent.
    """
    return [
        NOTHING | trial | facts
        for trial in records(trials)
        if (facts := _cox(sheet, trial) | _gained(sheet, trial, level))
    ]


def curve_facts(material: Material, analysis: Analysis) -> list[dict[str, Any]]:
    """`shown_by_curves` of an analysis, of trials that are shown but not pooled as well."""
    rows = material.about(material.evidence.trials, analysis, subgroup="all")
    return shown_by_curves(rows, material.sheet, material.configuration.confidence_level)


def not_proportional(material: Material, analysis: Analysis) -> str:
    """A sentence if curves suggest non-proportional hazards in pooled trials, or ``""``."""
    found = [
        row
        for row in curve_facts(material, analysis)
        if row["pooled"] == "yes" and row["ph_p"] < PROPORTIONAL_P
    ]
    if not found:
        return ""
    names = listing([f"{row['trial']} ({p_value(row['ph_p'])})" for row in found])
    whose = "Their" if len(found) > 1 else "Its"
    return (
        f"The digitised curves of {names} suggest non-proportional hazards. {whose} hazard "
        f"{'ratios are averages' if len(found) > 1 else 'ratio is an average'} over the follow-up"
        + ("." if analysis.pool == "none" else ", and so is the pooled one.")
    )


def _cox(sheet: Sheet, trial: Record) -> dict[str, Any]:
    """Hazard ratio from the curves, and the test of proportional hazards."""
    arms = {trial["experimental_arm_id"], trial["control_arm_id"]}
    for curve in sheet.of_trial(RATIOS, trial["trial_id"]):
        compared = {curve["experimental_arm_id"], curve["control_arm_id"]}
        if curve["endpoint"] != trial["outcome"] or compared != arms:
            continue
        turned = curve["experimental_arm_id"] != trial["experimental_arm_id"]
        own = (curve["hr"], curve["ci_low"], curve["ci_high"])
        hr, low, high = (1 / own[0], 1 / own[2], 1 / own[1]) if turned else own
        return {
            "curve_hr": hr, "curve_low": low, "curve_high": high, "ph_p": curve["ph_p"],
            "figure": curve["figure"],
        }  # fmt: skip
    return {}


def _gained(sheet: Sheet, trial: Record, level: float) -> dict[str, Any]:
    """Time gained in the experimental arm, if both curves were digitised."""
    times = sheet[MEANS]
    experimental, control = (
        records(where(times, arm_id=trial[column], endpoint=trial["outcome"]))
        for column in ("experimental_arm_id", "control_arm_id")
    )
    both = [(a, b) for a in experimental for b in control if a["tau"] == b["tau"]]
    if not both:
        return {}
    one, other = max(both, key=lambda pair: pair[0]["tau"])
    return {
        "tau": one["tau"], "rmst_experimental": one["rmst"], "rmst_control": other["rmst"],
        **time_gained(one, other, level),
        "figure": one["figure"],
    }  # fmt: skip
