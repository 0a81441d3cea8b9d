"""The sheet after its cells have been read: the input for checks across cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trial_evidence.words.problems import Problem, Severity

from .dictionary import Dictionary, Table


@dataclass(frozen=True)
class CheckedRow:
    """A row of which only the valid cells are kept.

    Attributes
    ----------
    number : int
        Row number of the spreadsheet.
    subject : str
        The trial (or source, agent, ...) that the row concerns.
    texts : mapping of str to str
        Column to text, ``""`` for an empty cell; invalid cells are left out, so that an error is
        reported only once.
    numbers : mapping of str to float
        Column to number, only for filled cells of numeric columns.
    """

    file: str
    number: int
    subject: str
    texts: Mapping[str, str]
    numbers: Mapping[str, float]

    def text(self, column: str) -> str:
        """Return the text of a cell; ``""`` if it is empty or invalid."""
        return self.texts.get(column, "")

    def is_blank(self, column: str) -> bool:
        """Return whether a cell was left empty (an invalid cell is not empty)."""
        return self.texts.get(column) == ""

    def problem(self, severity: Severity, column: str, message: str) -> Problem:
        """Return a finding about one cell of this row."""
        value = self.text(column)
        return Problem(severity, self.file, self.number, self.subject, column, value, message)


Rows = Mapping[str, Sequence[CheckedRow]]


def of_kind(tables: Rows, dictionary: Dictionary, *kinds: str) -> list[CheckedRow]:
    """Rows of all tables of results of these kinds, or of every kind if none is given."""
    names = dictionary.of_kind(*kinds) if kinds else dictionary.kinds
    return [row for name in names for row in tables.get(name, ())]


@dataclass(frozen=True)
class CheckedTable:
    """A table whose cells have been read.

    Attributes
    ----------
    doubtful : frozenset of str
        Texts of invalid cells, and `RawTable.unread`.
    columns : frozenset of str
        The columns that could be read.
    """

    table: Table
    rows: tuple[CheckedRow, ...]
    doubtful: frozenset[str]
    columns: frozenset[str]
