"""One table of the report: what is printed, and the numbers behind it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.words.numbers import format_interval, format_number, round_half_up

NOT_STATED = "not stated"


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

    def __post_init__(self) -> None:
        if len(self.frame) != len(self.data):
            raise ValueError(f"{self.name}: {len(self.frame)} rows shown of {len(self.data)}")


def report_table(
    name: str,
    title: str,
    shown: Sequence[Mapping[str, str]],
    data: Sequence[Mapping[str, Any]],
    headings: Sequence[str],
    columns: Sequence[str],
    notes: Iterable[str] = (),
) -> ReportTable:
    """A table from its rows; the columns stand even where there is no row.

    Parameters
    ----------
    name, title : str
    shown : sequence of mapping
        Heading -> cell, a mapping a row.
    data : sequence of mapping
        Column -> value, for the same rows.
    headings, columns : sequence of str
        Columns of ``frame`` and ``data``, in order.
    notes : iterable of str

    Returns
    -------
    ReportTable
    """
    frame = pd.DataFrame([[str(row[h]) for h in headings] for row in shown], columns=list(headings))
    values = pd.DataFrame([[row[c] for c in columns] for row in data], columns=list(columns))
    return ReportTable(name, title, frame.astype(str), tuple(notes), values)


def count(value: float) -> str:
    """A whole number with a comma at the thousands; ``""`` where there is none."""
    return "" if math.isnan(value) else f"{value:,.0f}"


def number(value: float, digits: int = 2) -> str:
    """A number as figures print it; ``""`` where there is none."""
    return "" if math.isnan(value) else format_number(value, digits)


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval as figures print it; ``""`` where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else format_interval(low, high, digits)


def with_interval(estimate: float, low: float, high: float, digits: int = 2) -> str:
    """``1.46 (1.25–1.70)``; ``""`` where there is no estimate."""
    return (
        f"{number(estimate, digits)} ({interval(low, high, digits)})"
        if estimate == estimate
        else ""
    )


def percent(share: float, digits: int = 0) -> str:
    """A share in percent, ``31%``; ``""`` where there is none."""
    return "" if math.isnan(share) else f"{round_half_up(100 * share, digits)}%"


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
