"""Tables of the page: headings, groups of rows, cells with their links."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from trial_evidence.files import records
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.page.rows import anchor, patients_in_words
from trial_evidence.report.page.sources import Link, linked_cell
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, format_p, round_half_up

# Columns whose text is the title of an analysis, and becomes the link to it.
TITLES = ("Analysis", "Comparison and outcome")
SOURCES = ("Source", "Sources")


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


@dataclass(frozen=True)
class Group:
    """Rows below a heading of their own; ``None``: without one."""

    heading: Cell | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Grid:
    """A printed table.

    Attributes
    ----------
    id, title : str
    headings : tuple of str
    groups : tuple of Group
    notes : tuple of str
    """

    id: str
    title: str
    headings: tuple[str, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of all groups."""
        return tuple(row for group in self.groups for row in group.rows)


def grid(
    id_: str,
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    notes: Sequence[str] = (),
) -> Grid:
    """A table whose first column becomes headings of groups where it says little of its own.

    Parameters
    ----------
    id_, title : str
    headings : sequence of str
    rows : iterable of sequence of Cell
    notes : sequence of str

    Returns
    -------
    Grid
        Grouped where neighbouring rows share their first cell in at least every second row.
    """
    lines = [tuple(row) for row in rows]
    runs = [(first, list(found)) for first, found in groupby(lines, key=lambda row: row[0].text)]
    if len(headings) > 2 and len(runs) <= len(lines) / 2:
        groups = tuple(
            Group(_shared([row[0] for row in found]), tuple(row[1:] for row in found))
            for _, found in runs
        )
        return Grid(id_, title, tuple(headings[1:]), groups, tuple(notes))
    return Grid(id_, title, tuple(headings), (Group(None, tuple(lines)),), tuple(notes))


def plain_grid(
    id_: str,
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Sequence[str] = (),
) -> Grid:
    """A table of texts without links; see :func:`grid`. Columns without any text are left out.

    Parameters
    ----------
    id_, title : str
    headings : sequence of str
    rows : iterable of sequence of str
    notes : sequence of str

    Returns
    -------
    Grid
    """
    lines = [list(row) for row in rows]
    used = [n for n in range(len(headings)) if any(line[n] for line in lines)]
    cells = [[Cell(line[n]) for n in used] for line in lines]
    return grid(id_, title, [headings[n] for n in used], cells, notes)


