"""Results from digitised curves: tests of proportional hazards, and survival time gained."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.special import ndtri

from trial_evidence.audit.times import PROPORTIONAL_P
from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import Material
from trial_evidence.words.printed import listing, p_value


@dataclass(frozen=True)
class TimeGained:
    """Difference of two restricted mean survival times, in months, with its interval."""

    difference: float
    se: float
    low: float
    high: float


def time_gained(experimental: Record, control: Record, level: float) -> TimeGained:
    """Restricted mean survival time of the experimental arm minus that of the control arm.

    Parameters
    ----------
    experimental, control : mapping
        ``rmst`` and ``se`` in months, for two arms of one trial, up to the same ``tau``.
    level : float
        Confidence level of the interval, in percent.

    Raises
    ------
    ValueError
        If the two ``tau`` differ: the areas cannot be compared then.
    """
    if experimental["tau"] != control["tau"]:
        raise ValueError(f"restricted to {experimental['tau']:g} and to {control['tau']:g} months")
    difference = experimental["rmst"] - control["rmst"]
    se = math.hypot(experimental["se"], control["se"])
    half = float(ndtri(0.5 + level / 200)) * se
    return TimeGained(difference, se, difference - half, difference + half)


def curve_facts(material: Material, analysis: Analysis) -> list[dict[str, Any]]:
    """One row per trial with digitised curves: its hazard ratio, test of hazards and time gained.

    Includes trials that are shown but not pooled.
    """
    rows = material.about(material.evidence.trials, analysis, subgroup="all")
    return [
        trial | facts
        for trial in records(rows)
        if (facts := _cox(material, trial) | _gained(material, trial))
    ]


def not_proportional(material: Material, analysis: Analysis) -> str:
    """A sentence if curves suggest non-proportional hazards in pooled trials, or ``""``."""
    found = [
        row
        for row in curve_facts(material, analysis)
        if row["pooled"] == "yes" and row.get("ph_p", math.nan) < PROPORTIONAL_P
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


def _cox(material: Material, trial: Record) -> dict[str, Any]:
    """Hazard ratio from the curves, and the test of proportional hazards."""
    for curve in _pairs(material, trial):
        turned = curve["experimental_arm_id"] != trial["experimental_arm_id"]
        own = (curve["hr"], curve["ci_low"], curve["ci_high"])
        hr, low, high = (1 / own[0], 1 / own[2], 1 / own[1]) if turned else own
        return {
            "curve_hr": hr, "curve_low": low, "curve_high": high, "ph_p": curve["ph_p"],
            "figure": curve["figure"],
        }  # fmt: skip
    return {}


def _pairs(material: Material, trial: Record) -> Iterator[Record]:
    arms = {trial["experimental_arm_id"], trial["control_arm_id"]}
    curves = material.sheet["curves_cox"]
    for curve in records(where(curves, trial_id=trial["trial_id"], endpoint=trial["outcome"])):
        if {curve["experimental_arm_id"], curve["control_arm_id"]} == arms:
            yield curve


def _gained(material: Material, trial: Record) -> dict[str, Any]:
    """Time gained in the experimental arm, if both curves were digitised."""
    times = material.sheet["curves_rmst"]
    experimental, control = (
        records(where(times, arm_id=trial[column], endpoint=trial["outcome"]))
        for column in ("experimental_arm_id", "control_arm_id")
    )
    both: Sequence[tuple[Record, Record]] = [
        (one, other) for one in experimental for other in control if one["tau"] == other["tau"]
    ]
    if not both:
        return {}
    one, other = max(both, key=lambda pair: pair[0]["tau"])
    gained = time_gained(one, other, material.configuration.confidence_level)
    return {
        "tau": one["tau"], "rmst_experimental": one["rmst"], "rmst_control": other["rmst"],
        "gained": gained.difference, "gained_se": gained.se, "gained_low": gained.low,
        "gained_high": gained.high, "figure": one["figure"],
    }  # fmt: skip
