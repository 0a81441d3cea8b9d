"""Differences between two versions of the sheet, row by row and in words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from trial_evidence.sheet.cells import RawTable, Row
from trial_evidence.sheet.dictionary import NUMBER_TYPES, Table
from trial_evidence.words.problems import counted, quoted, shared_start, shortened

# Rows that share less than this fraction of their filled cells count as two rows, not as one that
# was changed. Rows of the same trial need less in common.
_ALIKE_IN_A_TRIAL = 0.5
_ALIKE_ELSEWHERE = 0.7
# Pairs of rows that are compared cell by cell, in about a second.
_MOST_COMPARED = 500_000
# Up to this many rows of a table may be removed without a question.
_FEW_ROWS = 3
_LONG = 60
_CONTEXT = 20


@dataclass(frozen=True)
class TableDifference:
    """The differences in one table.

    Attributes
    ----------
    pairs : tuple of (Row, Row)
        The same row before and after, changed or not, in the earlier version's order.
    added, removed : tuple of Row
        Rows without a counterpart.
    """

    table: Table
    pairs: tuple[tuple[Row, Row], ...]
    added: tuple[Row, ...]
    removed: tuple[Row, ...]

    @property
    def changed(self) -> tuple[tuple[Row, Row], ...]:
        """The pairs in which at least one cell differs."""
        return tuple((old, new) for old, new in self.pairs if old.cells != new.cells)

    @property
    def after(self) -> tuple[Row, ...]:
        """The rows of the later version, in its order."""
        rows = (*self.added, *(new for _, new in self.pairs))
        return tuple(sorted(rows, key=lambda row: row.number))

    @property
    def counts(self) -> str:
        """Numbers of rows added, changed and removed, in words."""
        return ", ".join(
            f"{counted(len(rows), 'row')} {verb}"
            for verb in ("added", "changed", "removed")
            if (rows := getattr(self, verb))
        )

    @property
    def rows_before(self) -> int:
        """Number of rows in the earlier version."""
        return len(self.pairs) + len(self.removed)

    @property
    def loses_many(self) -> bool:
        """Whether so many rows are gone that a mistake is more likely than an edit.

        A few rows edited beyond recognition are not missing, but most of a table is.
        """
        gone, before = len(self.removed), self.rows_before
        fewer = gone - len(self.added)
        return fewer > _FEW_ROWS or 0 < fewer == before or gone > max(_FEW_ROWS, before / 2)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def table_difference(before: RawTable, after: RawTable) -> TableDifference:
    """Match the rows of two versions of a table.

    Rows match if they are equal; failing that, if they have the same key (the id, or the key
    columns of the dictionary); failing that, if they have most cells in common, within the same
    trial first. The order of the rows does not matter.
    """
    matching = _Matching(before, after)
    matching.match(lambda row: tuple(sorted(row.cells.items())))
    key = next(iter(before.table.keys), ())
    if key:
        matching.match(lambda row: tuple(row.cells.get(name, "") for name in key))
    subject = before.table.subject_column
    if subject is not None and subject not in key:
        matching.match_alike(lambda row: row.cells.get(subject, ""), _ALIKE_IN_A_TRIAL)
    # Every row is compared with every other: seconds for thousands of rows that all differ.
    if len(matching.before) * len(matching.after) <= _MOST_COMPARED:
        matching.match_alike(lambda row: "", _ALIKE_ELSEWHERE)
    pairs = tuple(sorted(matching.pairs, key=lambda pair: pair[0].number))
    added, removed = matching.after.values(), matching.before.values()
    return TableDifference(before.table, pairs, tuple(added), tuple(removed))


def in_words(difference: TableDifference) -> list[str]:
    """Return the differences in one table as lines of text; none if nothing differs.

    First a line with the counts, then one for every row that was changed, added or removed, with
    the old and new values of the changed columns. Row numbers are those of the later version, or
    of the earlier one for a removed row.
    """
    if not difference:
        return []
    table = difference.table
    lines = [f"{table.name}: {difference.counts}"]
    for old, new in difference.changed:
        changes = [
            f"{name} {_change(old.cells.get(name, ''), new.cells.get(name, ''))}"
            for name in table.columns
            if old.cells.get(name, "") != new.cells.get(name, "")
        ]
        lines.append(f"  changed  row {new.number}, {_which(table, old)}: {', '.join(changes)}")
    for verb, rows in (("added", difference.added), ("removed", difference.removed)):
        lines += [
            f"  {verb:<8} row {row.number}, {_which(table, row)}{_contents(table, row)}"
            for row in rows
        ]
    return lines


class _Matching:
    """Rows not yet matched, before and after, by number, and the pairs matched so far."""

    def __init__(self, before: RawTable, after: RawTable) -> None:
        self.before = {row.number: row for row in before.rows}
        self.after = {row.number: row for row in after.rows}
        self.columns = tuple(before.table.columns)
        self.pairs: list[tuple[Row, Row]] = []

    def match(self, key_of: Callable[[Row], Hashable]) -> None:
        """Pair rows with the same key; if several, in order."""
        waiting = self._after_by(key_of)
        for row in list(self.before.values()):
            candidates = waiting.get(key_of(row))
            if candidates:
                self._join(row.number, candidates.pop(0).number)

    def match_alike(self, group_of: Callable[[Row], Hashable], least: float) -> None:
        """Pair the most similar rows within each group, the most similar pair first."""
        groups = self._after_by(group_of)
        scores = [
            (-score, abs(old.number - new.number), old.number, new.number)
            for old in self.before.values()
            for new in groups.get(group_of(old), ())
            if (score := self._likeness(old, new)) >= least
        ]
        for _, _, old_number, new_number in sorted(scores):
            if old_number in self.before and new_number in self.after:
                self._join(old_number, new_number)

    def _after_by(self, key_of: Callable[[Row], Hashable]) -> dict[Hashable, list[Row]]:
        groups: dict[Hashable, list[Row]] = defaultdict(list)
        for row in self.after.values():
            groups[key_of(row)].append(row)
        return groups

    def _join(self, old: int, new: int) -> None:
        self.pairs.append((self.before.pop(old), self.after.pop(new)))

    def _likeness(self, old: Row, new: Row) -> float:
        """Return the share of equal cells among those that are filled in either row."""
        cells = [(old.cells.get(name, ""), new.cells.get(name, "")) for name in self.columns]
        filled = [(one, other) for one, other in cells if one or other]
        return sum(one == other for one, other in filled) / len(filled) if filled else 1.0


def _naming_columns(table: Table) -> Sequence[str]:
    """Return the columns that distinguish a row from the others of its trial.

    If the dictionary has no key, these are the required columns, other than numbers, before the
    first required number.
    """
    if table.keys:
        return table.keys[0]
    columns = list(table.columns.values())
    numbers = [column for column in columns if column.type in NUMBER_TYPES]
    ends = [column for column in numbers if column.required] or numbers
    before = takewhile(lambda column: column not in ends, columns)
    return [column.name for column in before if column.required and column not in numbers]


def _which(table: Table, row: Row) -> str:
    subject = table.subject_column
    parts = [row.cells.get(name, "") for name in _naming_columns(table) if name != subject]
    said = shortened(row.cells.get(subject or "", "")) or "(no trial)"
    details = ", ".join(shortened(part) for part in parts if part)
    return f"{said} ({details})" if details else said


def _contents(table: Table, row: Row) -> str:
    named = {*_naming_columns(table), table.subject_column}
    cells = [
        f"{name} {_value(row.cells[name])}"
        for name in table.columns
        if name not in named and row.cells.get(name)
    ]
    return ": " + ", ".join(cells) if cells else ""


def _change(old: str, new: str) -> str:
    if not old:
        return f"was empty, now {_value(new)}"
    if not new:
        return f"emptied (was {_value(old)})"
    # For long texts, show only the part that differs, with a few words before it.
    long = max(len(old), len(new)) > _LONG
    start = max(0, shared_start(old, new) - _CONTEXT) if long else 0
    cut = "…" if start else ""
    return f"changed from {_value(cut + old[start:])} to {_value(cut + new[start:])}"


def _value(text: str) -> str:
    return text if re.fullmatch(r"<?[0-9.]+", text) else quoted(text)
