"""What a reader confirmed in the workbook of a registry record, as edits of the sheet."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from trial_evidence.exchange.answers import put_cells, read_lines, write_lines
from trial_evidence.exchange.registry.against import ADDED, AGREES, DIFFERS, Held
from trial_evidence.exchange.registry.book import CONFIRMED, LINE, READINGS, ROWS, Entry, entries_of
from trial_evidence.exchange.worklist import FIELDS, key_of
from trial_evidence.files import records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import JOINT
from trial_evidence.sheet.dictionary import Table
from trial_evidence.sheet.values import PRIMARY, read_cell
from trial_evidence.words.problems import Problem, SheetError, about, quoted

_INITIALS = re.compile(r"[A-Za-z]{2,5}")
_NO_INITIALS = {"yes", "no", "ok", "true", "false", "none"}


def write_confirmed(book: Path, raw: Path, sheet: Sheet, held: Held, folder: Path) -> list[str]:
    """Write the sheet into a folder as it is with what a reader confirmed in a workbook.

    Returns
    -------
    list of str
        What was confirmed, in words.

    Raises
    ------
    SheetError
        With every line that cannot be taken: cells that the sheet no longer has as the workbook
        says, initials that are none, rows with cells that are empty or not allowed.
    """
    try:
        made = load_workbook(book)
    except (OSError, ValueError, KeyError) as error:
        raise SheetError([about(book.name, f"the workbook cannot be read: {error}.")]) from None
    problems = list(_other_columns(made, held, book))
    if problems:
        raise SheetError(problems)
    entries = [one for one in entries_of(made) if one.by]
    problems = [problem for one in entries for problem in _faults(one, held, book)]
    if problems:
        raise SheetError(problems)
    shutil.copytree(raw, folder, dirs_exist_ok=True)
    read_again = set(held.dictionary.tables[READINGS].columns["table"].words)
    said: list[str] = []
    cells = [one for one in entries if not one.page.startswith(ROWS)]
    for (table, row), group in groupby(sorted(cells, key=_place), key=_place):
        said += _confirmed(table, row, list(group), sheet, folder, read_again)
    for table, rows in _new_rows(entries, made, held).items():
        last = _append(folder, held.dictionary.tables[table], rows)
        subject = held.dictionary.tables[table].subject_column or ""
        said += [
            f"{table}.csv, row {number} ({row.get(subject, '')}): to be added."
            for number, row in enumerate(rows, start=last + 1)
        ]
    return said


def _other_columns(made: Any, held: Held, book: Path) -> Iterator[Problem]:
    """Columns that a sheet of the workbook has lost, and sheets of tables that there are not."""
    for sheet in made.worksheets:
        header = {str(cell.value or "") for cell in sheet[1]}
        wanted: list[str] = []
        if sheet.title in (AGREES, DIFFERS, ADDED):
            wanted = [*LINE.values(), CONFIRMED]
        elif sheet.title.startswith(ROWS):
            table = held.dictionary.tables.get(sheet.title.removeprefix(ROWS))
            wanted = [*table.columns, CONFIRMED] if table else ["a table of this name"]
        if missing := [name for name in wanted if name not in header]:
            message = f"the sheet has no column {', '.join(missing)}. Make a new workbook."
            yield about(f"{book.name}, sheet {sheet.title}", message, 1)


def _place(entry: Entry) -> tuple[str, int]:
    return entry.cells[LINE["table"]], int(entry.cells[LINE["row"]])


def _faults(entry: Entry, held: Held, book: Path) -> Iterator[Problem]:
    place = f"{book.name}, sheet {entry.page}"

    def fault(column: str, value: str, message: str) -> Problem:
        subject = entry.cells.get(LINE["trial"]) or entry.cells.get("trial_id", "")
        return Problem("error", place, entry.number, subject, column, value, message)

    if not _INITIALS.fullmatch(entry.by) or entry.by.lower() in _NO_INITIALS:
        message = f"{quoted(entry.by)} are no initials of who looked, such as QQ."
        yield fault(CONFIRMED, entry.by, message)
    if entry.page.startswith(ROWS):
        table = held.dictionary.tables[entry.page.removeprefix(ROWS)]
        for name, described in table.columns.items():
            cell = entry.cells.get(name, "")
            if wrong := read_cell(described, cell).error:
                yield fault(name, cell, wrong)
        return
    table_name, row = entry.cells[LINE["table"]], entry.cells[LINE["row"]]
    column, value = entry.cells[LINE["column"]], entry.cells[LINE["held"]]
    rows = held.tables[table_name].rows if table_name in held.tables else ()
    now = [one.cells.get(column) for one in rows if str(one.number) == row]
    if now != [value]:
        message = (
            f"{table_name}.csv, row {row}, column {column} no longer holds {quoted(value)}. "
            "Make a new workbook: make registry."
        )
        yield fault(LINE["held"], value, message)
    elif entry.page in (ADDED, DIFFERS):
        found = entry.cells[LINE["found"]]
        wrong = read_cell(held.dictionary.tables[table_name].columns[column], found).error
        if wrong or not found:
            yield fault(LINE["found"], found, f"{column}: {wrong or 'the cell is empty.'}")


def _confirmed(
    table: str,
    row: int,
    entries: Sequence[Entry],
    sheet: Sheet,
    folder: Path,
    read_again: set[str],
) -> Iterator[str]:
    """Carry out what is confirmed of one row of the sheet."""
    added = [one for one in entries if one.page == ADDED]
    read = [one for one in entries if one.page in (AGREES, DIFFERS)]
    path = folder / f"{table}.csv"
    header, *lines = read_lines(path)
    cells = dict(zip(header, lines[row - 2], strict=True))
    edits: dict[str, str] = {}
    for one in added:
        edits[one.cells[LINE["column"]]] = one.cells[LINE["found"]]
        yield f"{_which(one)}: {one.cells[LINE['found']]} to be filled in."
    replaced = []
    if read and table in read_again:
        yield from _second_reading(table, row, read, sheet, folder)
        if _verified(table, read, cells, sheet):
            edits["verification"] = PRIMARY
    else:
        replaced = [one for one in read if one.page == DIFFERS]
    for one in replaced:
        edits[one.cells[LINE["column"]]] = one.cells[LINE["found"]]
        change = f"{one.cells[LINE['held']]} to be replaced by {one.cells[LINE['found']]}."
        yield f"{_which(one)}: {change}"
    if (added or replaced) and "note" in cells:
        names = [one.cells[LINE["column"]] for one in added]
        names += [
            f"{one.cells[LINE['column']]} (was {one.cells[LINE['held']]})" for one in replaced
        ]
        seen = f"{', '.join(names)} from the registry record ({entries[0].by})"
        edits["note"] = "; ".join(filter(None, (cells["note"].rstrip(".; "), seen)))
    put_cells(path, {row: edits})


def _which(entry: Entry) -> str:
    names = ("trial", "table", "row", "column")
    trial, table, row, column = (entry.cells[LINE[name]] for name in names)
    return f"{table}.csv, row {row} ({trial}), column {column}"


def _verified(table: str, read: Sequence[Entry], cells: Mapping[str, str], sheet: Sheet) -> bool:
    """Whether all that makes the result of a row was confirmed to agree."""
    agree = {one.cells[LINE["column"]] for one in read if one.page == AGREES}
    filled = {name for name in FIELDS[sheet.kinds[table]] if cells[name]}
    return filled <= agree and all(one.page == AGREES for one in read)


def _second_reading(
    table: str, row: int, read: Sequence[Entry], sheet: Sheet, folder: Path
) -> Iterator[str]:
    (held,) = records(sheet[table][sheet[table]["row"] == row])
    path = folder / f"{READINGS}.csv"
    lines = read_lines(path)
    agrees = all(one.page == AGREES for one in read)
    numbers = sheet["trials"].set_index("trial_id")["nct"]
    readers = ", ".join(dict.fromkeys(one.by for one in read))
    reading = {
        "table": table, "trial_id": str(held["trial_id"]), "row_key": key_of(sheet, table, held),
        "field": JOINT.join(one.cells[LINE["column"]] for one in read),
        "first_value": JOINT.join(one.cells[LINE["held"]] for one in read),
        "second_value": JOINT.join(one.cells[LINE["found"]] for one in read),
        "verdict": "agree" if agrees else "differ", "second_verification": PRIMARY,
        "second_source": f"registry record {numbers[held['trial_id']]}",
        "locator": f"{read[0].cells[LINE['path']]} ({readers})",
    }  # fmt: skip
    line = [reading.get(name, "") for name in lines[0]]
    write_lines(path, [*lines, *([] if line in lines else [line])])
    verb = "agrees" if agrees else "differs, and waits for adjudication"
    columns = ", ".join(one.cells[LINE["column"]] for one in read)
    yield f"{table}.csv, row {row} ({held['trial_id']}), {columns}: the record {verb}."


def _new_rows(
    entries: Sequence[Entry], book: Any, held: Held
) -> dict[str, list[Mapping[str, str]]]:
    """Rows to be added, by table; a source that one of them names comes along."""
    every = [one for one in entries_of(book) if one.page.startswith(ROWS)]
    taken = {(one.page, one.number) for one in entries}
    named = {one.cells["source_id"] for one in every if (one.page, one.number) in taken}
    rows: dict[str, list[Mapping[str, str]]] = {}
    for one in every:
        comes_along = one.page == f"{ROWS}sources" and one.cells["source_id"] in named
        if comes_along or (one.page, one.number) in taken:
            rows.setdefault(one.page.removeprefix(ROWS), []).append(one.cells)
    return {table: rows[table] for table in held.dictionary.tables if table in rows}


def _append(folder: Path, table: Table, rows: Sequence[Mapping[str, str]]) -> int:
    """Add rows below the last one of a table, which is returned."""
    path = folder / table.file
    lines = read_lines(path) if path.exists() else [list(table.columns)]
    more = [
        name
        for name in table.columns
        if name not in lines[0] and any(row.get(name) for row in rows)
    ]
    header = [*lines[0], *more]
    older = [line + [""] * (len(more) if line else 0) for line in lines[1:]]
    added = [[row.get(name, "") for name in header] for row in rows]
    write_lines(path, [header, *older, *added])
    return 1 + len(older)
