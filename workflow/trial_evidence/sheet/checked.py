"""The sheet after its cells were read one by one: what the checks across cells work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trial_evidence.words.problems import Problem, Severity

from .dictionary import Dictionary, Table


@dataclass(frozen=True)
class CheckedRow:
    """One row whose readable cells can be relied on.

    Attributes
    ----------
    number : int
        Row number of the spreadsheet.
    subject : str
        The trial (or source, agent, ...) the row is about.
    texts : mapping of str to str
        Column to text, ``""`` for an empty cell; cells that could not be read are left out, so
        that one fault is reported once.
    numbers : mapping of str to float
        Column to number; only filled cells of number columns.
    """

    file: str
    number: int
    subject: str
    texts: Mapping[str, str]
    numbers: Mapping[str, float]

    def text(self, column: str) -> str:
        """Return the text of a cell; ``""`` when it is empty or could not be read."""
        return self.texts.get(column, "")

    def is_blank(self, column: str) -> bool:
        """Say whether a cell was left empty (a cell that could not be read is not empty)."""
        return self.texts.get(column) == ""

    def problem(self, severity: Severity, column: str, message: str) -> Problem:
        """Return a finding about one cell of this row."""
        value = self.text(column)
        return Problem(severity, self.file, self.number, self.subject, column, value, message)


Rows = Mapping[str, Sequence[CheckedRow]]


def of_kind(tables: Rows, dictionary: Dictionary, *kinds: str) -> list[CheckedRow]:
    """The rows of the tables of results of these kinds; of every kind where none is named."""
    names = dictionary.of_kind(*kinds) if kinds else dictionary.kinds
    return [row for name in names for row in tables.get(name, ())]


@dataclass(frozen=True)
class CheckedTable:
    """A table whose cells were read.

    Attributes
    ----------
    doubtful : frozenset of str
        Texts of cells that could not be read; see `RawTable.unread`.
    columns : frozenset of str
        The columns that could be read.
    """

    table: Table
    rows: tuple[CheckedRow, ...]
    doubtful: frozenset[str]
    columns: frozenset[str]
