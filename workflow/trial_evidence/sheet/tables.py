"""The sheet as typed data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .checked import CheckedTable
from .values import ALL

if TYPE_CHECKING:
    import pandas as pd

# How many decimals a source printed says how far a limit may be from the true one, and which of two
# reports of one rate is the finer.
PRINTED = {"hazard_ratios": ("hr", "ci_low", "ci_high", "p_value"), "milestones": ("percent",)}

# What a table of results says of its rows where it has no such column.
UNSAID = {"subgroup": ALL, "assessor": "", "status": "current"}


@dataclass(frozen=True)
class Sheet:
    """The extraction sheet, checked and typed.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Table name to frame, in the columns of the dictionary. Numbers are float64 with NaN for an
        empty cell; all else is text with ``""`` for an empty cell. A p value is split into
        ``p_value`` and ``p_value_operator`` (``"="``, ``"<"`` or ``""``). ``row`` is the row
        number of the spreadsheet. A table of results also has ``outcome``, the name of what a row
        reports (where the table has no column for it, that of the table), and ``subgroup`` and
        ``assessor`` where the table has none. Columns of ``PRINTED`` are kept as the text in the
        file as well: ``hr_printed``, ``percent_printed``.
    kinds : mapping of str to str
        Tables of results, each with the kind of evidence that it holds.
    """

    tables: Mapping[str, pd.DataFrame]
    kinds: Mapping[str, str]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Names of the tables of results that hold one kind of evidence."""
        return tuple(name for name, other in self.kinds.items() if other == kind)

    def all_of(self, kind: str) -> tuple[pd.DataFrame, ...]:
        """The tables of results that hold one kind of evidence."""
        return tuple(self.tables[name] for name in self.of_kind(kind))

    @property
    def results(self) -> tuple[str, ...]:
        """Names of the tables of results."""
        return tuple(self.kinds)

    def row(self, name: str, number: int) -> dict[str, Any]:
        """The row of a table that the spreadsheet gives this number; empty where there is none."""
        table = self.tables[name]
        return next(iter(as_records(table[table["row"] == number])), {})

    def of_trial(self, name: str, trial_id: str) -> Sequence[dict[str, Any]]:
        """Rows of a table about a trial, column -> value; nobody may change them."""
        return self._of_trials.get(name, {}).get(trial_id, [])

    @cached_property
    def _of_trials(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for name, table in self.tables.items():
            for row in as_records(table) if "trial_id" in table else ():
                found.setdefault(name, {}).setdefault(row["trial_id"], []).append(row)
        return found

    @cached_property
    def judgements(self) -> dict[tuple[str, str], str]:
        """Trial and outcome -> the overall risk of bias that a person judged."""
        table = self.tables["risk_of_bias"]
        places = zip(table["trial_id"], table["outcome"], strict=True)
        return dict(zip(places, table["overall"], strict=True))


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dictionaries, column name -> value."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def typed_sheet(tables: Mapping[str, CheckedTable]) -> Sheet:
    """Return the frames of a sheet in which no error was found."""
    frames = {name: _frame(name, table) for name, table in tables.items()}
    kinds = {name: checked.table.kind for name, checked in tables.items() if checked.table.kind}
    return Sheet(MappingProxyType(frames), MappingProxyType(kinds))


def operator(p_value: str) -> str:
    """Return the operator of a p value as written."""
    return "<" if p_value.startswith("<") else p_value and "="


def _frame(name: str, checked: CheckedTable) -> pd.DataFrame:
    # Slow to import, and checking alone does not need it.
    import pandas as pd

    rows = checked.rows
    data: dict[str, tuple[Any, Any]] = {"row": ([row.number for row in rows], "int64")}
    for column in checked.table.columns.values():
        texts = [row.texts.get(column.name, "") for row in rows]
        data[column.name] = texts, "object"
        if column.is_number:
            numbers = [row.numbers.get(column.name, nan) for row in rows]
            data[column.name] = numbers, "float64"
        if column.type == "p_value":
            data[f"{column.name}_operator"] = [operator(text) for text in texts], "object"
        if column.name in PRINTED.get(name, ()):
            data[f"{column.name}_printed"] = texts, "object"
    if checked.table.kind:
        data["outcome"] = [row.text(checked.table.outcome_column) or name for row in rows], "object"
        for name_of, unsaid in UNSAID.items():
            data.setdefault(name_of, ([unsaid] * len(rows), "object"))
    series = {n: pd.Series(cells, dtype=dtype) for n, (cells, dtype) in data.items()}
    # A copy keeps columns of one type together: rows of all of them are taken at once.
    return pd.DataFrame(series).copy()
