"""Trials in RevMan's import format for study data: arms with counts, or contrasts as hazard ratios.

The columns are RevMan's own (source in docs/exchange.md). Each analysis of the project becomes a
separate outcome in RevMan; the criteria say which totals of it the project has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import isnan, sqrt

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.comparisons import SIDES
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import citation, of_pool, source_ids
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL
from trial_evidence.words.printed import words

INFORMATION = ["Study", "Char: Participants", "Char: Outcomes", "Char: Notes"]
ARMS = ["Study", "Arm", "Description", "Intervention"]
# The complete header of RevMan; for dichotomous outcomes and effects most columns stay empty.
RESULTS = [
    "Study", "Outcome", "Data type", "Effect measure", "Arm", "Reference arm", "Sample size",
    "Cases", "Mean", "SD", "SE", "Variance", "CI level", "CI start", "CI end", "Exp mean",
    "Exp CI start", "Exp CI end", "t-test", "z-test", "P value", "Covariance method", "Covariance",
    "Other arm 1", "Other arm 2", "Correlation arm 1", "Correlation arm 2", "Correlation",
    "Other mean", "Other SE", "Other variance", "Other CI level", "Other CI start", "Other CI end",
    "Other exp mean", "Other exp CI start", "Other exp CI end", "Other t-test", "Other z-test",
    "Other P value", "Footnotes",
]  # fmt: skip
CRITERIA = [
    "setting", "analysis", "Outcome", "Data", "Effect measure", "Experimental interventions",
    "Control interventions", "Studies", "Totals", "Subgroups",
]  # fmt: skip
# RevMan's codes for effects of contrasts, which are on the scale of the analysis.
EFFECTS = {
    "hazard_ratio": "LOG_HR", "risk_ratio": "LOG_RR", "odds_ratio": "LOG_OR",
    "risk_difference": "RD",
}  # fmt: skip
# How an analysis pools -> the totals to show in RevMan, in its words.
TOTALS = {
    "overall": "Totals and subtotals", "within_subgroups": "Subtotals only", "none": "No totals",
}  # fmt: skip
NO_INTERVENTION = "None of the agents"


def files_for_revman(
    configuration: Configuration, sheet: Sheet, trials: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """``revman/<setting>/`` with RevMan's import files, and the review criteria to set up first.

    For every analysis, the trials pooled in all patients, in its first measure.
    """
    made: dict[str, pd.DataFrame] = {}
    criteria: list[Record] = []
    names = _Names.of(sheet, trials)
    for setting in configuration.settings:
        pooled = where(trials, setting=setting, subgroup=ALL, pooled="yes")
        found = [
            (analysis, records(where(of_pool(pooled, analysis), measure=analysis.measures[0])))
            for analysis in configuration.of_setting(setting)
        ]
        every = [row for _, rows in found for row in rows]
        results = [
            line
            for analysis, rows in found
            for row in rows
            for line in _result(analysis, row, names)
        ]
        tables = {
            "study-information": (INFORMATION, _information(sheet, every, names)),
            "study-arms": (ARMS, _arms(sheet, every, names)),
            "study-results": (RESULTS, results),
        }
        criteria += _criteria(found)
        made |= {
            f"revman/{setting}/{name}.csv": pd.DataFrame([*rows], columns=columns, dtype=object)
            for name, (columns, rows) in tables.items()
        }
    return made | {"revman/review-criteria.csv": pd.DataFrame(criteria, columns=CRITERIA)}


@dataclass(frozen=True)
class _Names:
    """Unique names of studies by trial id and of arms by arm id; citations by source id."""

    study: Mapping[str, str]
    arm: Mapping[str, str]
    source: Mapping[str, str]

    @classmethod
    def of(cls, sheet: Sheet, trials: pd.DataFrame) -> "_Names":
        studies = trials.drop_duplicates("trial_id")
        named = [
            name if isnan(year) else f"{name} {year:.0f}"
            for name, year in zip(studies["trial"], studies["year"], strict=True)
        ]
        return cls(
            _distinct(studies.assign(study=named), "trial_id", "study"),
            _distinct(sheet["arms"], "arm_id", "label", "trial_id"),
            {row["source_id"]: citation(row) for row in records(sheet["sources"])},
        )

    def cited(self, cell: str) -> str:
        """Citations of the sources of a row."""
        return "; ".join(self.source[key] for key in source_ids(cell) if key in self.source)


def _distinct(rows: pd.DataFrame, key: str, name: str, *within: str) -> dict[str, str]:
    """Id -> name; the id is added to names that occur twice."""
    cells = zip(rows[key], rows[name], rows.duplicated([name, *within], keep=False), strict=True)
    return {own: f"{text} ({own})" if again else text for own, text, again in cells}


def _information(sheet: Sheet, rows: Sequence[Record], names: _Names) -> Iterator[Record]:
    for trial in dict.fromkeys(row["trial_id"] for row in rows):
        (row,) = sheet.of_trial("trials", trial)
        yield {
            "Study": names.study[trial],
            "Char: Participants": row["population"],
            "Char: Outcomes": f"Primary endpoint: {row['primary_endpoint']}",
            "Char: Notes": row["nct"],
        }


def _arms(sheet: Sheet, rows: Sequence[Record], names: _Names) -> Iterator[Record]:
    about = {row["arm_id"]: row for row in records(sheet["arms"])}
    first: dict[str, tuple[Record, str]] = {}
    for row, side in product(rows, SIDES):
        first.setdefault(row[f"{side}_arm_id"], (row, side))
    for arm, (row, side) in first.items():
        yield {
            "Study": names.study[row["trial_id"]],
            "Arm": names.arm[arm],
            "Description": about[arm]["partner_detail"],
            "Intervention": _intervention(row, side),
        }


def _intervention(row: Record, side: str) -> str:
    return str(row[side]) if row[f"{side}_agents"] != "none" else NO_INTERVENTION


def _result(analysis: Analysis, row: Record, names: _Names) -> Iterator[Record]:
    """Two rows with the counts of the arms, or one row with the contrast."""
    study = {"Study": names.study[row["trial_id"]], "Outcome": analysis.title,
             "Data type": "Dichotomous", "Footnotes": _footnote(row, names)}  # fmt: skip
    arms = {side: names.arm[row[f"{side}_arm_id"]] for side in SIDES}
    sizes = {side: _whole(row[f"n_{side}"]) for side in SIDES}
    if analysis.kind == "counts":
        for side in SIDES:
            cases = _whole(row[f"events_{side}"])
            yield study | {"Arm": arms[side], "Sample size": sizes[side], "Cases": cases}
        return
    yield study | {
        "Effect measure": EFFECTS.get(row["measure"], ""), "Arm": arms["experimental"],
        "Reference arm": arms["control"], "Sample size": sizes["experimental"],
        "Mean": row["yi"], "SE": sqrt(row["vi"]),
    }  # fmt: skip


def _footnote(row: Record, names: _Names) -> str:
    """Outcome, definition, data cut-off, population and assessor of a result, and its source."""
    cut = f"{row['analysis_cut']} analysis" if row["analysis_cut"] else ""
    kind = (row["outcome"], row["definition"], cut, row["population"], row["assessor"])
    said = {text.lower(): text for text in reversed(kind) if text}
    listed = ", ".join(reversed(said.values()))
    return f"{listed}. Source: {names.cited(row['source_id'])}: {row['locator']}"


def _whole(value: float) -> int | None:
    return None if isnan(value) else int(value)


def _criteria(found: Sequence[tuple[Analysis, Sequence[Record]]]) -> Iterator[Record]:
    for analysis, rows in found:
        if rows:
            counts = analysis.kind == "counts"
            experimental, control = (
                "; ".join(dict.fromkeys(_intervention(row, side) for row in rows)) for side in SIDES
            )
            yield {
                "setting": analysis.setting, "analysis": analysis.id, "Outcome": analysis.title,
                "Data": "arm level" if counts else "contrast level",
                "Effect measure": analysis.measures[0].replace("_", " "),
                "Experimental interventions": experimental, "Control interventions": control,
                "Studies": len(rows), "Totals": TOTALS[analysis.pool],
                "Subgroups": words(analysis.subgroups) if analysis.pool != "none" else "",
            }  # fmt: skip
