"""The answer: every pooled result of dual against single treatment, as rows and in words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trial_evidence.config.configuration import Analysis
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.reading import (
    benefit_below,
    estimate_words,
    includes,
    interval_name,
    measure_name,
    model_words,
    null_of,
    side,
)
from trial_evidence.report.material.table import (
    ReportTable,
    capital,
    count,
    counted,
    interval,
    number,
    report_table,
)
from trial_evidence.report.tables.certainty import Certainty, certainty_words
from trial_evidence.words.numbers import format_number

COLUMNS = [
    "setting", "analysis", "title", "outcome", "measure", "model", "role", "k", "participants",
    "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high", "certainty",
]  # fmt: skip
HEADINGS = [
    "Setting", "Comparison and outcome", "Trials", "Patients", "Effect (interval)",
    "Prediction interval", "Model", "Certainty",
]  # fmt: skip


def front_table(material: Material, found: Sequence[Certainty]) -> ReportTable:
    """A row a pooled answer, a second one where another model is co-primary.

    Parameters
    ----------
    material : Material
    found : sequence of Certainty

    Returns
    -------
    ReportTable
        ``data`` in columns ``COLUMNS``, the estimate at full precision.
    """
    certainty = certainty_words(found)
    data: list[dict[str, Any]] = []
    shown: list[dict[str, str]] = []
    for analysis in material.front():
        setting = material.configuration.settings[analysis.setting]
        measure = analysis.measures[0]
        rows = material.leads(analysis.setting, analysis.id, measure)
        level = certainty.get((analysis.setting, analysis.id), "")
        for row in rows or [_nothing(analysis)]:
            leads = row["role"] != "co-primary"
            data.append(
                {column: row.get(column) for column in COLUMNS}
                | {
                    "setting": analysis.setting,
                    "title": analysis.title,
                    "certainty": level if leads else "",
                }
            )
            shown.append(
                {
                    "Setting": setting,
                    "Comparison and outcome": analysis.title,
                    "Trials": count(row["k"]),
                    "Patients": count(row["participants"]),
                    "Effect (interval)": estimate_words(row) if rows else "",
                    "Prediction interval": interval(row["pi_low"], row["pi_high"]),
                    "Model": model_words(row),
                    "Certainty": level if leads else "",
                }
            )
    return report_table(
        "front",
        "Dual against single HER2 blockade: the pooled answers",
        shown,
        data,
        HEADINGS,
        COLUMNS,
        [
            "Risk ratios above 1 and hazard ratios below 1 favour dual blockade. CI: confidence "
            "interval; CrI: Bayesian credible interval. A second row shows the co-primary model.",
            "Patients are missing where a trial does not say how many were analysed.",
            "Certainty: provisional until a person has judged every domain.",
        ],
    )


def answers_table(material: Material, found: Sequence[Certainty]) -> ReportTable:
    """Every pooled answer in words, an analysis a row.

    Parameters
    ----------
    material : Material
    found : sequence of Certainty

    Returns
    -------
    ReportTable
        ``data``: ``setting``, ``analysis``, ``title``, ``sentence``.
    """
    certainty = certainty_words(found)
    data = [
        {
            "setting": analysis.setting,
            "analysis": analysis.id,
            "title": analysis.title,
            "sentence": result_sentence(
                analysis,
                material.leads(analysis.setting, analysis.id, analysis.measures[0]),
                certainty.get((analysis.setting, analysis.id), ""),
            ),
        }
        for analysis in material.front()
    ]
    shown = [
        {
            "Setting": material.configuration.settings[row["setting"]],
            "Comparison and outcome": row["title"],
            "In words": row["sentence"],
        }
        for row in data
    ]
    return report_table(
        "answers",
        "The pooled answers in words",
        shown,
        data,
        ["Setting", "Comparison and outcome", "In words"],
        ["setting", "analysis", "title", "sentence"],
    )


def result_sentence(analysis: Analysis, rows: Sequence[Mapping[str, Any]], certainty: str) -> str:
    """The result of an analysis in a sentence or two, from its numbers alone.

    Parameters
    ----------
    analysis : Analysis
    rows : sequence of mapping
        The leading estimate, then the co-primary one.
    certainty : str
        In words; ``""`` where there is none.

    Returns
    -------
    str
    """
    if not rows:
        return "No trial qualifies."
    lead = rows[0]
    measure = lead["measure"]
    k = int(lead["k"])
    patients = (
        "" if math.isnan(lead["participants"]) else f" ({count(lead['participants'])} patients)"
    )
    model = "" if lead["model"] == "single_trial" else f" by {_model(lead)}"
    text = (
        f"{capital(counted(k, 'trial'))}{patients}: {measure_name(measure)} "
        f"{format_number(lead['estimate'])} ({interval_name(lead)} "
        f"{interval(lead['ci_low'], lead['ci_high'])}){model}, {_meaning(lead, analysis)}."
    )
    for row in rows[1:]:
        text += (
            f" {capital(_model(row))}: {number(row['estimate'])} "
            f"({interval(row['ci_low'], row['ci_high'])})."
        )
    known = [row for row in rows if not math.isnan(row["pi_low"])]
    if known:
        said = "; ".join(
            interval(row["pi_low"], row["pi_high"])
            + (f" by {_model(row)}" if len(known) > 1 else "")
            + f", which {_new_trial(row)} no effect"
            for row in known
        )
        text += f" In a new trial: {said}."
    return text + (f" Certainty: {certainty[:1].lower()}{certainty[1:]}." if certainty else "")


def _meaning(lead: Mapping[str, Any], analysis: Analysis) -> str:
    where = side(lead["ci_low"], lead["ci_high"], lead["measure"])
    favoured = (lead["estimate"] < null_of(lead["measure"])) == benefit_below(lead["measure"])
    if where == "no effect":
        arm = analysis.arm_labels[0 if favoured else 1]
        return f"in favour of {_arm(arm)}, but the interval includes no effect"
    arm = analysis.arm_labels[0 if where == "benefit" else 1]
    return f"in favour of {_arm(arm)}"


def _new_trial(row: Mapping[str, Any]) -> str:
    open_new = includes(row["pi_low"], row["pi_high"], null_of(row["measure"]))
    return "includes" if open_new else "excludes"


def _arm(label: str) -> str:
    # An abbreviation keeps its capitals.
    return f"the {label.lower() if label[1:].islower() else label} arm"


def _model(row: Mapping[str, Any]) -> str:
    words = model_words(row)
    return "the Bayesian model" if row["model"] == "bayesian" else f"random effects ({words})"


def _nothing(analysis: Analysis) -> dict[str, Any]:
    """The row of an analysis for which no trial qualifies."""
    nan = math.nan
    numbers = dict.fromkeys(
        ["participants", "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high"], nan
    )
    return numbers | {
        "analysis": analysis.id, "outcome": "; ".join(analysis.endpoints),
        "measure": analysis.measures[0], "model": "", "role": "", "k": 0.0,
    }  # fmt: skip
