"""Heterogeneity of every pool, and how far results depend on methods, trials and choices."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.words import reading
from trial_evidence.report.words.formats import Format
from trial_evidence.words import printed
from trial_evidence.words.models import is_random_effects


def heterogeneity_table(material: Material) -> ReportTable:
    """Heterogeneity of every pool of two or more trials, by the random-effects model.

    Analyses in their first measure, then pooled rates; tau2 on the analysis scale.
    """
    table = material.evidence.estimates
    rows = [
        row
        for row in records(table[table["model"].map(is_random_effects) & (table["k"] >= 2)])
        for measure in [material.first_measures[row["setting"], row["analysis"]]]
        if row["measure"].endswith((measure, f"{measure}s"))
    ]
    formats: dict[str, Format] = {
        "of_whom": partial(patients_or_trials, material),
        "test": _q,
        "prediction": _prediction,
    }
    return material.table("heterogeneity", rows, formats)


def sensitivity_table(material: Material) -> ReportTable:
    """For every pooled analysis: how far the result varies by method, trial and choice.

    Estimates in the analysis's first measure, natural scale.
    """
    rows = [
        _movement(material, analysis, leads)
        for analysis in material.configuration.analyses
        if (leads := material.leads(analysis)) and leads[0]["k"] >= 2
    ]
    return material.table("sensitivity", rows, {"range": _range})


def change_table(material: Material) -> ReportTable:
    """For every pooled analysis: what would change the answer, in sentences."""
    rows = material.as_first_measure(material.sensitivity["what_would_change"])
    sought = material.configuration.sensitivity.required_information
    return material.table(
        "what_would_change", records(rows), alpha=sought.alpha, power=sought.power
    )


def timeline_table(material: Material) -> ReportTable:
    """Cumulative meta-analysis: the pooled result after each trial, by year of source."""
    rows = where(material.as_first_measure(material.sensitivity["cumulative"]), leads="yes")
    return material.table("timeline", records(rows))


def _movement(material: Material, analysis: Analysis, leads: Sequence[Record]) -> dict[str, Any]:
    lead = leads[0]
    methods = material.of("methods", analysis)["estimate"]
    without = where(material.of("leave_one_out", analysis), leads="yes")["estimate"]
    influence = material.of("influence", analysis).sort_values("cook_distance", kind="stable")
    curve = next(iter(records(material.of("multiverse_summary", analysis))), {})
    tests = "; ".join(
        f"{printed.capital(row['test'])} {printed.p_value(row['p_value'])}"
        for row in material.small_study_tests(analysis)
    )
    tests += reading.by_control_risk(lead["measure"]) if tests else ""
    return {
        **{key: lead[key] for key in ("setting", "analysis", "measure", "k", "estimate")},
        "reported": "; ".join(
            f"{reading.estimate_words(row)}, {reading.model_words(row)}" for row in leads
        ),
        "method_lowest": methods.min(),
        "method_highest": methods.max(),
        "without_lowest": without.min(),
        "without_highest": without.max(),
        "most_influential": "".join(influence.dropna(subset=["cook_distance"])["trial"].tail(1)),
        "specifications": curve.get("specifications", math.nan),
        "specification_lowest": curve.get("lowest_estimate", math.nan),
        "specification_highest": curve.get("highest_estimate", math.nan),
        "share_excluding_no_effect": curve.get("share_excluding_no_effect", math.nan),
        "small_study": tests or f"not tested: {lead['k']:.0f} trials",
    }


def _range(row: Record, of: str) -> str:
    """The lowest and highest estimate."""
    return printed.interval(row[f"{of}_lowest"], row[f"{of}_highest"])


def patients_or_trials(material: Material, row: Record) -> str:
    """Which patients or trials a row of ``estimates`` pools; for a rate, with the regimen."""
    who = printed.of_whom(material.agents_named(row["subgroup"]))
    if row["measure"] == "proportion":
        return f"{row['experimental']}, {who}"
    return f"compared within trials: {who}" if "_of_" in row["measure"] else who


def _prediction(row: Record) -> str:
    """The prediction interval; for a rate in percent, as everywhere else."""
    if row["measure"] != "proportion":
        return reading.limits(row, "pi")
    share = reading.in_percent(row, "pi")
    return share and f"{share}%"


def _q(row: Record) -> str:
    return f"{printed.number(row['q'])} ({row['q_df']:.0f}), {printed.p_value(row['q_p'])}"
