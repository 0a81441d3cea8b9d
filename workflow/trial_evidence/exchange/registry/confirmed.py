"""Confirmations of a reader in the workbook of registry records, as edits of the sheet."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from trial_evidence.exchange.answers import (
    initials_fault,
    put_cells,
    read_lines,
    second_reading,
    write_lines,
)
from trial_evidence.exchange.registry.against import (
    ADDED,
    AGREES,
    DIFFERS,
    Held,
    page_of,
    which_row,
)
from trial_evidence.exchange.registry.book import (
    CONFIRMED,
    LINE,
    READINGS,
    ROWS,
    Entry,
    entries_of,
    mark_of,
    marks_in,
)
from trial_evidence.exchange.taken import Taken, rebuilt
from trial_evidence.exchange.worklist import FIELDS
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import same_value
from trial_evidence.sheet.cells import Row
from trial_evidence.sheet.dictionary import Table
from trial_evidence.sheet.values import PRIMARY, read_cell
from trial_evidence.words.problems import (
    Problem,
    Severity,
    about,
    did_you_mean,
    errors_of,
    quoted,
    refuse,
)
from trial_evidence.workbook.layout import PRIVATE
from trial_evidence.workbook.read import hidden_among, open_book

# The columns of a result, which one outcome measure has to give together.
RESULT = {*chain(*FIELDS.values()), "ci_level"}
# The sheets with values for cells; the others to confirm hold new rows.
_PAGES = (DIFFERS, ADDED, AGREES)
_MEASURE = re.compile(r"(.*outcomeMeasures\[[0-9]+\])(?:\.(analyses\[[0-9]+\]))?")


def write_confirmed(book: Path, raw: Path, sheet: Sheet, held: Held, folder: Path) -> Taken:
    """Write a copy of the sheet that includes the confirmed lines of a workbook.

    Returns
    -------
    Taken
        The confirmed lines.

    Raises
    ------
    SheetError
        With every line that cannot be taken: cells that have changed in the sheet since, invalid
        initials, rows with cells that are empty or not allowed.
    """
    made, values = open_book(book)
    every = [*entries_of(made, values)]
    refuse(_other_columns(made, every, held, book))
    entries = [one for one in every if one.by and not one.page.startswith(PRIVATE)]
    lines = [one for one in entries if not one.page.startswith(ROWS)]
    problems = [*_unseen(made, entries, book), *_contradictions(lines, book)]
    problems += _of_two_measures(lines, book)
    marks = marks_in(made)
    for one in entries:
        unread = list(_unread(one, book))
        known = {problem.column for problem in errors_of(unread)}
        problems += unread
        faults = [fault for fault in _faults(one, held, book) if fault.column not in known]
        problems += faults if known or faults else _edited(one, marks, book)
    refuse(problems)
    shutil.copytree(raw, folder, dirs_exist_ok=True)
    cells = _once(lines)
    there = [one for one in cells if _is_there(one, held)]
    said = [problem.line() for problem in problems]
    said += [f"{_which(one)}: {one['found']} is there already." for one in there]
    cells = [one for one in cells if one not in there]
    unconfirmed = [one for one in every if one.page == DIFFERS and not one.by]
    taken_from: dict[tuple[str, int], str] = {}
    for of_row in _grouped(sorted(cells, key=_place), _place):
        readings = len(read_lines(folder / f"{READINGS}.csv"))
        said += _confirmed(of_row, unconfirmed, sheet, held, folder)
        # A second reading is appended as the last row.
        for place in (_place(of_row[0]), (READINGS, readings + 1)):
            taken_from[place] = _lines_of(book, of_row)
    for table, added in _new_rows(every, held).items():
        described = held.dictionary.tables[table]
        numbered = [(_row_there(new, held, table), one, new) for one, new in added]
        # Rows that already exist come first.
        for there_at, one, new in sorted(numbered, key=lambda entry: not entry[0]):
            number = there_at or _append(folder, described, new)
            what = f"{table}.csv, row {number} ({new.get(described.subject_column or '', '')})"
            said.append(f"{what}: {'is there already' if there_at else 'to be added'}.")
            if not there_at:
                taken_from[table, number] = _lines_of(book, [one])
    return Taken(said, taken_from)


def _lines_of(book: Path, entries: Sequence[Entry]) -> str:
    """Places of lines in the workbook: ``registry.xlsx, sheet Differs, row 4``."""
    return f"{book.name}, " + "; ".join(f"sheet {e.page}, row {e.number}" for e in entries)


def _other_columns(made: Any, every: Sequence[Entry], held: Held, book: Path) -> Iterator[Problem]:
    """Problems with columns missing or duplicated, merged cells, and sheets of unknown name."""
    confirmed = {one.page for one in every if one.by} - {*_PAGES}
    strange = [page for page in confirmed if not page.startswith((ROWS, PRIVATE))]
    for title in sorted(strange):
        message = (
            "no sheet to confirm has this name, so what is confirmed on it would be lost. Give it "
            f"its name again ({DIFFERS}, {ADDED}, {ROWS}..., {AGREES}), or let its name begin with "
            f"_ if it is yours alone.{did_you_mean(title, _PAGES)}"
        )
        yield about(f"{book.name}, sheet {title}", message)
    for sheet in made.worksheets:
        header = [str(cell.value or "").strip() for cell in sheet[1]]
        wanted: list[str] = []
        if sheet.title in _PAGES:
            wanted = [*LINE.values(), CONFIRMED]
        elif sheet.title.startswith(ROWS):
            table = held.dictionary.tables.get(sheet.title.removeprefix(ROWS))
            wanted = [*table.columns, CONFIRMED] if table else ["a table of this name"]
        if missing := [name for name in wanted if name not in header]:
            message = f"the sheet has no column {', '.join(missing)}. Make a new workbook."
            yield about(f"{book.name}, sheet {sheet.title}", message, 1)
        for message in rebuilt(sheet, wanted) if wanted else ():
            yield about(f"{book.name}, sheet {sheet.title}", message)


def _unseen(made: Any, entries: Sequence[Entry], book: Path) -> Iterator[Problem]:
    """Problems with confirmed lines that are hidden."""
    for page in dict.fromkeys(one.page for one in entries):
        if hidden := hidden_among(made[page], [e.number for e in entries if e.page == page]):
            yield about(f"{book.name}, sheet {page}", hidden)


def _contradictions(entries: Sequence[Entry], book: Path) -> Iterator[Problem]:
    """Lines whose value for a cell contradicts that of an earlier line."""
    first: dict[tuple[str, ...], Entry] = {}
    for one in entries:
        above = first.setdefault(_cell(one), one)
        if not same_value(above["found"], one["found"]):
            other = f"sheet {above.page}, row {above.number} says {quoted(above['found'])}"
            message = f"{other} of the same cell. Keep the line that holds."
            yield _problem(one, book, LINE["found"], one["found"], message)


def _edited(entry: Entry, marks: Collection[str], book: Path) -> Iterator[Problem]:
    """A value that the record does not have; an empty one is to be filled in."""
    line = {name: entry[name] for name in LINE}
    as_made = {mark_of(line), mark_of(line, found="")}
    if not entry.page.startswith(ROWS) and as_made.isdisjoint(marks):
        message = (
            "the record has another value or place. What you know from elsewhere belongs in the "
            "sheet's own workbook (make workbook), with its source."
        )
        yield _problem(entry, book, LINE["found"], entry["found"], message)


def _of_two_measures(entries: Sequence[Entry], book: Path) -> Iterator[Problem]:
    """Rows confirmed by parts of several results of a record, none of which has all of them."""
    results = [one for one in entries if one["column"] in RESULT]
    for of_row in _grouped(results, itemgetter("table", "row")):
        given = [{*map(_measure, of_cell)} for of_cell in _grouped(of_row, _cell)]
        measures = {*map(_measure, of_row)}
        # Patients and medians are those of the measure, and belong to each of its analyses.
        if any(all({one, (one[0], "")} & found for found in given) for one in measures):
            continue
        what, part = "outcome measures", "measure"
        if len({measure for measure, _ in measures}) == 1:
            what, part = "analyses", "analysis"
        message = (
            f"the lines confirmed for this row are of different {what}, so no {part} has this "
            f"result. Confirm the lines of one {part}."
        )
        yield _problem(of_row[-1], book, LINE["path"], of_row[-1]["path"], message)


def _grouped(entries: Iterable[Entry], key: Callable[[Entry], Hashable]) -> list[list[Entry]]:
    """The lines with the same key together, in the order of their first."""
    groups: dict[Hashable, list[Entry]] = {}
    for one in entries:
        groups.setdefault(key(one), []).append(one)
    return [*groups.values()]


def _measure(entry: Entry) -> tuple[str, str]:
    """The outcome measure of a line, as its path up to there, and its analysis, if it is of one."""
    found = _MEASURE.match(entry["path"])
    return (found[1], found[2] or "") if found else (entry["path"], "")


def _are_of_one(one: Entry, other: Entry) -> bool:
    """Whether two lines may be of one result: of one measure, and not of two of its analyses."""
    (measure, analysis), (other_measure, other_analysis) = _measure(one), _measure(other)
    alike = not analysis or not other_analysis or analysis == other_analysis
    return measure == other_measure and alike


def _cell(entry: Entry) -> tuple[str, ...]:
    return entry["table"], entry["row"], entry["column"]


def _once(entries: Sequence[Entry]) -> list[Entry]:
    """One line per cell, the first, with all readers who confirmed any line of that cell."""
    return [replace(same[0], by=_readers(same)) for same in _grouped(entries, _cell)]


def _readers(entries: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(name for one in entries for name in one.by.split(", ")))


def _unread(entry: Entry, book: Path) -> Iterator[Problem]:
    """Problems with cells changed by the spreadsheet program, or with formulas."""
    for name, reading in entry.odd:
        for kind, message in reading.findings:
            yield _problem(entry, book, name, reading.text, message, kind)


def _problem(
    entry: Entry, book: Path, column: str, value: str, message: str, kind: Severity = "error"
) -> Problem:
    """A problem with a cell of a line."""
    subject = entry["trial"] or entry.cells.get("trial_id", "")
    place = f"{book.name}, sheet {entry.page}", entry.number, subject, column
    return Problem(kind, *place, value, message)


def _is_there(entry: Entry, held: Held) -> bool:
    """Whether a cell already holds the value that would be written."""
    if entry.page != ADDED and (entry.page != DIFFERS or entry["table"] in _read_again(held)):
        return False
    found, row = entry["found"], _row_of(entry, held)
    return bool(found) and row is not None and row.cells.get(entry["column"]) == found


def _read_again(held: Held) -> set[str]:
    return set(held.dictionary.tables[READINGS].columns["table"].words)


def _row_of(entry: Entry, held: Held) -> Row | None:
    """The row of the sheet with the number in a line."""
    table = held.tables.get(entry["table"])
    rows = table.rows if table else ()
    return next((row for row in rows if str(row.number) == entry["row"]), None)


def _place(entry: Entry) -> tuple[str, int]:
    return entry["table"], int(entry["row"])


def _faults(entry: Entry, held: Held, book: Path) -> Iterator[Problem]:
    fault = partial(_problem, entry, book)
    if wrong := initials_fault(entry.by, held.dictionary):
        yield fault(CONFIRMED, entry.by, wrong)
    if entry.page.startswith(ROWS):
        table = held.dictionary.tables[entry.page.removeprefix(ROWS)]
        for name, described in table.columns.items():
            cell = entry.cells.get(name, "")
            if wrong := read_cell(described, cell).error:
                yield fault(name, cell, wrong)
        return
    table_name, number = entry["table"], entry["row"]
    column, value = entry["column"], entry["held"]
    row, again = _row_of(entry, held), "Make a new workbook: make registry."
    which, where = entry["which"], f"{table_name}.csv, row {number}"
    now = which_row(held.dictionary.tables[table_name], row.cells) if row else ""
    if row and now != which:
        yield fault(LINE["which"], which, f"{where} is now another row, {now}. {again}")
    elif not _is_there(entry, held) and (row is None or row.cells.get(column) != value):
        message = f"{where}, column {column} no longer holds {quoted(value)}. {again}"
        yield fault(LINE["held"], value, message)
    else:
        found = entry["found"]
        wrong = read_cell(held.dictionary.tables[table_name].columns[column], found).error
        if wrong or not found:
            yield fault(LINE["found"], found, f"{column}: {wrong or 'the cell is empty.'}")
        elif entry.page == AGREES and page_of(value, found) != AGREES:
            message = f"it does not agree with {quoted(value)} of the sheet. {again}"
            yield fault(LINE["found"], found, message)


def _confirmed(
    entries: Sequence[Entry], unconfirmed: Sequence[Entry], sheet: Sheet, held: Held, folder: Path
) -> Iterator[str]:
    """Write the confirmed lines of one row of the sheet; yield a message for each."""
    table, row = _place(entries[0])
    added = [one for one in entries if one.page == ADDED]
    read = [one for one in entries if one.page != ADDED]
    path = folder / f"{table}.csv"
    header, *lines = read_lines(path)
    cells = dict(zip(header, lines[row - 2], strict=True))
    again = table in _read_again(held)
    replaced = [one for one in read if one.page == DIFFERS and not again]
    edits = {one["column"]: one["found"] for one in (*added, *replaced)}
    yield from (f"{_which(one)}: {one['found']} to be filled in." for one in added)
    if read and again:
        yield from _second_reading(read, sheet, folder)
        if _verified(table, read, cells, sheet):
            if differ := _differing(read, unconfirmed):
                yield f"{table}.csv, row {row}: not taken as verified, as {differ} differs."
            else:
                edits["verification"] = PRIMARY
    for one in replaced:
        yield f"{_which(one)}: {one['held']} to be replaced by {one['found']}."
    if (added or replaced) and "note" in cells:
        names = [one["column"] for one in added]
        names += [f"{one['column']} (was {one['held']})" for one in replaced]
        seen = f"{', '.join(names)} from the registry record ({_readers([*added, *replaced])})"
        edits["note"] = "; ".join(filter(None, (cells["note"].rstrip(".; "), seen)))
    put_cells(path, {row: edits})


def _which(entry: Entry) -> str:
    where = f"{entry['table']}.csv, row {entry['row']} ({entry['trial']})"
    return f"{where}, column {entry['column']}"


def _verified(table: str, read: Sequence[Entry], cells: Mapping[str, str], sheet: Sheet) -> bool:
    """Whether all fields of a row's result were confirmed to agree."""
    agree = {one["column"] for one in read if one.page == AGREES}
    filled = {name for name in FIELDS[sheet.kinds[table]] if cells[name]}
    return filled <= agree and all(one.page == AGREES for one in read)


