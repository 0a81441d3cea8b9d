"""Two readers of one row: where they differ, and the value that was settled on.

``second_reading`` says what a second reader found for a row, ``adjudication`` what counts where the
two differ. This module finds the row that a reading is about and puts the settled value in its
place; it stands upstream of everything that uses the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from trial_evidence.words.problems import (
    Problem,
    Severity,
    SheetError,
    did_you_mean,
    has_errors,
    quoted,
)

from .arithmetic import Span, arithmetic_problems, printed_span
from .checked import CheckedRow
from .dictionary import Column, Dictionary
from .tables import PRINTED, Sheet
from .values import ALL, printed_decimals, read_cell

JOINT = "|"
UNADJUDICATED_COLUMNS = [
    "trial_id", "table", "row", "field", "first", "second", "sheet_holds",
]  # fmt: skip
_VERSUS = " v "
_NUMBER = re.compile(r"<?(?P<number>-?[0-9]*\.?[0-9]+)( \(.*\))?")


@dataclass(frozen=True)
class Reading:
    """What two readers found for one row.

    Attributes
    ----------
    number : int
        Row of second_reading.csv.
    table, trial_id, row_key, field : str
        As the file writes them.
    fields, first, second : tuple of str
        The columns compared and the two readers' values, one a column; a single entry where the
        values cannot be told apart by column.
    agree : bool
        The verdict of the second reader.
    source, locator, verification : str
        Where and how the second reader found it.
    """

    number: int
    table: str
    trial_id: str
    row_key: str
    field: str
    fields: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    agree: bool
    source: str
    locator: str
    verification: str

    def settled_by(self, decision: Mapping[str, Any]) -> bool:
        """Say whether a row of adjudication is about this reading: same row, all its columns."""
        row = (decision["table"], decision["trial_id"], decision["row_key"])
        if row != (self.table, self.trial_id, self.row_key):
            return False
        return set(self.fields) <= set(decision["field"].split(JOINT))


@dataclass(frozen=True)
class Replacement:
    """One cell that takes its settled value."""

    table: str
    row: int
    column: str
    text: str
    number: float


def readings(sheet: Sheet) -> tuple[Reading, ...]:
    """Return all second readings of a sheet, in its order."""
    return tuple(_reading(row) for row in _records(sheet["second_reading"]))


def differing_fields(reading: Reading) -> tuple[int, ...]:
    """Return the positions in `reading.fields` at which the two values differ.

    Two numbers agree when the finer rounds to the coarser: 52.5 and 53 do, 123 and 124 do not.
    """
    pairs = zip(reading.first, reading.second, strict=True)
    return tuple(n for n, (one, other) in enumerate(pairs) if not same_value(one, other))


def same_value(one: str, other: str) -> bool:
    """Say whether two printed values may stand for the same value.

    Numbers printed with the same decimals have to be equal; otherwise the finer one has to round
    to the coarser.
    """
    first, second = _number(one), _number(other)
    if first is None or second is None:
        return one.strip() == other.strip()
    if printed_decimals(first) == printed_decimals(second):
        return float(first) == float(second)
    return _span(first).meets(_span(second))


def same_values(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Say whether two readers' values agree in every column."""
    return len(ones) == len(others) and all(map(same_value, ones, others))


def matching_rows(sheet: Sheet, reading: Reading) -> tuple[int, ...]:
    """Return the rows of the sheet that a reading may be about.

    Current rows go before superseded ones. Where several fit, those that hold the first reader's
    values go before the others, then those that hold the second reader's.

    Returns
    -------
    tuple of int
        Row numbers of the spreadsheet: none where the key fits no row, several where it does not
        tell rows apart.
    """
    wanted = _conditions(sheet[reading.table], reading.row_key)
    if wanted is None:
        return ()
    rows = [
        row
        for row in _records(sheet[reading.table])
        if row["trial_id"] == reading.trial_id
        and all(str(row[column]) == value for column, value in wanted.items())
    ]
    narrower: list[Callable[[Mapping[str, Any]], bool]] = [
        lambda row: row["status"] == "current",
        lambda row: _holds(row, reading.fields, reading.first),
        lambda row: _holds(row, reading.fields, reading.second),
    ]
    for fits in narrower:
        if len(rows) > 1:
            rows = [row for row in rows if fits(row)] or rows
    return tuple(int(row["row"]) for row in rows)


