"""One table of the report: what is printed, and the numbers behind it.

A table is a tidy frame (a row a result) and declared columns (:mod:`.formats`), which say what is
printed of a row under which heading. CSV, workbook, document and page all render the same
:class:`ReportTable`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from trial_evidence.report.words.formats import FORMATS, Column, Format, Row, cell


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
    merged : int
        So many columns on the left have cells over the rows that they are alike in.
    """

    name: str
    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...]
    data: pd.DataFrame
    merged: int = 0


def report_table(
    name: str,
    title: str,
    rows: Iterable[Row],
    columns: Sequence[Column],
    keys: Sequence[str],
    notes: Iterable[str] = (),
    formats: Mapping[str, Format] = FORMATS,
    merged: int = 0,
) -> ReportTable:
    """A table from its rows; the columns are there even where there is no row.

    `columns` say what is printed and `keys` what ``data`` holds of the rows, both in order.
    """
    rows = list(rows)
    frame = pd.DataFrame(
        [[cell(formats, row, column) for column in columns] for row in rows],
        columns=[column[0] for column in columns],
    )
    data = pd.DataFrame([[row[key] for key in keys] for row in rows], columns=list(keys))
    return ReportTable(name, title, frame.astype(str), tuple(notes), data, merged)
