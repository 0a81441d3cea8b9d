"""What both directions have to agree on: the helper sheets of a workbook and the mark of a row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from trial_evidence.sheet import Table

READ_ME = "read me"
LISTS = "lists"
# One mark a row of the sheet that the workbook was made from.
MADE_FROM = "made from"
HELPERS = frozenset({READ_ME, LISTS, MADE_FROM})


def row_mark(table: Table, cells: Mapping[str, str]) -> str:
    """Return a short mark that stays the same as long as no cell of a row changes."""
    text = "\x1f".join(one_kind_of_line_break(cells.get(name, "")) for name in table.columns)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def one_kind_of_line_break(text: str) -> str:
    """Return `text` with the line breaks that a spreadsheet keeps in a cell."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