def sheet_holds(sheet: Sheet, reading: Reading, row: int) -> tuple[str, ...]:
    """Return whose value a row holds now, one word a field.

    Returns
    -------
    tuple of str
        ``first``, ``second``, ``both``, ``neither``, or ``""`` where the field is no column.
    """
    frame = sheet[reading.table]
    record = next(r for r in _records(frame) if r["row"] == row)
    words = []
    for field, one, other in zip(reading.fields, reading.first, reading.second, strict=True):
        if field not in frame.columns:
            words.append("")
            continue
        first, second = _is(record[field], one), _is(record[field], other)
        words.append(
            "both" if first and second else "first" if first else "second" if second else "neither"
        )
    return tuple(words)


def unadjudicated(sheet: Sheet) -> pd.DataFrame:
    """Return the disagreements between the readers that nobody has settled.

    Returns
    -------
    DataFrame
        One row a sheet row and field: ``trial_id``, ``table``, ``row`` (of the spreadsheet),
        ``field``, ``first``, ``second`` (the two values as written) and ``sheet_holds`` (as
        :func:`sheet_holds` says). Readings whose key fits no row are left out: they say nothing
        about a number in use.
    """
    decisions = _records(sheet["adjudication"])
    found: dict[tuple[str, int, str, str, str], tuple[str | int, ...]] = {}
    for reading in readings(sheet):
        if reading.agree or any(reading.settled_by(decision) for decision in decisions):
            continue
        for row in matching_rows(sheet, reading):
            holds = sheet_holds(sheet, reading, row)
            for n in differing_fields(reading):
                entry = (reading.table, row, reading.fields[n], reading.first[n], reading.second[n])
                found[entry] = (reading.trial_id, *entry, holds[n])
    return pd.DataFrame(list(found.values()), columns=UNADJUDICATED_COLUMNS)


def adjudication_problems(sheet: Sheet, dictionary: Dictionary) -> list[Problem]:
    """Return what is wrong with the adjudications of a sheet.

    Parameters
    ----------
    sheet : Sheet
        Checked, with the values of the first reader.

    Returns
    -------
    list of Problem
        Located in adjudication.csv. Errors: no such reading, no or several rows, no such column,
        a value that the column does not take or that cannot be true beside the other cells.
        Warnings: what no longer adds up in the row, such as a settled percentage beside the old
        count.
    """
    return _read_adjudications(sheet, dictionary)[1]


def apply_adjudications(sheet: Sheet, dictionary: Dictionary) -> Sheet:
    """Return the sheet with every settled value in its place.

    The note of a changed row says what stood there, what stands there now, and who settled it
    where and why.

    Parameters
    ----------
    sheet : Sheet
        Checked, with the values of the first reader.

    Raises
    ------
    SheetError
        When an adjudication has an error; see :func:`adjudication_problems`.
    """
    settled, problems = _read_adjudications(sheet, dictionary)
    if has_errors(problems):
        raise SheetError(problems)
    tables = dict(sheet.tables)
    for decision, replacements in settled:
        if replacements:
            table = decision["table"]
            tables[table] = _replaced(tables[table], table, replacements, decision)
    return Sheet(MappingProxyType(tables), sheet.kinds)


def _reading(row: Mapping[str, Any]) -> Reading:
    fields = tuple(row["field"].split(JOINT))
    first = tuple(row["first_value"].split(JOINT))
    second = tuple(row["second_value"].split(JOINT))
    if not len(fields) == len(first) == len(second):
        fields, first, second = (row["field"],), (row["first_value"],), (row["second_value"],)
    return Reading(
        number=int(row["row"]),
        **{name: row[name] for name in ("table", "trial_id", "row_key", "field")},
        fields=fields,
        first=first,
        second=second,
        agree=row["verdict"] == "agree",
        source=row["second_source"],
        locator=row["locator"],
        verification=row["second_verification"],
    )


