"""A trial in the page: design, arms, every verified result, and where each result is used."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trial_evidence.extract.regimens import PARTNER_WORDS, join_agents
from trial_evidence.files import Record, records
from trial_evidence.report.material.material import Material
from trial_evidence.report.page.grids import Cell, Grid, grid
from trial_evidence.report.page.rows import anchor
from trial_evidence.report.page.sources import Link, References, of_row, registry_links
from trial_evidence.report.tables.characteristics import characteristics_table
from trial_evidence.report.trail.trace import Trail
from trial_evidence.words import printed

PLACE = tuple[str, int]
# Beginning of the address of a reference in the page.
SOURCE = "#source-"
# Headings of the tables of results; the first column (the outcome) becomes the group headings.
TITLES = {"counts": "Events", "contrasts": "Effects", "rates": "Milestones", "times": "Medians"}
HEADINGS = ("Result of", "Patients", "Arms", "Result", "Source and location", "Used in", "Remarks")


@dataclass(frozen=True)
class TrialPart:
    """One trial of the page.

    Attributes
    ----------
    title, search : str
        Name and year; further words by which it can be found.
    facts : tuple of (str, str)
        Heading and text.
    unverified : str
        A sentence on the number of results not shown; ``""`` if all are shown.
    """

    id: str
    title: str
    search: str
    facts: tuple[tuple[str, str], ...]
    registrations: tuple[Link, ...]
    note: str
    arms: Grid
    results: tuple[Grid, ...]
    unverified: str
    bias: tuple[Record, ...]


@dataclass(frozen=True)
class _Fates:
    """For every row of the sheet: where it is used, and why it was set aside."""

    used: Mapping[PLACE, Mapping[Link, None]]
    aside: Mapping[PLACE, Mapping[str, None]]


def trial_parts(
    material: Material, trail: Trail, known: References, places: Mapping[str, str]
) -> tuple[TrialPart, ...]:
    """Every trial and cohort of the sheet, in the order of the table of characteristics.

    Parameters
    ----------
    known : mapping
        source_id -> reference.
    places : mapping
        ``setting/analysis`` -> its anchor in the page.
    """
    fates = _fates(material, trail, places)
    # The facts shown for a trial are the cells of its row in this table.
    table = characteristics_table(material)
    printed = zip(records(table.frame), records(table.data), strict=True)
    return tuple(_part(material, cells, row, known, fates) for cells, row in printed)


def linked_sources(trials: Iterable[TrialPart]) -> set[str]:
    """source_id of every source that the results of these trials link to."""
    rows = (row for part in trials for grid in part.results for row in grid.rows)
    links = (link.address for row in rows for cell in row for link in cell.links)
    return {at.removeprefix(SOURCE) for at in links if at.startswith(SOURCE)}


def _part(
    material: Material, cells: Record, row: Record, known: References, fates: _Fates
) -> TrialPart:
    trial_id = row["trial_id"]
    admitted = material.configuration.selection.admit["verification"]
    grids, unverified = [], 0
    for table in material.sheet.results:
        rows = material.sheet.of_trial(table, trial_id)
        shown = [found for found in rows if found["verification"] in admitted]
        unverified += len(rows) - len(shown)
        if shown:
            grids.append(_results(material, table, shown, known, fates))
    year = printed.whole(material.trials[trial_id].get("first_report_year", math.nan))
    left_out = ("Trial", "Registration", "Arms (patients)", "Sources")
    return TrialPart(
        id=anchor("trial", trial_id),
        title=f"{cells['Trial']} ({year})" if year else cells["Trial"],
        search=" ".join(filter(None, (row["nct"], cells["Setting"], row["arms"]))),
        facts=tuple((name, text) for name, text in cells.items() if name not in left_out and text),
        registrations=registry_links(row["nct"]),
        note=row["public_note"],
        arms=_arms(material, trial_id),
        results=tuple(grids),
        unverified=f"{printed.counted(unverified, 'further result')} in the sheet "
        f"{'is' if unverified == 1 else 'are'} not shown: not verified in a source."
        if unverified
        else "",
        bias=tuple(material.sheet.of_trial("risk_of_bias", trial_id)),
    )


def _arms(material: Material, trial_id: str) -> Grid:
    labels = {row["agent"]: row["label"] for row in records(material.sheet["agents"])}
    rows = [
        [arm["label"], join_agents(agents, labels) if agents else "none",
         PARTNER_WORDS.get(arm["partner"], arm["partner"]), printed.count(arm["n_randomised"])]
        for arm in material.sheet.of_trial("arms", trial_id)
        for agents in [[name for name in arm["agents"].split("+") if name in labels]]
    ]  # fmt: skip
    heading = f"{printed.capital(material.report.agent)}s"
    return grid("Arms", ("Arm", heading, "Partner", "Patients"), [list(map(Cell, r)) for r in rows])


def _results(
    material: Material, table: str, rows: Sequence[Record], known: References, fates: _Fates
) -> Grid:
    kind = material.sheet.kinds[table]
    labels = material.configuration.outcome_labels
    lines = []
    for row in rows:
        at = (table, int(row["row"]))
        what = labels.get(row["outcome"], printed.words(row["outcome"]))
        details = [row.get("definition", ""), row.get("analysis", ""), row.get("assessor", ""),
                   _months(row)]  # fmt: skip
        group = printed.patients_in_words(row.get("subgroup", "all"))
        ids = [row[name] for name in row if name.endswith("arm_id")]
        sources = of_row(known, row["source_id"])
        aside = "" if at in fates.used else "; ".join(fates.aside.get(at, ()))
        remarks = [row.get("public_note", ""), aside and f"Not used: {aside}"]
        lines.append((
            Cell("; ".join(filter(None, [what, *details]))),
            Cell("; ".join(filter(None, [row.get("population", ""), group]))),
            Cell(" v ".join(material.arm_labels.get(id_, id_) for id_ in ids)),
            Cell(_RESULT[kind](row)),
            Cell("; ".join(filter(None, (row["locator"], row["verification"]))),
                 tuple(Link(source.short, f"{SOURCE}{source.source_id}") for source in sources)),
            Cell("", tuple(fates.used.get(at, ()))),
            Cell(" ".join(filter(None, remarks))),
        ))  # fmt: skip
    title = "Harms" if table == "harms" else TITLES[kind]
    # Rows on the same outcome are put together.
    order = list(dict.fromkeys(line[0].text for line in lines))
    lines.sort(key=lambda line: order.index(line[0].text))
    return grid(f"{title} ({len(rows)})", HEADINGS, lines, name=table, filled=True)


def _months(row: Record) -> str:
    followup, time = (row.get(name, math.nan) for name in ("median_followup_months", "months"))
    if not math.isnan(time):
        return f"at {time:g} months"
    return "" if math.isnan(followup) else f"median follow-up {followup:g} months"


def _of_counts(row: Record) -> str:
    if math.isnan(row["events"]) or math.isnan(row["n"]):
        shown = printed.number(row["reported_percent"], 1)
        return shown and f"{shown}%"
    return f"{row['events']:g}/{row['n']:g} ({printed.percent(row['events'] / row['n'], 1)})"


def _with_level(row: Record, value: str, unit: str = "", digits: int = 2) -> str:
    text = printed.with_interval(row[value], row["ci_low"], row["ci_high"], digits=digits)
    level = row["ci_level"]
    given = "(" in text and not math.isnan(level)
    return (text.replace("(", f"({level:g}% CI ", 1) if given else text) + (text and unit)


_RESULT: Mapping[str, Callable[[Record], str]] = {
    "counts": _of_counts,
    "contrasts": lambda row: f"HR {_with_level(row, 'hr')}",
    "rates": lambda row: _with_level(row, "percent", "%", 1),
    "times": lambda row: _with_level(row, "median_months", " months", 1),
}


def _fates(material: Material, trail: Trail, places: Mapping[str, str]) -> _Fates:
    used: dict[PLACE, dict[Link, None]] = defaultdict(dict)
    for shown in trail.shown:
        if shown.kind not in ("result", "node"):
            continue
        key = shown.record["setting"], shown.analysis
        target = places.get("/".join(key))
        if target is None:
            continue
        link = Link(material.titles.get(key, printed.words(shown.analysis)), f"#{target}")
        for cells in shown.cells:
            for at in cells.rows:
                used[cells.table, int(at)][link] = None
    aside: dict[PLACE, dict[str, None]] = defaultdict(dict)
    for record in trail.set_aside:
        for row in filter(None, str(record["row"]).split(";")):
            aside[record["table"], int(float(row))][record["reason"].rstrip(".")] = None
    return _Fates(used, aside)