def _differing(read: Sequence[Entry], unconfirmed: Sequence[Entry]) -> str:
    """Columns in which the result that was read differs from the sheet."""
    return ", ".join(
        one["column"]
        for one in unconfirmed
        if _place(one) == _place(read[0])
        and one["column"] in RESULT
        and any(_are_of_one(one, other) for other in read)
    )


def _second_reading(read: Sequence[Entry], sheet: Sheet, folder: Path) -> Iterator[str]:
    table, row = _place(read[0])
    held = sheet.row(table, row)
    path = folder / f"{READINGS}.csv"
    lines = read_lines(path)
    agrees = all(one.page == AGREES for one in read)
    numbers = sheet["trials"].set_index("trial_id")["nct"]
    values = [(one["column"], one["held"], one["found"]) for one in read]
    source = f"registry record {numbers[held['trial_id']]}"
    place = f"{read[0]['path']} ({_readers(read)})"
    reading = second_reading(sheet, table, held, values, agrees, source, place)
    line = [reading.get(name, "") for name in lines[0]]
    write_lines(path, [*lines, *([] if line in lines else [line])])
    verb = "agrees" if agrees else "differs, and waits for adjudication"
    verb += " (this reading is there already)" if line in lines else ""
    columns = ", ".join(one["column"] for one in read)
    yield f"{table}.csv, row {row} ({held['trial_id']}), {columns}: the record {verb}."


