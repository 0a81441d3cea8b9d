"""Control risks, with their sources, and time gained before and after an edit."""

from collections.abc import Collection, Iterator, Mapping

from trial_evidence.changes.revision import SheetDifference
from trial_evidence.report.absolute.control_risks import StartingRisk, control_risks
from trial_evidence.report.absolute.hazards import MEANS, curve_facts
from trial_evidence.report.material.material import Material
from trial_evidence.report.words.formats import effect
from trial_evidence.sheet import Sheet
from trial_evidence.words.printed import percent

# Setting, analysis and level.
Risks = Mapping[tuple[str, str, str], StartingRisk]
# Setting, analysis and trial -> months without the event gained.
Gains = Mapping[tuple[str, str, str], str]
# (setting, id) of analyses and networks -> title.
Titles = Mapping[tuple[str, str], str]
# The only column in a table of contrasts that affects a control risk but no estimate.
_MEDIAN = "median_control_months"


def trials_with_other_risks(difference: SheetDifference, sheet: Sheet) -> set[str]:
    """Trials whose rates or means over time, or whose control median, have changed."""
    shares = (*sheet.of_kind("rates"), MEANS, "adjudication")
    found = set()
    for name, table in difference.tables.items():
        single = [(row,) for row in (*table.added, *table.removed)]
        found |= {
            row.cells.get("trial_id", "")
            for rows in (*table.changed, *single)
            if name in shares or len({row.cells.get(_MEDIAN) for row in rows}) > 1
            for row in rows
        }
    return found


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


def months_gained(material: Material, answers: Collection[tuple[str, str]]) -> Gains:
    """Time gained by the trials of some answers, as printed."""
    return {
        (analysis.setting, analysis.id, row["trial"]): effect(row, "gained", "gained", 1)
        for analysis in material.configuration.answers
        if (analysis.setting, analysis.id) in answers
        for row in curve_facts(material, analysis)
        if "gained" in row
    }


def gains_in_words(before: Gains, after: Gains, titles: Titles) -> Iterator[str]:
    """Times gained that differ as printed, in a sentence each."""
    for place in dict.fromkeys([*before, *after]):
        was, now = (side.get(place, "not known") for side in (before, after))
        if was != now:
            title = titles.get(place[:2], place[1])
            yield f"Months gained: {title}, {place[2]}: was {was}, is now {now}."


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
