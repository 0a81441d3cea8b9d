"""Control risks, with their sources, and what curves show before and after an edit."""

from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from trial_evidence.changes.networks import Side
from trial_evidence.changes.revision import SheetDifference
from trial_evidence.config.configuration import Analysis
from trial_evidence.files import where
from trial_evidence.report.absolute.control_risks import StartingRisk, control_risks
from trial_evidence.report.absolute.hazards import CURVE_WORDS, MEANS, RATIOS, shown_by_curves
from trial_evidence.report.material.material import Material
from trial_evidence.sheet import Sheet
from trial_evidence.words.printed import percent

# Setting, analysis and level.
Risks = Mapping[tuple[str, str, str], StartingRisk]
# Setting, analysis, trial and column of the table of effects over time -> what it shows.
Curves = Mapping[tuple[str, str, str, str], str]
_CURVE_TITLES = {
    "curve": "Hazard ratio of the curves", "proportional": "Hazards proportional",
    "gained": "Months gained",
}  # fmt: skip
# (setting, id) of analyses and networks -> title.
Titles = Mapping[tuple[str, str], str]
# The only column in a table of contrasts that affects a control risk but no estimate.
_MEDIAN = "median_control_months"


def in_rows(difference: SheetDifference, table: str, column: str) -> set[str]:
    """Values of a column in the added, changed and removed rows of a table."""
    found = difference.tables.get(table)
    if found is None:
        return set()
    changed = (row for pair in found.changed for row in pair)
    return {row.cells.get(column, "") for row in (*changed, *found.added, *found.removed)}


def trials_with_other_risks(difference: SheetDifference, sheet: Sheet) -> set[str]:
    """Trials whose rates over time, or whose control median, have changed."""
    shares = (*sheet.of_kind("rates"), "adjudication")
    medians = {
        row.cells.get("trial_id", "")
        for table in difference.tables.values()
        for pair in table.changed
        if len({row.cells.get(_MEDIAN) for row in pair}) > 1
        for row in pair
    }
    return medians.union(*(in_rows(difference, table, "trial_id") for table in shares))


def starting_risks(material: Material, answers: Collection[tuple[str, str]]) -> Risks:
    """The control risks of some answers, if configured."""
    rules = material.control_risk_rules
    return {
        (*place, risk.level): risk
        for analysis in material.configuration.answers
        if (place := (analysis.setting, analysis.id)) in answers and place in rules
        if material.lead(analysis) is not None
        for risk in control_risks(material, analysis, rules[place])[0]
    }


def curves_changed(difference: SheetDifference) -> bool:
    """Whether a table of digitised curves, or a decision between two readings, has changed."""
    return bool({MEANS, RATIOS, "adjudication"} & difference.tables.keys())


def curves_of(side: Side) -> Curves:
    """What the table of effects over time shows, as printed."""
    level = side.configuration.confidence_level
    return {
        (analysis.setting, analysis.id, row["trial"], column): said
        for analysis in side.configuration.analyses
        if analysis.kind == "contrasts"
        for row in shown_by_curves(_contrasts(side, analysis), side.sheet, level)
        for column, words in CURVE_WORDS.items()
        if (said := words(row))
    }


def _contrasts(side: Side, analysis: Analysis) -> pd.DataFrame:
    asked = {"analysis": analysis.id, "measure": analysis.measures[0], "subgroup": "all"}
    return where(side.evidence[analysis.setting].used, **asked)


def curves_in_words(before: Curves, after: Curves, titles: Titles) -> Iterator[str]:
    """What curves show and did not show before, in a sentence each."""
    for place in dict.fromkeys([*before, *after]):
        was, now = (side.get(place, "not known") for side in (before, after))
        if was != now:
            title = titles.get(place[:2], place[1])
            yield f"{_CURVE_TITLES[place[3]]}: {title}, {place[2]}: was {was}, is now {now}."


def risks_in_words(before: Risks, after: Risks, titles: Titles) -> Iterator[str]:
    """Control risks whose printed value or source has changed, in one or two sentences each.

    Answers that exist only before or only after are left out.
    """
    both = {place[:2] for place in before} & {place[:2] for place in after}
    for place in dict.fromkeys([*before, *after]):
        one, other = before.get(place), after.get(place)
        was, now = (percent(risk.risk, 1) if risk else "not reported" for risk in (one, other))
        sources = [risk.source for risk in (one, other) if risk]
        if place[:2] not in both or (was == now and len(set(sources)) == 1):
            continue
        change = f"was {was}, is now {now}" + (f"; source: {other.source}" if other else "")
        if was == now:
            change = f"{now} as before, but its source was {sources[0]}, and is now {sources[1]}"
        yield f"Control risk: {titles.get(place[:2], place[1])}, {place[2]}: {change}."