def _conditions(frame: pd.DataFrame, key: str) -> dict[str, str] | None:
    """Return column -> value of a row key; None where it names something that is no column."""
    wanted = {}
    for part in key.split(";"):
        column, equals, value = part.partition("=")
        if not equals and _VERSUS in part:
            experimental, _, control = part.partition(_VERSUS)
            wanted["experimental_arm_id"] = experimental.strip()
            wanted["control_arm_id"] = control.strip()
            continue
        if column == "subgroup":
            value = _subgroup(value)
        wanted[column.strip()] = value.strip()
    return wanted if set(wanted) <= set(frame.columns) else None


def _subgroup(text: str) -> str:
    """Return ``factor=level`` for ``factor/level``, and ``all`` for ``all/all``."""
    if "=" in text or "/" not in text:
        return text
    factor, _, level = text.partition("/")
    return ALL if factor == ALL else f"{factor}={level}"


def _holds(row: Mapping[str, Any], fields: Sequence[str], values: Sequence[str]) -> bool:
    pairs = [(field, value) for field, value in zip(fields, values, strict=True) if field in row]
    return bool(pairs) and all(_is(row[field], value) for field, value in pairs)


def _is(cell: Any, text: str) -> bool:
    """Say whether a typed cell may be what a reader wrote."""
    if isinstance(cell, str):
        return cell == text.strip()
    number = _number(text)
    if cell != cell or number is None:
        return cell != cell and not text.strip()
    return _span(number).meets(Span(cell, cell))


def _number(text: str) -> str | None:
    """Return the number of a text such as ``0.022 (one-sided)``; None where it is no number."""
    match = _NUMBER.fullmatch(text.strip())
    return match["number"] if match else None


def _span(number: str) -> Span:
    return printed_span(float(number), printed_decimals(number))


def _read_adjudications(
    sheet: Sheet, dictionary: Dictionary
) -> tuple[list[tuple[Mapping[str, Any], list[Replacement]]], list[Problem]]:
    """Return every decision with the cells it changes, and what is wrong with the decisions."""
    every = readings(sheet)
    settled: list[tuple[Mapping[str, Any], list[Replacement]]] = []
    problems: list[Problem] = []
    for decision in _records(sheet["adjudication"]):
        read = [reading for reading in every if reading.settled_by(decision)]
        replacements, found = _read_adjudication(sheet, dictionary, decision, read)
        problems += found
        settled.append((decision, replacements))
    return settled, problems


