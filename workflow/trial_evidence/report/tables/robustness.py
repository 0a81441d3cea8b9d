"""Heterogeneity of every pool, and what the results owe to methods, trials and choices."""

import math
from collections.abc import Mapping
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import records
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.reading import estimate_words, model_words, p_words
from trial_evidence.report.material.table import (
    ReportTable,
    capital,
    interval,
    number,
    of_whom,
    percent,
    report_table,
)
from trial_evidence.words.models import is_random_effects
from trial_evidence.words.numbers import round_half_up

_NUMBERS = [
    "k", "q", "q_df", "q_p", "tau2", "tau2_low", "tau2_high", "i2", "i2_from_q", "pi_low",
    "pi_high",
]  # fmt: skip


def heterogeneity_table(material: Material) -> ReportTable:
    """Heterogeneity of every pool of two trials or more, by the random-effects model.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
        Analyses as their first measure, then pooled rates; tau2 on the analysis scale.
    """
    titles = material.titles()
    analyses = material.configuration.analyses
    first: dict[tuple[str, str], str] = {(a.setting, a.id): a.measures[0] for a in analyses}
    first |= {(r.setting, r.id): "proportion" for r in material.configuration.rates}
    table = material.evidence.estimates
    data = [
        {column: row[column] for column in
         ("setting", "analysis", "measure", "experimental", "subgroup", *_NUMBERS)}
        for row in records(table[table["model"].map(is_random_effects) & (table["k"] >= 2)])
        if row["measure"].endswith((first[row["setting"], row["analysis"]],
                                    f"{first[row['setting'], row['analysis']]}s"))
    ]  # fmt: skip
    shown = [
        {
            "Analysis": titles[row["setting"], row["analysis"]],
            "Of whom": _of_whom(row),
            "Trials": f"{row['k']:.0f}",
            "Q (df), p": _q(row),
            "τ² (interval)": f"{number(row['tau2'], 3)} "
            f"({interval(row['tau2_low'], row['tau2_high'], 3)})",
            "I² from τ²": _percent(row["i2"]),
            "I² from Q": _percent(row["i2_from_q"]),
            "Prediction interval": interval(row["pi_low"], row["pi_high"]),
        }
        for row in data
    ]
    return report_table(
        "heterogeneity",
        "Heterogeneity between trials",
        shown,
        data,
        ["Analysis", "Of whom", "Trials", "Q (df), p", "τ² (interval)", "I² from τ²",
         "I² from Q", "Prediction interval"],
        ["setting", "analysis", "measure", "experimental", "subgroup", *_NUMBERS],
        [
            "Random-effects model; τ² on the analysis scale (log ratio; logit for rates), its "
            "interval by the Q profile. With two or three trials none of this is known well.",
        ],
    )  # fmt: skip


def sensitivity_table(material: Material) -> ReportTable:
    """For every pooled analysis: how far the result moves by method, trial and choice.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
        Estimates as the analysis's first measure, natural scale.
    """
    data = [
        row
        for analysis in material.configuration.analyses
        if (lead := material.lead(analysis)) is not None and lead["k"] >= 2
        for row in [_movement(material, analysis, lead)]
    ]
    shown = [
        {
            "Setting": material.configuration.settings[row["setting"]],
            "Analysis": row["title"],
            "Reported": row["reported"],
            "Over all methods": interval(row["method_lowest"], row["method_highest"]),
            "Without one trial": interval(row["without_lowest"], row["without_highest"]),
            "Most influential": row["most_influential"],
            "Specifications": "" if math.isnan(row["specifications"])
            else f"{row['specifications']:,.0f}",
            "Their estimates": interval(row["specification_lowest"], row["specification_highest"]),
            "Interval excludes no effect": percent(row["share_excluding_no_effect"]),
            "Small-study effects": row["small_study"],
        }
        for row in data
    ]  # fmt: skip
    columns = [
        "setting", "analysis", "title", "measure", "reported", "k", "estimate", "method_lowest",
        "method_highest", "without_lowest", "without_highest", "most_influential", "specifications",
        "specification_lowest", "specification_highest", "share_excluding_no_effect", "small_study",
    ]  # fmt: skip
    return report_table(
        "sensitivity",
        "What the results owe to methods, trials and choices",
        shown,
        data,
        ["Setting", "Analysis", "Reported", "Over all methods", "Without one trial",
         "Most influential", "Specifications", "Their estimates", "Interval excludes no effect",
         "Small-study effects"],
        columns,
        [
            "Over all methods, without one trial, their estimates: the lowest and the highest "
            "estimate. Specifications: every combination of the choices examined. Every number "
            "stands in the tables of results/<setting>/sensitivity.",
        ],
    )  # fmt: skip


