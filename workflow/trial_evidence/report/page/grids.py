"""Tables of the page: declared columns and report tables as headings, groups of rows and cells."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from trial_evidence.files import records
from trial_evidence.measures import measure_words
from trial_evidence.report.material.printed import capital
from trial_evidence.report.material.printed import interval as format_limits
from trial_evidence.report.material.printed import number as format_estimate
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.page.rows import patients_in_words
from trial_evidence.report.page.sources import Link, linked_cell
from trial_evidence.words.models import SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_p, round_half_up

# Columns whose text is the title of an analysis, and becomes the link to it.
TITLES = ("Analysis", "Comparison and outcome")
SOURCES = ("Source", "Sources")
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """A text, and where it leads."""

    text: str
    links: tuple[Link, ...] = ()

    @property
    def is_link(self) -> bool:
        """Whether the text itself is the link, and not followed by links."""
        return bool(self.links) and self.links[0].text == self.text


Row = tuple[Cell, ...]
Format = Callable[..., str | Cell]
# Heading, name of the format, and what the format reads of a row.
Column = Sequence[Any]


@dataclass(frozen=True)
class Group:
    """Rows below a heading of their own; ``None``: without one."""

    heading: Cell | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Grid:
    """A printed table; `name` is that of the report's table, if it is one."""

    title: str
    headings: tuple[str, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    name: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of all groups."""
        return tuple(row for group in self.groups for row in group.rows)


def grid(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    notes: Sequence[str] = (),
    name: str = "",
) -> Grid:
    """A table whose first column becomes headings of groups where neighbours share it.

    That is where at most every second row begins with another text than the one above it.
    """
    lines = [tuple(row) for row in rows]
    runs = [list(found) for _, found in groupby(lines, key=lambda row: row[0].text)]
    groups = [Group(None, tuple(lines))]
    if len(headings) > 2 and len(runs) <= len(lines) / 2:
        headings = headings[1:]
        groups = [Group(_shared(run), tuple(row[1:] for row in run)) for run in runs]
    return Grid(title, tuple(headings), tuple(groups), tuple(notes), name)


def declared_grid(
    formats: Mapping[str, Format],
    title: str,
    rows: Sequence[Record],
    columns: Sequence[Column],
    notes: Sequence[str] = (),
) -> Grid:
    """A table of declared columns, those without any text left out; see :func:`grid`.

    Parameters
    ----------
    formats : mapping
        Name -> function of a row and of what a column names after its format.
    title : str
    rows : sequence of mapping
    columns : sequence
        Heading, name of a format, and what the format reads: ``("Ratio", "effect", "ratio")``.
    notes : sequence of str
    """
    filled = []
    for heading, name, *read in columns:
        found = [formats[name](row, *read) for row in rows]
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in found]
        if any(cell.text for cell in cells):
            filled.append((heading, cells))
    lines = list(zip(*(cells for _, cells in filled), strict=True))
    return grid(title, [heading for heading, _ in filled], lines, notes)


def report_grid(table: ReportTable, places: Mapping[str, str]) -> Grid:
    """A table of the report for the page, its links in the cells or in a column of their own.

    Parameters
    ----------
    table : ReportTable
    places : mapping of str to str
        ``setting/analysis`` -> anchor of what the page shows; a row about one of them leads there.
    """
    headings = [str(heading) for heading in table.frame.columns]
    source = next((n for n, heading in enumerate(headings) if heading in SOURCES), None)
    title = next((n for n, heading in enumerate(headings) if heading in TITLES), None)
    rows: list[list[Cell]] = []
    spare: list[tuple[Link, ...]] = []
    for cells, data in zip(records(table.frame), records(table.data), strict=True):
        line = [Cell(str(text), linked_cell(str(text))) for text in cells.values()]
        placed = {link.address for cell in line for link in cell.links}
        outside = tuple(link for link in _outside(data) if link.address not in placed)
        target = places.get(f"{data.get('setting', '')}/{data.get('analysis', '')}")
        if source is not None:
            line[source] = Cell(line[source].text, outside)
            outside = ()
        if target and title is not None:
            line[title] = Cell(line[title].text, (Link(line[title].text, f"#{target}"),))
        elif target:
            outside = (*outside, Link("Analysis", f"#{target}"))
        spare.append(outside)
        rows.append(line)
    if any(spare):
        headings.append("Links")
        rows = [[*line, Cell("", links)] for line, links in zip(rows, spare, strict=True)]
    return grid(table.title, headings, rows, table.notes, table.name)


def _outside(data: Record) -> tuple[Link, ...]:
    """Registration, DOI and PubMed of a row; a row with two sources has two of them."""
    texts = [text for column in ("nct", "doi") for text in str(data.get(column, "")).split("; ")]
    found = [text.removesuffix(".0") for text in str(data.get("pmid", "")).split("; ")]
    texts += [f"PMID {text}" for text in found if text.isdecimal()]
    return tuple(dict.fromkeys(link for text in texts for link in linked_cell(text)))


def _shared(rows: Sequence[Row]) -> Cell:
    """The first cells of a group as one; it keeps a link that all of them have."""
    cells = [row[0] for row in rows]
    return cells[0] if len({cell.links for cell in cells}) == 1 else Cell(cells[0].text)


# ------------------------------------------------------------------------------ formats of columns


def as_number(value: Any) -> float:
    """A cell of a results table as a number; NaN where it is empty."""
    return math.nan if value == "" else float(value)


def text(row: Record, *keys: str) -> str:
    """Texts, one after the other."""
    return " ".join(filter(None, (str(row[key]) for key in keys)))


def words(row: Record, *keys: str) -> str:
    """Names of a table for readers, without underscores."""
    return text(row, *keys).replace("_", " ")


def number(row: Record, key: str, digits: int = 2) -> str:
    """A number as figures print it."""
    return format_estimate(as_number(row[key]), digits)


def whole(row: Record, key: str) -> str:
    """A whole number with a comma at the thousands."""
    value = as_number(row[key])
    return "" if math.isnan(value) else f"{value:,.0f}"


def share(row: Record, key: str) -> str:
    """A share in percent."""
    value = as_number(row[key])
    return "" if math.isnan(value) else f"{round_half_up(100 * value, 0)}%"


def p(row: Record, key: str = "p_value") -> str:
    """A p value below a heading that says so: ``0.03``, ``< 0.001``."""
    value = as_number(row[key])
    return "" if math.isnan(value) else format_p(value).removeprefix("p = ").removeprefix("p ")


def interval(row: Record, limits: str, digits: int = 2) -> str:
    """An interval as figures print it: the columns ``<limits>_low`` and ``<limits>_high``."""
    low, high = (as_number(row[f"{limits}_{end}"]) for end in ("low", "high"))
    return format_limits(low, high, digits)


def effect(row: Record, value: str = "estimate", limits: str = "ci", digits: int = 2) -> str:
    """An estimate with its interval, as far as there is one: ``1.46 (1.25–1.70)``."""
    limited = interval(row, limits, digits)
    return number(row, value, digits) + (f" ({limited})" if limited else "")


def _measure(row: Record) -> str:
    return measure_words(row["measure"])


def _population(row: Record) -> str:
    regimen = row["experimental"] if row["measure"] == "proportion" else ""
    return ", ".join(filter(None, (regimen, patients_in_words(row["subgroup"]))))


def _model(row: Record) -> str:
    role = f" ({row['role']})" if row.get("role") else ""
    return SHORT_MODEL_NAMES.get(row["model"], words(row, "model")) + role


def _q(row: Record) -> str:
    value = number(row, "q")
    return f"{value} ({whole(row, 'q_df')}, {p(row, 'q_p')})" if value else ""


def _percent(row: Record, key: str) -> str:
    value = number(row, key, 0)
    return f"{value}%" if value else ""


def _counts(row: Record) -> str:
    if row["hr"]:
        return f"HR {effect(row, 'hr')}"
    return f"{whole(row, 'events')}/{whole(row, 'n')}"


FORMATS: Mapping[str, Format] = {
    "text": text, "words": words, "number": number, "whole": whole, "share": share, "p": p,
    "interval": interval, "effect": effect, "measure": _measure, "population": _population,
    "model": _model, "q": _q, "percent": _percent,
    "counts": _counts,
    "capital": lambda row, key: capital(row[key]),
    "effects": lambda row, key: "Common effect" if row[key] == "common" else "Random effects",
    "joined": lambda row, between, *keys: between.join(filter(None, (row[key] for key in keys))),
    "marked": lambda row, before, key: f"{before} {row[key]}",
    "place": lambda row: f"{row['table']}.csv row {row['row']}" if row["row"] else "",
    "shares": lambda row, *keys: " and ".join(share(row, key) for key in keys),
}  # fmt: skip
