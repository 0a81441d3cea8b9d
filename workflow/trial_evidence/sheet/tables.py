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

# Columns whose printed decimals matter, by kind of evidence: they show how far rounding may have
# moved a limit, which counts a percentage can come from, and which of two rates is more precise.
PRINTED = {
    "contrasts": ("hr", "ci_low", "ci_high", "p_value"),
    "rates": ("percent",),
    "counts": ("reported_percent",),
}

# Default values for columns that a table of results does not have.
UNSAID = {"subgroup": ALL, "assessor": "", "status": "current"}


@dataclass(frozen=True)
class Sheet:
    """The extraction sheet, checked and typed.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Table name to data frame, with the columns of the dictionary. Numbers are float64 with NaN
        for an empty cell; everything else is text with ``""`` for an empty cell. A p value is split
        into ``p_value`` and ``p_value_operator`` (``"="``, ``"<"`` or ``""``). ``row`` is the row
        number of the spreadsheet. A table of results also has ``outcome``, the outcome that a row
        reports (the name of the table if it has no such column or the cell is empty), and
        ``subgroup``, ``assessor`` and ``status``, with the defaults of ``UNSAID`` if the sheet
        lacks them. Columns in ``PRINTED`` are also kept as the text in the file: ``hr_printed``,
        ``percent_printed``.
    kinds : mapping of str to str
        Table of results -> its kind of evidence.
    """

    tables: Mapping[str, pd.DataFrame]
    kinds: Mapping[str, str]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Names of the tables of results with this kind of evidence."""
        return tuple(name for name, other in self.kinds.items() if other == kind)

    def all_of(self, kind: str) -> tuple[pd.DataFrame, ...]:
        """The tables of results with this kind of evidence."""
        return tuple(self.tables[name] for name in self.of_kind(kind))

    @property
    def results(self) -> tuple[str, ...]:
        """Names of the tables of results."""
        return tuple(self.kinds)

    def row(self, name: str, number: int) -> dict[str, Any]:
        """The row of a table with this spreadsheet row number; an empty dictionary if none."""
        table = self.tables[name]
        return next(iter(as_records(table[table["row"] == number])), {})

    def of_trial(self, name: str, trial_id: str) -> Sequence[dict[str, Any]]:
        """Rows of a table for one trial, column -> value; callers must not modify them."""
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
        """Trial and outcome -> the overall risk of bias as judged by a person."""
        table = self.tables["risk_of_bias"]
        places = zip(table["trial_id"], table["outcome"], strict=True)
        return dict(zip(places, table["overall"], strict=True))


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a data frame as dictionaries, column name -> value."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def typed_sheet(tables: Mapping[str, CheckedTable]) -> Sheet:
    """Return the data frames of a sheet without errors."""
    frames = {name: _frame(name, table) for name, table in tables.items()}
    kinds = {name: checked.table.kind for name, checked in tables.items() if checked.table.kind}
    return Sheet(MappingProxyType(frames), MappingProxyType(kinds))


def operator(p_value: str) -> str:
    """Return the operator of a p value as written: ``<``, ``=``, or ``""`` for an empty cell."""
    return "<" if p_value.startswith("<") else p_value and "="


def _frame(name: str, checked: CheckedTable) -> pd.DataFrame:
    # Imported here because they are slow, and checks alone do not need them.
    import numpy as np
    import pandas as pd

    rows = checked.rows
    data: dict[str, tuple[Any, Any]] = {"row": ([row.number for row in rows], "int64")}
    for column in checked.table.columns.values():
        texts = [row.texts.get(column.name, "") for row in rows]
        data[column.name] = texts, "object"
        if column.is_number:
            data[column.name] = [row.numbers.get(column.name, nan) for row in rows], "float64"
        if column.type == "p_value":
            data[f"{column.name}_operator"] = [operator(text) for text in texts], "object"
        if column.name in PRINTED.get(checked.table.kind, ()):
            data[f"{column.name}_printed"] = texts, "object"
    if checked.table.kind:
        data["outcome"] = [row.text(checked.table.outcome_column) or name for row in rows], "object"
        for name_of, unsaid in UNSAID.items():
            data.setdefault(name_of, ([unsaid] * len(rows), "object"))
    # With types and one index given, pandas neither inspects nor aligns the columns.
    index = pd.RangeIndex(len(rows))
    arrays = {n: np.array(cells, dtype=dtype) for n, (cells, dtype) in data.items()}
    series = {n: pd.Series(array, index=index, dtype=array.dtype) for n, array in arrays.items()}
    # copy() stores columns of one type in one block, which makes taking rows faster.
    return pd.DataFrame(series, index=index).copy()
