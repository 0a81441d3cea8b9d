"""Who benefits: effects by patient factor within trials, and which trials report the biomarkers."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import DIFFERENCE, Analysis
from trial_evidence.config.reports import Biomarker
from trial_evidence.extract.selection import inadmissible
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import Material, ReportTable, of_pool
from trial_evidence.sheet.values import UNSEEN
from trial_evidence.words.printed import capital, counted, words

NUMBERS = {"estimate": "", "ci_low": "_low", "ci_high": "_high", "p_value": "_p"}


def in_whom_table(material: Material) -> ReportTable:
    """One row per pooled analysis, factor and pair of levels that any of its trials reports.

    ``ratio`` is the effect at ``level`` over that at ``reference_level``, ``difference`` the
    difference of the two risk differences; both compare patients of the same trial.
    """
    rows = [row for analysis in material.front() for row in _by_factor(material, analysis)]
    formats = {
        "factor": lambda row: _factor(material, row["factor"]),
        "levels": lambda row: f"{words(row['level'])} v {words(row['reference_level'])}",
    }
    return material.table("in_whom", rows, formats)


def biomarker_reports_table(material: Material) -> ReportTable:
    """One row per biomarker of the review: which randomised trials report it, and what is open."""
    rows = [_reports(material, biomarker) for biomarker in material.report.biomarkers]
    formats = {"known": lambda row: row["open_points"] or "no further report is known"}
    return material.table("biomarker_reports", rows, formats)


def _by_factor(material: Material, analysis: Analysis) -> Iterator[dict[str, Any]]:
    table = of_pool(material.sensitivity["effect_modifiers"], analysis)
    pooled = list(material.pooled_trials(analysis)["trial_id"])
    # If no trial reports both levels, the row has no model.
    table = table[(table["level"] != "") & ((table["role"] == "lead") | (table["model"] == ""))]
    pairs = table.groupby(["factor", "level", "reference_level"], sort=False)
    for (factor, level, reference), rows in pairs:
        by_measure = {row["measure"]: row for row in records(rows)}
        own = by_measure[analysis.measures[0]]
        difference = by_measure.get(DIFFERENCE, {})
        both = [trial for trial in own["trials"].split(";") if trial]
        # A level without an event shows no ratio, but a difference.
        more = [t for t in difference.get("trials", "").split(";") if t and t not in both]
        levels = [f"{factor}={name}" for name in (level, reference)]
        reporting = _reporting(material, levels, analysis.endpoints)
        partly = [trial for trial in reporting if trial in pooled and trial not in (*both, *more)]
        if not (both or more or partly):
            continue
        silent = [trial for trial in pooled if trial not in (*both, *more, *partly)]
        only = [f"{_named(material, [trial])} (difference only)" for trial in more]
        yield {
            "setting": analysis.setting,
            "analysis": analysis.id,
            "factor": factor,
            "level": level,
            "reference_level": reference,
            "k": len(both),
            "measure": own["measure"],
            **_numbers(own, "ratio"),
            **_numbers(difference, "difference"),
            "both": ", ".join(filter(None, [_named(material, both), *only])),
            "partly": _named(material, partly),
            "silent": _named(material, silent),
        }


def _numbers(row: Record, name: str) -> dict[str, float]:
    return {f"{name}{end}": row.get(column, math.nan) for column, end in NUMBERS.items()}


def _reporting(material: Material, levels: Iterable[str], outcomes: Iterable[str]) -> list[str]:
    """Trials with an admitted result at one of these levels."""
    table = material.reported
    mine = table[table["subgroup"].isin([*levels]) & table["outcome"].isin([*outcomes])]
    return _admitted(material, mine)


def _admitted(material: Material, table: pd.DataFrame) -> list[str]:
    selection = material.configuration.selection
    rows = (row for row in records(table) if inadmissible(row, selection) is None)
    return list(dict.fromkeys(row["trial_id"] for row in rows))


def _named(material: Material, trials: Iterable[str]) -> str:
    return ", ".join(material.trial_name(trial) for trial in trials)


def _reports(material: Material, biomarker: Biomarker) -> dict[str, Any]:
    """Which trials report a biomarker: at both levels, at one level, or as an association."""
    compared = material.sensitivity["effect_modifiers"]
    compared = compared[compared["factor"].isin(biomarker.factors)]
    both = dict.fromkeys(t for cell in compared["trials"] for t in str(cell).split(";") if t)
    factors = material.reported["subgroup"].str.partition("=")[0]
    reported = material.reported[factors.isin(biomarker.factors)]
    by_level = _admitted(material, reported)
    effects = material.sheet["biomarker_effects"]
    associations = records(effects[effects["biomarker"].isin(biomarker.markers)])
    studies = dict.fromkeys(row["study_id"] for row in associations)
    randomised = [t for t in (*by_level, *studies) if _is_randomised(material, t)]
    otherwise = [trial for trial in dict.fromkeys(randomised) if trial not in both]
    others = dict.fromkeys(
        material.study_name(row["study_id"], row["source_id"])
        for row in associations
        if not _is_randomised(material, row["study_id"])
    )
    open_points = _not_verified(material, reported) | dict.fromkeys(
        f"{material.trial_name(row['study_id'])}, {row['outcome']}: {row['public_note']}"
        for row in associations
        if row["public_note"]
        if _is_randomised(material, row["study_id"]) and math.isnan(row["estimate"])
    )
    return {
        "biomarker": biomarker.label,
        "in_words": _in_words(len(both), len(otherwise)),
        "randomised_both_levels": len(both),
        "both": _named(material, both),
        "randomised_otherwise": len(otherwise),
        "otherwise": _named(material, otherwise),
        "others": "; ".join(others),
        "open_points": "; ".join(open_points),
    }


def _not_verified(material: Material, reported: pd.DataFrame) -> dict[str, None]:
    """Those of the results in the sheet that nobody has verified in a source, in words."""
    unseen = where(reported, verification=UNSEEN, status="current")
    labels = material.configuration.outcome_labels
    return dict.fromkeys(
        f"{material.trial_name(row['trial_id'])}, {labels.get(row['outcome'], row['outcome'])}: "
        "results by level in the sheet are not verified"
        for row in records(unseen)
        if _is_randomised(material, row["trial_id"])
    )


def _in_words(both: int, otherwise: int) -> str:
    """How many randomised trials compare both levels (also if none does) or report otherwise."""
    said = counted(both, "randomised trial") if both else "No randomised trial"
    verb = "compare" if both > 1 else "compares"
    return (
        f"{said} {verb} the treatments at both levels; reported otherwise by {otherwise or 'none'}"
    )


def _factor(material: Material, factor: str) -> str:
    """The printed name of a factor; names of genes and assays in capitals."""
    described = material.configuration.effect_modifiers.get(factor)
    if described is not None:
        return described.label
    is_code = "_" not in factor and any(letter.isdigit() for letter in factor)
    return factor.upper() if is_code else capital(words(factor))


def _is_randomised(material: Material, study: str) -> bool:
    return study in material.trials and material.trials[study]["randomised"] == "yes"
