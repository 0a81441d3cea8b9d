"""One table of the report: what is printed, and the numbers behind it.

A table is a tidy frame (a row a result) and a tuple of :class:`Column`, which say what is printed
of a row under which heading. CSV, workbook, document and page all render the same
:class:`ReportTable`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.words.numbers import format_interval, format_number, round_half_up

NOT_STATED = "not stated"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A printed column.

    Attributes
    ----------
    heading : str
    key : str
        Column of the frame whose value is printed; ``""`` where the cell is made of the whole row.
    text : function
        From that value, or from the row, to what is printed.
    """

    heading: str
    key: str = ""
    text: Callable[[Any], str] = str

    def of(self, row: Row) -> str:
        """What is printed of a row."""
        return self.text(row[self.key] if self.key else row)


SETTING = Column("Setting", "setting_name")
ANALYSIS = Column("Analysis", "title")
SOURCE = Column("Source", "source")
COMPARISON = Column("Comparison and outcome", "title")


@dataclass(frozen=True)
class ReportTable:
    """A table as a reader sees it, and as a program reads it.

    Attributes
    ----------
    name : str
        Stem of its file in results/tables, and name of its sheet in the workbook.
    title : str
        The caption, without a number.
    frame : DataFrame
        What is printed: columns are headings, cells are text, ``""`` for an empty cell.
    notes : tuple of str
        Footnotes, a sentence or more each.
    data : DataFrame
        The same rows in the same order for machines: full precision, ids, links (``doi``,
        ``pmid``, ``nct``) in columns of their own.
    """

    name: str
    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...]
    data: pd.DataFrame


def report_table(
    name: str,
    title: str,
    rows: Iterable[Row],
    columns: Sequence[Column],
    keys: Sequence[str],
    notes: Iterable[str] = (),
) -> ReportTable:
    """A table from its rows; the columns are there even where there is no row.

    Parameters
    ----------
    name, title : str
    rows : iterable of mapping
        Key -> value.
    columns : sequence of Column
        What is printed, in order.
    keys : sequence of str
        What ``data`` holds of the rows, in order.
    notes : iterable of str
    """
    rows = list(rows)
    frame = pd.DataFrame(
        [[column.of(row) for column in columns] for row in rows],
        columns=[column.heading for column in columns],
    )
    data = pd.DataFrame([[row[key] for key in keys] for row in rows], columns=list(keys))
    return ReportTable(name, title, frame.astype(str), tuple(notes), data)


def markdown(rows: Iterable[Row], columns: Sequence[Column], numeric: Sequence[str]) -> list[str]:
    """The lines of a table in Markdown; columns with these headings are set to the right."""
    lines = [
        [column.heading for column in columns],
        ["---:" if column.heading in numeric else "---" for column in columns],
        *([column.of(row).replace("|", "\\|") for column in columns] for row in rows),
    ]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def count(value: float) -> str:
    """A whole number with a comma at the thousands; ``""`` where there is none."""
    return "" if math.isnan(value) else f"{value:,.0f}"


def whole(value: float) -> str:
    """A whole number as it is, such as a year; ``""`` where there is none."""
    return "" if math.isnan(value) else f"{value:.0f}"


def number(value: float, digits: int = 2) -> str:
    """A number as figures print it; ``""`` where there is none."""
    return "" if math.isnan(value) else format_number(value, digits)


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval as figures print it; ``""`` where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else format_interval(low, high, digits)


def with_interval(estimate: float, low: float, high: float, digits: int = 2) -> str:
    """``1.46 (1.25–1.70)``; ``""`` where there is no estimate."""
    shown = number(estimate, digits)
    return f"{shown} ({interval(low, high, digits)})" if shown else ""


def percent(share: float, digits: int = 0) -> str:
    """A share in percent, ``31%``; ``""`` where there is none."""
    return "" if math.isnan(share) else f"{round_half_up(100 * share, digits)}%"


def stated(text: str) -> str:
    """The text, or that the sheet does not have it."""
    return text or NOT_STATED


def words(text: str) -> str:
    """Words of the sheet for readers: ``some_concerns`` is ``some concerns``."""
    return text.replace("_", " ")


def of_whom(subgroup: str) -> str:
    """A subgroup of patients for readers: ``all``, ``hormone receptor: negative``."""
    return words(subgroup).replace("=", ": ")


def listing(items: Sequence[str]) -> str:
    """Items in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def counted(n: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 trial``, ``1,200 trials``."""
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
