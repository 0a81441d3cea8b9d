"""The trials of an analysis as the page prints them: result, source, row of the sheet."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trial_evidence.files import Record
from trial_evidence.measures import MEASURES
from trial_evidence.pool.shown import own_result
from trial_evidence.report.material.material import JOINED
from trial_evidence.report.page.sources import Link, Reference, References, of_row, registry_links
from trial_evidence.report.page.svg import RowLink
from trial_evidence.report.trail.trace import Shown
from trial_evidence.sheet.values import ALL
from trial_evidence.words.printed import whole


@dataclass(frozen=True)
class TrialRow:
    """One trial in one analysis, for one group of patients and one regimen.

    Attributes
    ----------
    anchor : str
        Id in the page, the same for every measure.
    record : mapping
        Its row of ``trials.csv`` or ``rates.csv``, for the first measure.
    cells, arms, result, about, note, year : str
        ``result`` is the result in the sheet, ``42/107 v 23/107`` or a hazard ratio; ``about`` has
        definition or endpoint, population, data cut-off, follow-up, assessor.
    """

    anchor: str
    record: Record
    cells: str
    arms: str
    result: str
    about: str
    note: str
    year: str
    references: tuple[Reference, ...]
    registrations: tuple[Link, ...]

    @property
    def place(self) -> str:
        """Short citations of the sources, and the place in them."""
        return ", ".join(filter(None, (self.source, self.record["locator"])))

    @property
    def source(self) -> str:
        """Short citations of the sources."""
        return JOINED.join(reference.short for reference in self.references)

    def tip(self, result: str) -> str:
        """Text shown on hover and focus: trial, result, source, place, verification."""
        sign = "" if MEASURES[self.record["measure"]].compares else "%"
        about = f"{self.record['trial']}: {f'{result}{sign}' if result else 'no estimate'}"
        return f"{about}. Source: {self.place}; {self.record['verification']}."


def anchor(*parts: str) -> str:
    """An id in the page (letters, digits, hyphens), made from ids of sheet and configuration."""
    return "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in parts if part)


def row_anchor(record: Record) -> str:
    """Id of a row of ``trials.csv`` or ``rates.csv``: the same for every measure."""
    columns = ("setting", "analysis", "trial_id", "subgroup", "regimen")
    return anchor("row", *(record.get(column, "") for column in columns))


def trial_rows(
    results: Iterable[Shown], known: References, registered: Mapping[str, str]
) -> tuple[TrialRow, ...]:
    """The results of an analysis, one per trial, group of patients and regimen.

    Parameters
    ----------
    results : iterable of Shown
        Only the first measure of the same patients is used.
    known : mapping
        source_id -> reference.
    registered : mapping
        trial_id -> registration number in the sheet.

    Returns
    -------
    tuple of TrialRow
        All patients first, in the order of the results.
    """
    first: dict[str, Shown] = {}
    for shown in results:
        first.setdefault(row_anchor(shown.record), shown)
    found = [trial_row(shown, known, registered) for shown in first.values()]
    return tuple(sorted(found, key=lambda row: row.record["subgroup"] != ALL))


def row_links(results: Iterable[Record], rows: Iterable[TrialRow]) -> list[RowLink]:
    """Links from the rows of a figure (results in one measure) to the page's table of rows."""
    by_anchor = {row.anchor: row for row in rows}
    links = []
    for record in results:
        row, result, name = by_anchor[row_anchor(record)], own_result(record), record["trial"]
        labels = (name, f"{name} ({row.year})") if row.year else (name,)
        links.append(RowLink(labels, result, row.anchor, row.tip(result)))
    return links


def trial_row(shown: Shown, known: References, registered: Mapping[str, str]) -> TrialRow:
    """One result as printed; see :func:`trial_rows`."""
    record = shown.record
    differ = record["readers_differ"] and f"The two readers disagree: {record['readers_differ']}."
    return TrialRow(
        anchor=row_anchor(record),
        record=record,
        cells=", ".join(map(str, shown.cells)),
        arms=record.get("regimen_label") or f"{record['experimental']} v {record['control']}",
        result=_result(record),
        about=_about(record),
        note=" ".join(filter(None, (record["note"], differ))),
        year=whole(record["year"]),
        references=of_row(known, record["source_id"]),
        registrations=registry_links(registered.get(record["trial_id"], "")),
    )


def _result(record: Record) -> str:
    if record.get("published"):
        level = f"({record['ci_level']:g}% CI "
        return f"HR {record['published'].replace('(', level, 1)}"
    if "hr" in record and not math.isnan(record["hr"]):
        limits = [record["ci_low"], record["ci_high"]]
        low, high = map(_plain, limits)
        given = not all(map(math.isnan, limits))
        interval = f" ({record['ci_level']:g}% CI {low} to {high})" if given else ""
        return f"HR {_plain(record['hr'])}{interval}"
    arms = ("",) if "events" in record else ("_experimental", "_control")
    counts = ((record[f"events{arm}"], record[f"n{arm}"]) for arm in arms)
    return " v ".join(f"{_plain(events)}/{_plain(n)}" for events, n in counts)


def _plain(value: float) -> str:
    return "not given" if math.isnan(value) else f"{value:g}"


def _about(record: Mapping[str, Any]) -> str:
    cut, months = record.get("analysis_cut"), record.get("median_followup_months", math.nan)
    parts = [
        record.get("endpoint"),
        record["definition"],
        record["population"],
        f"{cut} analysis" if cut else "",
        "" if math.isnan(months) else f"median follow-up {months:g} months",
        record["assessor"],
    ]
    return "; ".join(filter(None, parts))
