"""What both directions have to agree on: the helper sheets of a workbook and the mark of a row."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping

from trial_evidence.sheet.dictionary import Table

READ_ME = "read me"
LISTS = "lists"
# One mark a row of the sheet that the workbook was made from.
MADE_FROM = "made from"
# The only sheet of a worklist, which is no workbook of the sheet.
WORKLIST = "worklist"
# The first sheet of what a registry record says, which is none either.
REGISTRY = "registry"
HELPERS = frozenset({READ_ME, LISTS, MADE_FROM})
# Sheets and columns whose names begin so are the analyst's own, and never imported.
PRIVATE = "_"


def row_mark(table: Table, cells: Mapping[str, str]) -> tuple[str, str]:
    """Return the table and a short mark that stays the same as long as no cell of a row changes."""
    text = "\x1f".join(one_kind_of_line_break(cells.get(name, "")) for name in table.columns)
    return table.name, hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def as_csv(records: Iterable[Iterable[str]], line_break: str = "\n") -> str:
    """Return records as the text of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_break).writerows(records)
    return text.getvalue()


def one_kind_of_line_break(text: str) -> str:
    """Return `text` with the line breaks that a spreadsheet keeps in a cell."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
