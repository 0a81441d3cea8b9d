"""Reading a CSV file as cells of text, with the row numbers of the spreadsheet.

Nothing is guessed and nothing is repaired here: a file that a spreadsheet saved in another form
(semicolons, Windows or UTF-16 characters, a stray quotation mark) is reported, never half read.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trial_evidence.words.problems import Problem, SheetError, about, did_you_mean, quoted

from .dictionary import Table

SAVE_AS = 'Save it as "CSV UTF-8" with commas between the cells.'

# A cell longer than this is a quotation mark that swallowed rows, not a note.
_LONGEST_CELL = 100_000
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Row:
    """One row with as many cells as the header.

    Attributes
    ----------
    number : int
        As the spreadsheet counts, the header being row 1.
    cells : mapping of str to str
        Column name to text; only columns that the dictionary knows and that the header names
        once. An optional column that is left out holds empty texts.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class RawTable:
    """A table as text.

    Attributes
    ----------
    table : Table
        What the dictionary says about it.
    columns : frozenset of str
        The columns that could be read.
    unread : frozenset of str
        Cells of rows with too few or too many cells: they may hold ids that other tables
        refer to, so a reference to one of them is not reported as wrong.
    """

    table: Table
    columns: frozenset[str]
    rows: tuple[Row, ...]
    unread: frozenset[str]


def read_cells(table: Table, content: bytes | None) -> tuple[RawTable | None, list[Problem]]:
    """Read one file of the sheet.

    Parameters
    ----------
    table : Table
        What the dictionary says about it.
    content : bytes or None
        The file; None when there is none.

    Returns
    -------
    RawTable or None
        None when the file cannot be read as a table at all.
    list of Problem
    """
    try:
        return _as_table(table, _records(table.file, _decoded(table.file, content)))
    except SheetError as unreadable:
        return None, list(unreadable.problems)


def _unreadable(file: str, message: str, row: int | None = None) -> SheetError:
    return SheetError([about(file, message, row)])


def _decoded(file: str, content: bytes | None) -> str:
    if content is None:
        raise _unreadable(file, "the file is missing.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _unreadable(file, f"this is a spreadsheet workbook that was only renamed. {SAVE_AS}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_like_utf_16(content):
        raise _unreadable(file, f'saved as "Unicode text" (UTF-16). {SAVE_AS}')
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf_8(file, content, error.start) from error
    if "\0" in text:
        message = f"the file holds a NUL character and is damaged. {SAVE_AS}"
        raise _unreadable(file, message, _row_at(text, text.index("\0")))
    if not text.strip():
        raise _unreadable(file, "the file is empty.")
    return text


def _looks_like_utf_16(content: bytes) -> bool:
    start = content[:200]
    return len(start) >= 8 and start.count(0) > 0.4 * len(start)


def _not_utf_8(file: str, content: bytes, start: int) -> SheetError:
    before = content[:start].decode("utf-8-sig")
    here = content[start : start + 1]
    likely = here.decode("cp1252", errors="ignore") or here.decode("latin-1")
    context = re.split(r'[\r\n,"]', before)[-1][-30:]
    message = f"not saved as UTF-8: byte 0x{here.hex().upper()}"
    if likely.isprintable():
        message += f' (probably "{likely}")'
    if context:
        message += f" after {quoted(context)}"
    return _unreadable(file, f"{message} cannot be read. {SAVE_AS}", _row_at(before, len(before)))


def _row_at(text: str, position: int) -> int:
    # The character added stands for the one in question: it belongs to the row that it opens.
    before = io.StringIO(text[:position].replace("\0", " ") + "x", newline="")
    rows = 0
    try:
        for _ in csv.reader(before):
            rows += 1
    except csv.Error:
        return rows + 1
    return rows


def _records(file: str, text: str) -> list[list[str]]:
    limit = csv.field_size_limit(_LONGEST_CELL)
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), strict=True):
            records.append(record)
    except csv.Error as error:
        if "expected after" in str(error):
            message = (
                "there is a quotation mark inside a cell. A cell with a comma or a quotation mark "
                'begins and ends with ", and a quotation mark inside it is written twice ("").'
            )
        else:
            message = 'a cell begins with a quotation mark (") that is never closed.'
        raise _unreadable(file, message, len(records) + 1) from error
    finally:
        csv.field_size_limit(limit)
    return records