def timeline_table(material: Material) -> ReportTable:
    """The evidence as it grew: the pooled result after each trial, by year of source.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
    """
    titles = {(a.setting, a.id): a for a in material.configuration.analyses}
    table = material.sensitivity["cumulative"]
    data = [
        {column: row[column] for column in
         ("setting", "analysis", "measure", "added", "trial", "year", "k", "model", "estimate",
          "ci_low", "ci_high", "ci_level")}
        for row in records(table[table["leads"] == "yes"])
        if row["measure"] == titles[row["setting"], row["analysis"]].measures[0]
    ]  # fmt: skip
    shown = [
        {
            "Setting": material.configuration.settings[row["setting"]],
            "Analysis": titles[row["setting"], row["analysis"]].title,
            "Year": "" if math.isnan(row["year"]) else f"{row['year']:.0f}",
            "Trial added": row["trial"],
            "Trials": f"{row['k']:.0f}",
            "Result so far": estimate_words(row),
            "Model": model_words(row),
        }
        for row in data
    ]
    return report_table(
        "timeline",
        "The evidence as it grew",
        shown,
        data,
        ["Setting", "Analysis", "Year", "Trial added", "Trials", "Result so far", "Model"],
        ["setting", "analysis", "measure", "added", "trial", "year", "k", "model", "estimate",
         "ci_low", "ci_high", "ci_level"],
        [
            "Year of the source whose number is used: a later report, or a review that quotes the "
            "trial, moves it down. It is not the order in which the trials were first reported.",
        ],
    )  # fmt: skip


def _movement(material: Material, analysis: Analysis, lead: Mapping[str, Any]) -> dict[str, Any]:
    methods = material.of("methods", analysis)["estimate"].dropna()
    deleted = material.of("leave_one_out", analysis)
    without = deleted.loc[deleted["leads"] == "yes", "estimate"].dropna()
    influence = records(material.of("influence", analysis).dropna(subset=["cook_distance"]))
    summary = records(material.of("multiverse_summary", analysis))
    curve = summary[0] if summary else {}
    small = material.of("small_study", analysis)
    tests = small[small["test"].isin(["egger", "harbord", "peters"])]
    done = tests[tests["p_value"].notna()]
    return {
        "setting": analysis.setting,
        "analysis": analysis.id,
        "title": analysis.title,
        "measure": lead["measure"],
        "reported": estimate_words(lead),
        "k": lead["k"],
        "estimate": lead["estimate"],
        "method_lowest": methods.min(),
        "method_highest": methods.max(),
        "without_lowest": without.min(),
        "without_highest": without.max(),
        "most_influential": ""
        if not influence
        else str(max(influence, key=lambda row: float(row["cook_distance"]))["trial"]),
        "specifications": curve.get("specifications", math.nan),
        "specification_lowest": curve.get("lowest_estimate", math.nan),
        "specification_highest": curve.get("highest_estimate", math.nan),
        "share_excluding_no_effect": curve.get("share_excluding_no_effect", math.nan),
        "small_study": "; ".join(
            f"{capital(row['test'])} {p_words(row['p_value'])}" for row in records(done)
        )
        or f"not tested: {lead['k']:.0f} trials",
    }


def _of_whom(row: Mapping[str, Any]) -> str:
    who = of_whom(row["subgroup"])
    if row["measure"] == "proportion":
        return f"{row['experimental']}, {who}"
    return f"compared inside trials: {who}" if "_of_" in row["measure"] else who


def _q(row: Mapping[str, Any]) -> str:
    return f"{number(row['q'])} ({row['q_df']:.0f}), {p_words(row['q_p'])}"


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{round_half_up(value, 0)}%"