def report_grid(table: ReportTable, places: Mapping[str, str]) -> Grid:
    """A table of the report for the page, its links in the cells or in a column of their own.

    Parameters
    ----------
    table : ReportTable
    places : mapping of str to str
        ``setting/analysis`` -> anchor of what the page shows; a row about one of them leads there.

    Returns
    -------
    Grid
        Sources and registrations stand beside the text of the column that names them.
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
    return grid(anchor("table", table.name), table.title, headings, rows, table.notes)


def estimates_grid(section: str, estimates: pd.DataFrame) -> Grid:
    """Every model of every set of trials of an analysis.

    Parameters
    ----------
    section : str
        Anchor of the analysis.
    estimates : DataFrame
        Its rows of ``estimates.csv``.

    Returns
    -------
    Grid
    """
    headings = ["Measure", "Of whom", "Model", "k", "Participants", "Estimate", "95% interval",
                "Prediction interval", "p", "τ² (interval)", "I²", "Q (df, p)"]  # fmt: skip
    if not estimates.empty:
        headings[6] = f"{estimates['ci_level'].iloc[0]:g}% interval"
    rows = [
        [
            MEASURE_NAMES.get(record["measure"], str(record["measure"]).replace("_", " ")),
            " ".join(
                part for part in (
                    record["experimental"] if record["measure"] == "proportion" else "",
                    patients_in_words(record["subgroup"]).replace("all patients", "all"),
                ) if part
            ),
            SHORT_MODEL_NAMES.get(record["model"], record["model"].replace("_", " "))
            + (f" ({record['role']})" if record["role"] else ""),
            count(record["k"]),
            count(record["participants"]),
            number(record["estimate"]),
            interval(record["ci_low"], record["ci_high"]),
            interval(record["pi_low"], record["pi_high"]),
            p_value(record["p_value"]),
            number(record["tau2"], 3)
            + (f" ({interval(record['tau2_low'], record['tau2_high'], 3)})"
               if not math.isnan(record["tau2_low"]) else ""),
            f"{round_half_up(record['i2'], 0)}%" if not math.isnan(record["i2"]) else "",
            f"{number(record['q'])} ({count(record['q_df'])}, {p_value(record['q_p'])})"
            if not math.isnan(record["q"]) else "",
        ]
        for record in records(estimates)
    ]  # fmt: skip
    return plain_grid(f"{section}-estimates", "Pooled results by every model", headings, rows)


def csv_grid(id_: str, title: str, table: pd.DataFrame, columns: Mapping[str, str]) -> Grid:
    """A table of the sensitivity stage: the columns named, then those that every one prints.

    Parameters
    ----------
    id_, title : str
    table : DataFrame
        All cells text.
    columns : mapping of str to str
        Column -> heading.

    Returns
    -------
    Grid
    """
    with_numbers: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        ("k", lambda r: r.get("k", ""))
    ]
    if "estimate" in table:
        with_numbers.append(("Estimate (interval)", effect_of_text))
    if "coefficient" in table:
        with_numbers.append(
            ("Coefficient (interval)", lambda r: effect_of_text(r, ("coefficient", *_LIMITS)))
        )
    if "specifications" in table:
        with_numbers = [
            ("Specifications", lambda r: r["specifications"]),
            ("Median estimate", lambda r: number_of_text(r["median_estimate"])),
            ("Lowest", lambda r: number_of_text(r["lowest_estimate"])),
            ("Highest", lambda r: number_of_text(r["highest_estimate"])),
            ("Excluding no effect", lambda r: share_of_text(r["share_excluding_no_effect"])),
        ]
    if "statistic" in table:
        with_numbers.append(("Statistic", lambda r: number_of_text(r["statistic"])))
    if "p_value" in table:
        with_numbers.append(("p", lambda r: p_of_text(r["p_value"])))
    if "reason" in table:
        with_numbers.append(("Remark", lambda r: r["reason"]))
    rows = [
        [in_words(record[column]) for column in columns]
        + [read(record) for _, read in with_numbers]
        for record in records(table)
    ]
    headings = [*columns.values(), *(name for name, _ in with_numbers)]
    return plain_grid(id_, title, headings, rows)


_LIMITS = ("ci_low", "ci_high")


def effect_of_text(
    record: Mapping[str, Any], columns: tuple[str, str, str] = ("estimate", *_LIMITS)
) -> str:
    """An estimate and its interval from cells that are text: ``1.46 (1.25–1.70)``."""
    value, low, high = (record[column] for column in columns)
    if not value:
        return ""
    if not low or not high:
        return number_of_text(value)
    return f"{number_of_text(value)} ({interval(float(low), float(high))})"


def number_of_text(text: str, digits: int = 2) -> str:
    """A number that is text, as figures print it."""
    return number(float(text), digits) if text else ""


def share_of_text(text: str) -> str:
    """A share that is text, in percent."""
    return f"{round_half_up(100 * float(text), 0)}%" if text else ""


def p_of_text(text: str) -> str:
    """A p value that is text, as tables print it."""
    return p_value(float(text)) if text else ""


def in_words(text: str) -> str:
    """A word of a table for readers."""
    return text.replace("_", " ")


def number(value: float, digits: int = 2) -> str:
    """A number as figures print it; ``""`` where there is none."""
    return "" if math.isnan(value) else format_number(value, digits)


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval as figures print it; ``""`` where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else format_interval(low, high, digits)


def p_value(value: float) -> str:
    """A p value below a heading that says so: ``0.03``, ``< 0.001``."""
    return "" if math.isnan(value) else format_p(value).removeprefix("p = ").removeprefix("p ")


def count(value: float) -> str:
    """A whole number with a comma at the thousands; ``""`` where there is none."""
    return "" if math.isnan(value) else f"{value:,.0f}"


def _outside(data: Mapping[str, Any]) -> tuple[Link, ...]:
    """Registration, DOI and PubMed of a row; a row with two sources has two of them."""
    texts = [text for column in ("nct", "doi") for text in str(data.get(column, "")).split("; ")]
    found = [text.removesuffix(".0") for text in str(data.get("pmid", "")).split("; ")]
    texts += [f"PMID {text}" for text in found if text.isdecimal()]
    return tuple(dict.fromkeys(link for text in texts for link in linked_cell(text)))


def _shared(cells: Sequence[Cell]) -> Cell:
    """The first cells of a group as one; its link stands where all have the same."""
    return cells[0] if len({cell.links for cell in cells}) == 1 else Cell(cells[0].text)
