"""Random edits of a sheet, like slips of the hand in a spreadsheet.

An edit is drawn by hypothesis and knows which rows it handled, before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

Cells = list[list[str]]
# Tables with numbers are the most interesting.
TABLES = (
    *("pcr",) * 6, *("hazard_ratios",) * 6, *("arms",) * 2, *("trials",) * 2, "sources", "agents",
    "exclusions", "populations", "second_reading", "risk_of_bias", "biomarker_effects",
    "search_log",
)  # fmt: skip
INSERTED = (
    *"0123456789", *".,;:<>=+-*/%'\"&|", " ", "\u00a0", "\u2212", "\u00bd", "e", "x", "\n", "\t",
    "00", "NA", "all",
)  # fmt: skip
RETYPED = (
    "", " ", "0", "1", "2", "0.5", "1.00", "95", "100", "1e3", "-1", "0,81", "<0.001", "9/12", "NA",
    "yes", "no", "all", "hormone_receptor=negative", "hormone_receptor=positive & stage=II",
    "final", "interim", "current", "superseded", "primary", "secondary", "unverified", "ITT",
    "evaluable", "ypT0/is", "OS", "PFS", "neoadjuvant", "adjuvant", "none", "chemotherapy", "*",
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """An edit of a table.

    Attributes
    ----------
    kind, table : str
    rows : list of list of str
        The table after the edit, the header first.
    before, after : frozenset of int
        Rows that were handled, as a spreadsheet numbers them before and after the edit.
    result : list of list of str
        The rows `after` as they are now; what is shown of a failing edit.
    """

    kind: str
    table: str
    rows: Cells = field(repr=False)
    before: frozenset[int]
    after: frozenset[int]
    result: Cells


def _delete_row(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    del rows[n]
    return {n}, set()


def _duplicate_row(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    at = draw(st.integers(1, len(rows)))
    rows.insert(at, rows[n][:])
    return {n}, {at, n + (at <= n)}


def _swap_rows(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    other = draw(st.sampled_from([r for r in range(1, len(rows)) if r != n] or [n]))
    rows[n], rows[other] = rows[other], rows[n]
    return {n, other}, {n, other}


def _swap_cells_of_a_row(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    columns = range(len(rows[n]))
    pairs = [(a, b) for a in columns for b in columns if a < b and rows[n][a] != rows[n][b]]
    one, other = draw(st.sampled_from(pairs))
    rows[n][one], rows[n][other] = rows[n][other], rows[n][one]
    return {n}, {n}


def _swap_cells_of_a_column(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    # Neighbouring rows belong to the same trial, where an exchange is easily missed.
    near = [r for r in range(max(1, n - 4), min(n + 5, len(rows))) if r != n]
    pairs = [(r, c) for r in near for c, cell in enumerate(rows[n]) if rows[r][c] != cell]
    if not pairs:
        return set(), set()
    other, column = draw(st.sampled_from(pairs))
    rows[n][column], rows[other][column] = rows[other][column], rows[n][column]
    return {n, other}, {n, other}


def _retype(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    column = draw(st.integers(0, len(rows[n]) - 1))
    words = [{row[column] for row in rows[1:]}, set(RETYPED)]
    others = [sorted(some - {rows[n][column]}) for some in words]
    rows[n][column] = draw(st.one_of(st.sampled_from(some) for some in others if some))
    return {n}, {n}


def _another_digit(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    digits = [(c, k) for c, cell in enumerate(rows[n]) for k, x in enumerate(cell) if x.isdecimal()]
    if digits:
        column, k = draw(st.sampled_from(digits))
        cell = rows[n][column]
        digit = draw(st.sampled_from([x for x in "0123456789" if x != cell[k]]))
        rows[n][column] = cell[:k] + digit + cell[k + 1 :]
    return {n}, {n}


def _insert_characters(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    column = draw(st.integers(0, len(rows[n]) - 1))
    cell = rows[n][column]
    at = draw(st.integers(0, len(cell)))
    rows[n][column] = cell[:at] + draw(st.sampled_from(INSERTED)) + cell[at:]
    return {n}, {n}


def _shift_row(draw: st.DrawFn, rows: Cells, n: int) -> tuple[set[int], set[int]]:
    column = draw(st.integers(0, len(rows[n]) - 1))
    match draw(st.sampled_from(["right", "left", "right and cut off", "left and filled up"])):
        case "right":
            rows[n].insert(column, "")
        case "left":
            del rows[n][column]
        case "right and cut off":
            rows[n].insert(column, "")
            del rows[n][-1]
        case "left and filled up":
            del rows[n][column]
            rows[n].append("")
    return {n}, {n}


KINDS: Mapping[str, Callable[[st.DrawFn, Cells, int], tuple[set[int], set[int]]]] = {
    "delete": _delete_row,
    "duplicate": _duplicate_row,
    "swap rows": _swap_rows,
    "swap cells of a row": _swap_cells_of_a_row,
    "swap cells of a column": _swap_cells_of_a_column,
    "retype": _retype,
    "another digit": _another_digit,
    "insert characters": _insert_characters,
    "shift": _shift_row,
}


@st.composite
def edits(draw: st.DrawFn, sheet: Mapping[str, Cells]) -> Edit:
    """One edit of one or two rows of a sheet.

    Parameters
    ----------
    sheet : mapping of str to list of list of str
        Table name to cells, the header first; not changed.
    """
    table = draw(st.sampled_from(TABLES))
    kind = draw(st.sampled_from(sorted(KINDS)))
    rows = [row[:] for row in sheet[table]]
    n = draw(st.integers(1, len(rows) - 1))
    before, after = KINDS[kind](draw, rows, n)
    return Edit(
        kind,
        table,
        rows,
        frozenset(row + 1 for row in before),
        frozenset(row + 1 for row in after),
        [rows[row] for row in sorted(after)],
    )