def _new_rows(
    every: Sequence[Entry], held: Held
) -> dict[str, list[tuple[Entry, Mapping[str, str]]]]:
    """Table -> rows to add, with their lines; sources that they name are added as well."""
    every = [one for one in every if one.page.startswith(ROWS)]
    named = {one.cells["source_id"] for one in every if one.by}
    named -= {row.cells["source_id"] for row in held.tables["sources"].rows}
    rows: dict[str, list[tuple[Entry, Mapping[str, str]]]] = {}
    for one in every:
        table = one.page.removeprefix(ROWS)
        if one.by or (table == "sources" and one.cells["source_id"] in named):
            columns = held.dictionary.tables[table].columns
            cells = {name: text for name, text in one.cells.items() if name in columns}
            known = rows.setdefault(table, [])
            known += [] if any(cells == other for _, other in known) else [(one, cells)]
    return {table: rows[table] for table in held.dictionary.tables if table in rows}


def _row_there(cells: Mapping[str, str], held: Held, table: str) -> int:
    """Number of an existing row with all values of a row to be added; 0 if there is none."""
    filled = {name: text for name, text in cells.items() if text}
    rows = held.tables[table].rows
    return next((row.number for row in rows if filled.items() <= row.cells.items()), 0)


def _append(folder: Path, table: Table, row: Mapping[str, str]) -> int:
    """Append a row to a table, and return its number."""
    path = folder / table.file
    if not path.exists():
        write_lines(path, [list(table.columns)])
    number = len(read_lines(path)) + 1
    put_cells(path, {number: {name: text for name, text in row.items() if text}})
    return number