def _as_table(
    table: Table, records: Sequence[Sequence[str]]
) -> tuple[RawTable | None, list[Problem]]:
    file = table.file
    header = list(records[0])
    if header and header[0].startswith("sep="):
        message = 'the first line says how cells are separated ("sep="). Delete that line.'
        raise _unreadable(file, message, 1)
    separator = _other_separator(table, header)
    if separator is not None:
        message = f"the cells are separated by {separator}, not by commas. {SAVE_AS}"
        raise _unreadable(file, message, 1)
    if not any(name in table.columns for name in header):
        message = (
            f"the first row must name the columns ({', '.join(list(table.columns)[:3])}, ...); "
            f"it begins with {quoted(header[0] if header else '')}."
        )
        raise _unreadable(file, message, 1)
    problems = _header_problems(table, header)
    times = Counter(header)
    columns = frozenset(
        name
        for name, column in table.columns.items()
        if times[name] == 1 or (column.optional and not times[name])
    )
    rows, unread, row_problems = _rows(table, header, columns, records[1:])
    problems += row_problems
    if table.rows_required and not rows and not row_problems:
        problems.append(about(file, "there is a header but no row below it."))
    return RawTable(table, columns, tuple(rows), frozenset(unread)), problems


def _other_separator(table: Table, header: Sequence[str]) -> str | None:
    first = header[0] if header else ""
    for mark, name in _SEPARATORS.items():
        if any(cell.strip(' "') in table.columns for cell in first.split(mark)[1:]):
            return name
    return None


def _header_problems(table: Table, header: Sequence[str]) -> list[Problem]:
    problems = []
    missing = [
        name for name, column in table.columns.items() if name not in header and not column.optional
    ]

    def problem(value: str, message: str) -> Problem:
        return Problem("error", table.file, 1, "", value, value, message)

    for name, count in Counter(header).items():
        if not name.strip():
            message = (
                "a column has no name. Delete empty columns between the others or to the right of "
                "them."
            )
            problems.append(about(table.file, message, 1))
        elif name not in table.columns:
            problems.append(problem(name, f"there is no such column.{did_you_mean(name, missing)}"))
        elif count > 1:
            problems.append(problem(name, f"the header names this column {count} times."))
    problems += [problem(name, "the column is missing.") for name in missing]
    return problems


def _rows(
    table: Table,
    header: Sequence[str],
    columns: frozenset[str],
    records: Sequence[Sequence[str]],
) -> tuple[list[Row], set[str], list[Problem]]:
    rows: list[Row] = []
    unread: set[str] = set()
    problems: list[Problem] = []
    blank: list[int] = []
    for number, record in enumerate(records, start=2):
        if not any(cell.strip() for cell in record):
            blank.append(number)
            continue
        problems += [
            about(table.file, "the row is empty. Delete it.", row, "warning") for row in blank
        ]
        blank.clear()
        if len(record) == len(header):
            cells = dict(zip(header, record, strict=True))
            rows.append(Row(number, {name: cells.get(name, "") for name in columns}))
            continue
        unread.update(cell.strip() for cell in record)
        problems.append(_wrong_length(table, header, number, record))
    return rows, unread, problems


def _wrong_length(
    table: Table, header: Sequence[str], number: int, record: Sequence[str]
) -> Problem:
    cells = "1 cell" if len(record) == 1 else f"{len(record)} cells"
    if len(record) > len(header):
        advice = 'There is a comma too many, or a text with a comma that is not enclosed in "".'
    else:
        advice = "A comma is missing."
    subject = dict(zip(header, record, strict=False)).get(table.subject_column or "", "")
    message = f"the row has {cells} where the header has {len(header)}. {advice}"
    return Problem("error", table.file, number, subject, "", "", message)
