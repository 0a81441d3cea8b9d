"""Heterogeneity of every pool, and what the results owe to methods, trials and choices."""

import math
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import records
from trial_evidence.report.material import printed, reading
from trial_evidence.report.material.material import Material, where
from trial_evidence.report.material.table import ANALYSIS, SETTING, Column, ReportTable, Row
from trial_evidence.words.models import is_random_effects

TRIALS = Column("Trials", "k", printed.count)
HETEROGENEITY = (
    ANALYSIS,
    Column("Population", text=lambda row: _of_whom(row)),
    TRIALS,
    Column("Q (df), p", text=lambda row: _q(row)),
    Column(
        "τ² (interval)",
        text=lambda row: f"{printed.number(row['tau2'], 3)} ({reading.limits(row, 'tau2', 3)})",
    ),
    Column("I² from τ²", "i2", lambda i2: printed.percent(i2 / 100)),
    Column("I² from Q", "i2_from_q", lambda i2: printed.percent(i2 / 100)),
    Column("Prediction interval", text=lambda row: reading.limits(row, "pi")),
)
SENSITIVITY = (
    SETTING,
    ANALYSIS,
    Column("Reported", "reported"),
    Column("Range over methods", text=lambda row: _range(row, "method")),
    Column("Range leaving out one trial", text=lambda row: _range(row, "without")),
    Column("Most influential", "most_influential"),
    Column("Specifications", "specifications", printed.count),
    Column("Range over specifications", text=lambda row: _range(row, "specification")),
    Column("Intervals excluding no effect", "share_excluding_no_effect", printed.percent),
    Column("Small-study effects", "small_study"),
)
TIMELINE = (
    SETTING,
    ANALYSIS,
    Column("Year", "year", printed.whole),
    Column("Trial added", "trial"),
    TRIALS,
    Column("Result so far", text=reading.estimate_words),
    Column("Model", text=reading.model_words),
)


def heterogeneity_table(material: Material) -> ReportTable:
    """Heterogeneity of every pool of two trials or more, by the random-effects model.

    Analyses as their first measure, then pooled rates; tau2 on the analysis scale.
    """
    table = material.evidence.estimates
    first = material.first_measures
    rows = [
        row
        for row in records(table[table["model"].map(is_random_effects) & (table["k"] >= 2)])
        for measure in [first[row["setting"], row["analysis"]]]
        if row["measure"].endswith((measure, f"{measure}s"))
    ]
    return material.table(
        "heterogeneity",
        "Heterogeneity between trials",
        rows,
        HETEROGENEITY,
        ("setting", "analysis", "measure", "experimental", "subgroup", "k", "q", "q_df", "q_p",
         "tau2", "tau2_low", "tau2_high", "i2", "i2_from_q", "pi_low", "pi_high"),
        [
            "Random-effects model; τ² on the analysis scale (log ratio; logit for rates), its "
            "interval by the Q profile. With two or three trials, all of these are uncertain.",
        ],
    )  # fmt: skip


def sensitivity_table(material: Material) -> ReportTable:
    """For every pooled analysis: how far the result moves by method, trial and choice.

    Estimates as the analysis's first measure, natural scale.
    """
    rows = [
        _movement(material, analysis, lead)
        for analysis in material.configuration.analyses
        if (lead := material.lead(analysis)) is not None and lead["k"] >= 2
    ]
    return material.table(
        "sensitivity",
        "Sensitivity of the results to methods, trials and analytic choices",
        rows,
        SENSITIVITY,
        ("setting", "analysis", "title", "measure", "reported", "k", "estimate", "method_lowest",
         "method_highest", "without_lowest", "without_highest", "most_influential",
         "specifications", "specification_lowest", "specification_highest",
         "share_excluding_no_effect", "small_study"),
        [
            "Ranges run from the lowest to the highest estimate. Specifications: all combinations "
            "of the analytic choices examined, and how many of their intervals exclude no effect. "
            "All numbers are in results/<setting>/sensitivity.",
        ],
    )  # fmt: skip


def timeline_table(material: Material) -> ReportTable:
    """The evidence as it grew: the pooled result after each trial, by year of source."""
    rows = where(material.as_first_measure(material.sensitivity["cumulative"]), leads="yes")
    return material.table(
        "timeline",
        "Cumulative evidence",
        records(rows),
        TIMELINE,
        ("setting", "analysis", "measure", "added", "trial", "year", "k", "model", "estimate",
         "ci_low", "ci_high", "ci_level"),
        [
            "Trials are in the order of the year of the source that was used. Where that is a "
            "later report, or a review that quotes the trial, this is not the order in which the "
            "trials were first reported.",
        ],
    )  # fmt: skip


def _movement(material: Material, analysis: Analysis, lead: Row) -> dict[str, Any]:
    methods = material.of("methods", analysis)["estimate"]
    without = where(material.of("leave_one_out", analysis), leads="yes")["estimate"]
    influence = material.of("influence", analysis).sort_values("cook_distance", kind="stable")
    curve = next(iter(records(material.of("multiverse_summary", analysis))), {})
    tests = "; ".join(
        f"{printed.capital(row['test'])} {reading.p_words(row['p_value'])}"
        for row in material.small_study_tests(analysis)
    )
    return {
        **{key: lead[key] for key in ("setting", "analysis", "measure", "k", "estimate")},
        "reported": reading.estimate_words(lead),
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


def _range(row: Row, of: str) -> str:
    """The lowest and the highest estimate."""
    return printed.interval(row[f"{of}_lowest"], row[f"{of}_highest"])


def _of_whom(row: Row) -> str:
    who = printed.of_whom(row["subgroup"])
    if row["measure"] == "proportion":
        return f"{row['experimental']}, {who}"
    return f"compared within trials: {who}" if "_of_" in row["measure"] else who


def _q(row: Row) -> str:
    return f"{printed.number(row['q'])} ({row['q_df']:.0f}), {reading.p_words(row['q_p'])}"
