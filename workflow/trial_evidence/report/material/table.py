"""One table of the report: what is printed, and the numbers behind it.

A table is a tidy frame (a row a result) and a tuple of :class:`Column`, which say what is printed
of a row under which heading. CSV, workbook, document and page all render the same
:class:`ReportTable`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

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
