"""Conventions shared by writing and reading: helper sheets of a workbook, checksums of rows."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping

from trial_evidence.sheet.dictionary import Table

READ_ME = "read me"
LISTS = "lists"
# Holds one checksum for each row of the sheet from which the workbook was made.
MADE_FROM = "made from"
# The only sheet of a worklist, which is not a workbook of the sheet.
WORKLIST = "worklist"
# The first sheet of a workbook made from a registry record; not a workbook of the sheet either.
REGISTRY = "registry"
HELPERS = frozenset({READ_ME, LISTS, MADE_FROM})
# Sheets and columns with this prefix are the analyst's own and are never imported.
PRIVATE = "_"


def row_mark(table: Table, cells: Mapping[str, str]) -> tuple[str, str]:
    """Return the table and a short checksum of a row, unchanged as long as no cell changes."""
    text = "\x1f".join(one_kind_of_line_break(cells.get(name, "")) for name in table.columns)
    return table.name, hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def as_csv(records: Iterable[Iterable[str]], line_break: str = "\n") -> str:
    """Return records as the text of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_break).writerows(records)
    return text.getvalue()


def one_kind_of_line_break(text: str) -> str:
    """Return `text` with line feeds only, as a spreadsheet stores line breaks in a cell."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
