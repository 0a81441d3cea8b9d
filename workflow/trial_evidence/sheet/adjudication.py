"""Double data extraction: where two readers disagree, and the value on which they settled.

``second_reading`` records what a second reader found for a row, ``adjudication`` which value counts
where the two disagree. This module finds the row that a reading concerns and substitutes the
settled value, before anything uses the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from trial_evidence.words.problems import (
    Problem,
    SheetError,
    did_you_mean,
    has_errors,
    quoted,
    told_in,
)

from .arithmetic import Span, arithmetic_problems, printed_span
from .checked import CheckedRow
from .dictionary import Dictionary, Table
from .tables import Sheet, as_records, operator
from .values import ALL, printed_decimals, read_cell
from .values import Reading as Cell

if TYPE_CHECKING:
    import pandas as pd

# A row of adjudication.csv, the number of the row it concerns, and that row's settled cells.
_Decided = tuple[Mapping[str, Any], int, dict[str, Cell]]
JOINT = "|"
UNADJUDICATED_COLUMNS = [
    "trial_id", "table", "row", "field", "first", "second", "sheet_holds",
]  # fmt: skip
# Columns that express one result in several ways; unless settled together, they may conflict.
_TOLD_TOGETHER = (
    ("events", "n", "reported_percent"), ("hr", "ci_low", "ci_high", "ci_level", "p_value"),
)  # fmt: skip
_VERSUS = " v "
# Whether a cell matches the first reader's value, and the second's -> whose value it is.
_HOLDS = {
    (True, True): "both", (True, False): "first", (False, True): "second",
    (False, False): "neither",
}  # fmt: skip
_NUMBER = re.compile(r"<?(?P<number>-?[0-9]*\.?[0-9]+)( \(.*\))?")


@dataclass(frozen=True)
class Reading:
    """The values that two readers found for one row.

    Attributes
    ----------
    row : mapping
        Its row of second_reading.csv, column -> value.
    fields, first, second : tuple of str
        The columns compared and each reader's values, one per column; a single entry if the values
        cannot be assigned to columns.
    agree : bool
        The verdict of the second reader.
    """

    row: Mapping[str, Any]
    table: str
    trial_id: str
    fields: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    agree: bool

    def settled_by(self, decision: Mapping[str, Any]) -> bool:
        """Return whether an adjudication covers this reading: the same row and all its columns."""
        same = (decision[name] == self.row[name] for name in ("table", "trial_id", "row_key"))
        return all(same) and set(self.fields) <= set(decision["field"].split(JOINT))

    def says(self, reader: str, values: Mapping[str, str]) -> bool:
        """Return whether these are the values of a reader, ``first`` or ``second``, by column."""
        theirs = zip(self.fields, getattr(self, reader), strict=True)
        return all(same_value(values[field], value) for field, value in theirs)


def readings(sheet: Sheet) -> tuple[Reading, ...]:
    """Return all second readings of a sheet, in sheet order."""
    return tuple(_reading(row) for row in as_records(sheet["second_reading"]))


def differing_fields(reading: Reading) -> tuple[int, ...]:
    """Return the positions in `reading.fields` at which the two values differ.

    Two numbers agree if the more precise one rounds to the other: 52.5 and 53 do, 123 and 124 do
    not.
    """
    pairs = zip(reading.first, reading.second, strict=True)
    return tuple(n for n, (one, other) in enumerate(pairs) if not same_value(one, other))


def same_value(one: str, other: str) -> bool:
    """Return whether two printed values can represent the same value.

    Numbers with the same number of decimals must be equal; otherwise the more precise one must
    round to the other.
    """
    first, second = _number(one), _number(other)
    if first is None or second is None:
        return one.strip() == other.strip()
    if printed_decimals(first) == printed_decimals(second):
        return float(first) == float(second)
    return _span(first).meets(_span(second))


def contradict(one: str, other: str) -> bool:
    """Return whether two printed values are numbers that cannot represent the same value.

    A number that is only a bound, ``<0.001``, contradicts nothing.
    """
    numbers = _number(one), _number(other)
    return None not in numbers and "<" not in one + other and not same_value(one, other)


def matching_rows(sheet: Sheet, reading: Reading) -> tuple[int, ...]:
    """Return the rows of the sheet that a reading may concern.

    Current rows take precedence over superseded ones, then rows that hold the first reader's values
    over others, then rows that hold the second reader's.

    Returns
    -------
    tuple of int
        Row numbers of the spreadsheet: none if the key fits no row, several if it does not
        distinguish them.
    """
    wanted = key_cells(reading.row["row_key"])
    rows = [
        row
        for row in sheet.of_trial(reading.table, reading.trial_id)
        if all(column in row and str(row[column]) == value for column, value in wanted.items())
    ]

    def fit(row: Mapping[str, Any]) -> tuple[bool, ...]:
        holds = (_holds(row, reading.fields, values) for values in (reading.first, reading.second))
        return row["status"] == "current", *holds

    best = max(map(fit, rows), default=())
    return tuple(row["row"] for row in rows if fit(row) == best)


def sheet_holds(sheet: Sheet, reading: Reading, row: int) -> tuple[str, ...]:
    """Return whose value a row currently holds, one word per field.

    Returns
    -------
    tuple of str
        ``first``, ``second``, ``both``, ``neither``, or ``""`` if the field is not a column.
    """
    record = sheet.row(reading.table, row)
    return tuple(
        _HOLDS[_is(record[field], one), _is(record[field], other)] if field in record else ""
        for field, one, other in zip(reading.fields, reading.first, reading.second, strict=True)
    )


def unadjudicated(sheet: Sheet, trials: Collection[str] | None = None) -> pd.DataFrame:
    """Return the disagreements between the readers that have not been settled.

    Parameters
    ----------
    trials : collection of str
        Ids of the trials to include; all by default.

    Returns
    -------
    DataFrame
        One row per sheet row and field: ``trial_id``, ``table``, ``row`` (of the spreadsheet),
        ``field``, ``first``, ``second`` (the two values as written) and ``sheet_holds`` (see
        :func:`sheet_holds`). Readings whose key fits no row are left out: they concern no number in
        use.
    """
    # Imported here because it is slow, and checks alone do not need it.
    import pandas as pd

    decisions = as_records(sheet["adjudication"])
    found = []
    for reading in readings(sheet):
        if reading.agree or (trials is not None and reading.trial_id not in trials):
            continue
        if any(reading.settled_by(decision) for decision in decisions):
            continue
        for row in matching_rows(sheet, reading):
            holds = sheet_holds(sheet, reading, row)
            cells = zip(reading.fields, reading.first, reading.second, holds, strict=True)
            at = (reading.trial_id, reading.table, row)
            found += [(*at, *cell) for cell in cells if not same_value(cell[1], cell[2])]
    return pd.DataFrame(list(dict.fromkeys(found)), columns=UNADJUDICATED_COLUMNS)


def read_by_two(sheet: Sheet) -> set[tuple[str, int]]:
    """Return table and row of every result on which two readers agree, or that was settled."""
    decisions = as_records(sheet["adjudication"])
    return {
        (reading.table, row)
        for reading in readings(sheet)
        if reading.agree or any(map(reading.settled_by, decisions))
        for row in matching_rows(sheet, reading)
    } - {(row["table"], row["row"]) for row in as_records(unadjudicated(sheet))}


def adjudication_problems(sheet: Sheet, dictionary: Dictionary) -> list[Problem]:
    """Return the problems in the adjudications of a sheet.

    Parameters
    ----------
    sheet : Sheet
        Checked, with the values of the first reader.

    Returns
    -------
    list of Problem
        Located in adjudication.csv. Errors: no such reading, no or several matching rows, no such
        column, a value that the column does not allow or that is impossible given the other cells,
        and a value that conflicts with a cell that is not settled with it, such as a new percentage
        with the old count: pooling would still use the old count. Warnings: inconsistencies between
        cells that are all settled.
    """
    return _decided(sheet, dictionary)[1]


def apply_adjudications(sheet: Sheet, dictionary: Dictionary) -> Sheet:
    """Return the sheet with every settled value substituted.

    The note of a changed row gives the old and the new value, and who settled it, when and why.

    Parameters
    ----------
    sheet : Sheet
        Checked, with the values of the first reader.

    Raises
    ------
    SheetError
        If an adjudication has an error; see :func:`adjudication_problems`.
    """
    decided, problems = _decided(sheet, dictionary)
    if has_errors(problems):
        raise SheetError(problems)
    for decision, row, cells in decided:
        name = decision["table"]
        table = sheet[name].copy()
        for column, value in _replaced(sheet, dictionary, (decision, row, cells)).items():
            table.loc[table["row"] == row, column] = value
        sheet = Sheet(MappingProxyType({**sheet.tables, name: table}), sheet.kinds)
    return sheet


def _reading(row: Mapping[str, Any]) -> Reading:
    texts = row["field"], row["first_value"], row["second_value"]
    fields, first, second = (tuple(text.split(JOINT)) for text in texts)
    if not len(fields) == len(first) == len(second):
        fields, first, second = ((text,) for text in texts)
    agree = row["verdict"] == "agree"
    return Reading(row, row["table"], row["trial_id"], fields, first, second, agree)


def key_cells(key: str) -> dict[str, str]:
    """Return a row key as a dictionary, column -> value."""
    wanted = {}
    for part in key.split(";"):
        column, equals, value = part.partition("=")
        if not equals and _VERSUS in part:
            experimental, _, control = part.partition(_VERSUS)
            wanted["experimental_arm_id"] = experimental.strip()
            wanted["control_arm_id"] = control.strip()
        else:
            wanted[column.strip()] = (_subgroup(value) if column == "subgroup" else value).strip()
    return wanted


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
    """Return whether a typed cell is compatible with what a reader wrote."""
    if isinstance(cell, str):
        return cell == text.strip()
    number = _number(text)
    if cell != cell or number is None:
        return cell != cell and not text.strip()
    return _span(number).meets(Span(cell, cell))


def _number(text: str) -> str | None:
    """Return the number in a text such as ``0.022 (one-sided)``; None if it is not a number."""
    match = _NUMBER.fullmatch(text.strip())
    return match["number"] if match else None


def _span(number: str) -> Span:
    return printed_span(float(number), printed_decimals(number))


def _decided(sheet: Sheet, dictionary: Dictionary) -> tuple[list[_Decided], list[Problem]]:
    """Return the decisions that can be applied, and the problems in all decisions."""
    every = readings(sheet)
    decided: list[_Decided] = []
    problems: list[Problem] = []
    for decision in as_records(sheet["adjudication"]):
        read = [reading for reading in every if reading.settled_by(decision)]
        with told_in(problems):
            settled = _settled(sheet, dictionary, decision, read)
            problems += _disagreements(sheet, dictionary, settled)
            decided.append(settled)
    return decided, problems


def _error(decision: Mapping[str, Any], column: str, message: str) -> Problem:
    place = "adjudication.csv", decision["row"], decision["trial_id"]
    return Problem("error", *place, column, decision[column], message)


def _settled(
    sheet: Sheet, dictionary: Dictionary, decision: Mapping[str, Any], read: Sequence[Reading]
) -> _Decided:
    """Return a decision with the row it concerns and the settled cells."""

    def refused(column: str, message: str) -> SheetError:
        return SheetError([_error(decision, column, message)])

    if not read:
        missing = "second_reading.csv holds no such reading of this trial: "
        raise refused("row_key", f"{missing}copy table, row_key and field from there.")
    rows = matching_rows(sheet, read[0])
    if len(rows) != 1:
        where = f"several rows ({', '.join(map(str, rows))})" if rows else "no row"
        raise refused("row_key", f"fits {where} of {decision['table']}.csv.")
    fields = decision["field"].split(JOINT)
    values = decision["adjudicated_value"].split(JOINT)
    if len(values) != len(fields):
        message = (
            f"{len(fields)} columns are settled ({', '.join(fields)}), but "
            f"the number of values in {quoted(decision['adjudicated_value'])} is {len(values)}."
        )
        raise refused("adjudicated_value", message)
    chosen = decision["chosen"]
    settled = dict(zip(fields, values, strict=True))
    if chosen != "other" and not any(reading.says(chosen, settled) for reading in read):
        theirs = quoted(JOINT.join(getattr(read[0], chosen)))
        message = f"the {chosen} reader's value is {theirs}, not this one."
        raise refused("adjudicated_value", message)
    columns = dictionary.tables[decision["table"]].columns
    cells: dict[str, Cell] = {}
    problems = []
    for field, value in zip(fields, values, strict=True):
        # Ids link the tables: a settled value must not break a link.
        if field not in columns or columns[field].references or columns[field].type == "id":
            message = f"{quoted(field)} is not a column that can be settled."
            message += did_you_mean(field, columns)
            problems.append(_error(decision, "field", message))
            continue
        cells[field] = read_cell(columns[field], value)
        if error := cells[field].error:
            problems.append(_error(decision, "adjudicated_value", f"{field}: {error}"))
    if problems:
        raise SheetError(problems)
    return decision, rows[0], cells


def _disagreements(sheet: Sheet, dictionary: Dictionary, decided: _Decided) -> Iterator[Problem]:
    """Return the inconsistencies that replacing its cells introduces into a row."""
    decision, row, cells = decided
    table = dictionary.tables[decision["table"]]
    new_row = _replaced(sheet, dictionary, decided)
    after = _checked(table, new_row)
    # Messages quote the locator, which may itself be settled; use the new one on both sides so that
    # an existing finding is not taken for a new one.
    before = _checked(table, sheet.row(table.name, row) | {"locator": new_row.get("locator")})
    settled = {column: cell.text for column, cell in cells.items()}
    after = replace(after, texts={**after.texts, **settled})
    old, new = (arithmetic_problems({table.name: [it]}, dictionary) for it in (before, after))
    known = {found.message for found in old}
    for found in new:
        if found.message in known:
            continue
        message = f"{table.file}, row {row}: {found.message}"
        problem = replace(_error(decision, "adjudicated_value", message), severity=found.severity)
        # The filled columns that express the same result but are not settled.
        together = next((group for group in _TOLD_TOGETHER if found.column in group), ())
        missing = [name for name in together if name in after.numbers and name not in cells]
        if missing and found.severity == "warning":
            field = JOINT.join([decision["field"], *missing])
            message += " Settle all numbers of this result, repeating those that are right: write "
            message += f"{field} here, and {field.count(JOINT) + 1} values in adjudicated_value."
            problem = _error(decision, "field", message)
        yield problem


def _checked(table: Table, record: Mapping[str, Any]) -> CheckedRow:
    """A row of a typed table in the form that the checks expect."""
    numbers = {
        name: record[name]
        for name, column in table.columns.items()
        if column.is_number and record[name] == record[name]
    }
    texts = {name: record[name] for name, column in table.columns.items() if not column.is_number}
    for name, number in numbers.items():
        texts[name] = record.get(f"{name}_printed", f"{number:.15g}")
    return CheckedRow(table.file, record["row"], record["trial_id"], texts, numbers)


def _replaced(sheet: Sheet, dictionary: Dictionary, decided: _Decided) -> dict[str, Any]:
    decision, row, cells = decided
    table = dictionary.tables[decision["table"]]
    after = sheet.row(table.name, row)
    for column, cell in cells.items():
        before = after[column]
        if isinstance(before, str):
            was, after[column] = before, cell.text
        else:
            was, after[column] = "" if before != before else f"{before:g}", cell.number
        if f"{column}_operator" in after:
            after[f"{column}_operator"] = operator(cell.text)
        if f"{column}_printed" in after:
            was, after[f"{column}_printed"] = after[f"{column}_printed"], cell.text
        if column == table.outcome_column:
            after["outcome"] = cell.text or table.name
        if was == cell.text:
            continue
        words = (
            f"{column} settled between two readers: {cell.text}, not {was or 'empty'} "
            f"({decision['initials']}, {decision['date']}: {decision['reason']})"
        )
        # Readers of the report should also learn how a published number was settled.
        note = "public_note" if "public_note" in after else "note"
        after[note] = f"{after[note]}; {words}" if after[note] else words
    return after