def _read_adjudication(
    sheet: Sheet, dictionary: Dictionary, decision: Mapping[str, Any], read: Sequence[Reading]
) -> tuple[list[Replacement], list[Problem]]:
    def problem(column: str, message: str, severity: Severity = "error") -> Problem:
        return Problem(
            severity, "adjudication.csv", int(decision["row"]), decision["trial_id"], column,
            decision[column], message,
        )  # fmt: skip

    if not read:
        message = (
            "second_reading.csv holds no such reading of this trial: copy table, row_key and "
            "field from there."
        )
        return [], [problem("row_key", message)]
    rows = matching_rows(sheet, read[0])
    if len(rows) != 1:
        where = f"several rows ({', '.join(map(str, rows))})" if rows else "no row"
        return [], [problem("row_key", f"fits {where} of {decision['table']}.csv.")]
    fields = decision["field"].split(JOINT)
    values = decision["adjudicated_value"].split(JOINT)
    if len(values) != len(fields):
        message = (
            f"{len(fields)} columns are settled ({', '.join(fields)}), but "
            f"the number of values in {quoted(decision['adjudicated_value'])} is {len(values)}."
        )
        return [], [problem("adjudicated_value", message)]
    chosen = decision["chosen"]
    by_field = dict(zip(fields, values, strict=True))
    if chosen != "other" and not any(
        same_values(
            [by_field[field] for field in reading.fields],
            reading.first if chosen == "first" else reading.second,
        )
        for reading in read
    ):
        theirs = JOINT.join(getattr(read[0], chosen))
        message = f"the {chosen} reader's value is {quoted(theirs)}, not this one."
        return [], [problem("adjudicated_value", message)]
    columns = dictionary.tables[decision["table"]].columns
    replacements, problems = [], []
    for field, value in zip(fields, values, strict=True):
        if field not in columns or not _may_be_settled(columns[field]):
            message = f"{quoted(field)} is not a column that can be settled."
            problems.append(problem("field", message + did_you_mean(field, columns)))
            continue
        reading = read_cell(columns[field], value)
        if reading.error:
            problems.append(problem("adjudicated_value", f"{field}: {reading.error}"))
            continue
        replacements.append(
            Replacement(decision["table"], rows[0], field, reading.text, reading.number)
        )
    if not problems:
        problems = [
            problem(
                "adjudicated_value",
                f"{decision['table']}.csv, row {rows[0]}: {found.message}",
                found.severity,
            )
            for found in _arithmetic(sheet, dictionary, rows[0], replacements)
        ]
    return replacements, problems


def _may_be_settled(column: Column) -> bool:
    """Ids tie the tables together: a settled value must not cut the tie."""
    return column.references is None and column.type != "id"


def _arithmetic(
    sheet: Sheet, dictionary: Dictionary, row: int, replacements: Sequence[Replacement]
) -> list[Problem]:
    """Return what no longer adds up in a row once its cells are replaced."""
    table = replacements[0].table
    record = next(r for r in _records(sheet[table]) if r["row"] == row)
    texts: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for name, column in dictionary.tables[table].columns.items():
        cell = record[name]
        if not column.is_number:
            texts[name] = cell
            continue
        texts[name] = str(record.get(f"{name}_printed", "" if cell != cell else f"{cell:.15g}"))
        if cell == cell:
            numbers[name] = cell
    before = CheckedRow(f"{table}.csv", row, record["trial_id"], dict(texts), dict(numbers))
    for replacement in replacements:
        texts[replacement.column] = replacement.text
        numbers.pop(replacement.column, None)
        if replacement.number == replacement.number:
            numbers[replacement.column] = replacement.number
    after = CheckedRow(f"{table}.csv", row, record["trial_id"], texts, numbers)
    told, new = (arithmetic_problems({table: [it]}, dictionary) for it in (before, after))
    known = {found.message for found in told}
    return [found for found in new if found.message not in known]


def _replaced(
    frame: pd.DataFrame,
    table: str,
    replacements: Sequence[Replacement],
    decision: Mapping[str, Any],
) -> pd.DataFrame:
    frame = frame.copy()
    for replacement in replacements:
        place = frame["row"] == replacement.row
        column = replacement.column
        before = frame.loc[place, column].iloc[0]
        if isinstance(before, str):
            frame.loc[place, column] = replacement.text
            was = before
        else:
            frame.loc[place, column] = replacement.number
            was = "" if before != before else f"{before:g}"
        if f"{column}_operator" in frame.columns:
            operator = "<" if replacement.text.startswith("<") else replacement.text and "="
            frame.loc[place, f"{column}_operator"] = operator
        if column in PRINTED.get(table, ()):
            was = frame.loc[place, f"{column}_printed"].iloc[0]
            frame.loc[place, f"{column}_printed"] = replacement.text
        if was == replacement.text:
            continue
        words = (
            f"{column} settled between two readers: {replacement.text}, not {was or 'empty'} "
            f"({decision['initials']}, {decision['date']}: {decision['reason']})"
        )
        note = frame.loc[place, "note"].iloc[0]
        frame.loc[place, "note"] = f"{note}; {words}" if note else words
    return frame


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]
