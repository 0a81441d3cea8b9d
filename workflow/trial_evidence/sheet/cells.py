"""Reading a CSV file as text cells, with the spreadsheet's row numbers.

Nothing is guessed or repaired here: a file saved in another format (semicolons, Windows or UTF-16
characters, a stray quotation mark) is reported, never partly read.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trial_evidence.words.problems import (
    CONFLICT,
    IN_CONFLICT,
    Problem,
    about,
    counted,
    did_you_mean,
    quoted,
)

from .dictionary import Table

SAVE_AS = 'Save it as "CSV UTF-8" with commas between the cells.'

# A longer cell is not a note but an unclosed quotation mark that swallowed the following rows.
_LONGEST_CELL = 100_000
_TYPOGRAPHIC_QUOTES = ("“", "”", "„", "«", "»")
# More empty rows than this are reported in one line.
_FEW_EMPTY = 3
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Row:
    """A row with as many cells as the header.

    Attributes
    ----------
    number : int
        Row number in the spreadsheet; the header is row 1.
    cells : mapping of str to str
        Column name to text, only for columns in the dictionary that occur once in the header. An
        optional column missing from the file has empty texts.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class RawTable:
    """A table as text.

    Attributes
    ----------
    table : Table
        Its entry in the dictionary.
    columns : frozenset of str
        The columns that could be read.
    unread : frozenset of str
        Cells of rows with too few or too many cells: these may contain ids that other tables
        refer to, so references to them are not reported as wrong.
    absent : frozenset of str
        Optional columns missing from the file; all columns if the file is missing.
    """

    table: Table
    columns: frozenset[str]
    rows: tuple[Row, ...]
    unread: frozenset[str]
    absent: frozenset[str] = frozenset()

    @property
    def has_no_file(self) -> bool:
        """Whether this is an optional table whose file is missing."""
        return self.absent == self.columns


def read_cells(table: Table, content: bytes | None) -> tuple[RawTable | None, list[Problem]]:
    """Read one file of the sheet.

    Parameters
    ----------
    table : Table
        Its entry in the dictionary.
    content : bytes or None
        Content of the file; None if it is missing.

    Returns
    -------
    RawTable or None
        None if the file cannot be read as a table at all.
    list of Problem
    """
    if content is None and table.optional:
        every = frozenset(table.columns)
        return RawTable(table, every, (), frozenset(), every), []
    try:
        return _as_table(table, _records(_decoded(content)))
    except _UnreadableError as unreadable:
        return None, [about(table.file, *unreadable.args)]


class _UnreadableError(Exception):
    """Why a file cannot be read as a table, and its row, if only one is to blame."""


def _decoded(content: bytes | None) -> str:
    if content is None:
        raise _UnreadableError("the file is missing.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _UnreadableError(f"this is a spreadsheet workbook that was only renamed. {SAVE_AS}")
    start = content[:200]
    full_of_zeros = len(start) >= 8 and start.count(0) > 0.4 * len(start)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or full_of_zeros:
        raise _UnreadableError(f'saved as "Unicode text" (UTF-16). {SAVE_AS}')
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf_8(content, error.start) from error
    if "\0" in text:
        message = f"the file holds a NUL character and is damaged. {SAVE_AS}"
        raise _UnreadableError(message, _row_at(text, text.index("\0")))
    if not text.strip():
        raise _UnreadableError("the file is empty.")
    return text


def _not_utf_8(content: bytes, start: int) -> _UnreadableError:
    before = content[:start].decode("utf-8-sig")
    here = content[start : start + 1]
    likely = here.decode("cp1252", errors="ignore") or here.decode("latin-1")
    context = re.split(r'[\r\n,"]', before)[-1][-30:]
    message = f"not saved as UTF-8: byte 0x{here.hex().upper()}"
    if likely.isprintable():
        message += f' (probably "{likely}")'
    if context:
        message += f" after {quoted(context)}"
    return _UnreadableError(f"{message} cannot be read. {SAVE_AS}", _row_at(before, len(before)))


def _row_at(text: str, position: int) -> int:
    # "x" replaces the character in question, which may be the first of its row.
    before = io.StringIO(text[:position].replace("\0", " ") + "x", newline="")
    rows = 0
    try:
        for _ in csv.reader(before):
            rows += 1
    except csv.Error:
        return rows + 1
    return rows


def _records(text: str) -> list[list[str]]:
    limit = csv.field_size_limit(_LONGEST_CELL)
    records: list[list[str]] = []
    reader, read = csv.reader(io.StringIO(text, newline=""), strict=True), 0
    try:
        for record in reader:
            # Most cells repeat others: store each text only once.
            records.append([*map(sys.intern, record)])
            read = reader.line_num
    except csv.Error as error:
        if "expected after" in str(error):
            message = (
                "there is a quotation mark inside a cell. A cell with a comma or a quotation mark "
                'begins and ends with ", and a quotation mark inside it is written twice ("").'
            )
        elif "field limit" in str(error) and reader.line_num == read + 1:
            message = f"a cell is longer than {_LONGEST_CELL:,} characters."
        else:
            message = 'a cell begins with a quotation mark (") that is never closed.'
        raise _UnreadableError(message, len(records) + 1) from error
    finally:
        csv.field_size_limit(limit)
    return records


def _as_table(table: Table, records: Sequence[Sequence[str]]) -> tuple[RawTable, list[Problem]]:
    header = records[0]
    _refuse_other_forms(table, header)
    problems = _header_problems(table, header)
    times = Counter(header)
    columns = frozenset(
        name
        for name, column in table.columns.items()
        if times[name] == 1 or (column.optional and not times[name])
    )
    rows: list[Row] = []
    unread: set[str] = set()
    empty: list[int] = []
    filled = [number for number, record in enumerate(records, 1) if any(map(str.strip, record))]
    for number, record in enumerate(records[1 : max(filled)], start=2):
        if not any(map(str.strip, record)):
            empty.append(number)
            continue
        if record == header:
            message = "the row repeats the names of the columns. Delete it."
            problems.append(about(table.file, message, number))
            continue
        cells = dict(zip(header, record, strict=False))
        if len(record) == len(header):
            rows.append(Row(number, {name: cells.get(name, "") for name in columns}))
            continue
        unread.update(map(str.strip, record))
        if len(record) > len(header):
            advice = 'There is a comma too many, or a text with a comma that is not enclosed in "".'
        else:
            advice = "A comma is missing."
        if any(cell.strip().startswith(_TYPOGRAPHIC_QUOTES) for cell in record):
            advice = 'Only straight quotation marks (") enclose a text with a comma.'
        has = counted(len(record), "cell")
        message = f"the row has {has} where the header has {len(header)}. {advice}"
        if CONFLICT.match(record[0]):
            message = IN_CONFLICT
        subject = cells.get(table.subject_column or "", "")
        problems.append(Problem("error", table.file, number, subject, "", "", message))
    if empty:
        many = f"{len(empty)} rows are empty, of which this is the first. Delete them."
        message = many if len(empty) > _FEW_EMPTY else "the row is empty. Delete it."
        where = empty[:1] if len(empty) > _FEW_EMPTY else empty
        problems += [about(table.file, message, number, "warning") for number in where]
    if table.rows_required and not rows and not unread:
        problems.append(about(table.file, "there is a header but no row below it."))
    absent = columns - times.keys()
    return RawTable(table, columns, tuple(rows), frozenset(unread), absent), problems


def _refuse_other_forms(table: Table, header: Sequence[str]) -> None:
    first = header[0] if header else ""
    if first.startswith("sep="):
        message = 'the first line says how cells are separated ("sep="). Delete that line.'
        raise _UnreadableError(message, 1)
    for mark, separator in _SEPARATORS.items():
        if any(cell.strip(' "') in table.columns for cell in first.split(mark)[1:]):
            message = f"the cells are separated by {separator}, not by commas. {SAVE_AS}"
            raise _UnreadableError(message, 1)
    if not any(name in table.columns for name in header):
        message = (
            f"the first row must name the columns ({', '.join(list(table.columns)[:3])}, ...); "
            f"it begins with {quoted(first)}."
        )
        raise _UnreadableError(message, 1)


def _header_problems(table: Table, header: Sequence[str]) -> list[Problem]:
    absent = [name for name in table.columns if name not in header]
    spaced = {name.strip() for name in header if name != name.strip()} & {*absent}
    missing = [n for n in absent if not table.columns[n].optional and n not in spaced]
    faults: dict[str, str] = {}
    for name, count in Counter(header).items():
        if not name.strip():
            at = header.index(name)
            where = f"after {quoted(header[at - 1])}" if at else "the first"
            faults[""] = (
                f"a column has no name ({where}). Delete empty columns between the others or to "
                "the right of them."
            )
        elif name.strip() in spaced:
            message = f"{quoted(name)} begins or ends with a space. Write {quoted(name.strip())}."
            faults[name.strip()] = message
        elif name not in table.columns:
            faults[name] = f"there is no such column.{did_you_mean(name, absent)}"
        elif count > 1:
            faults[name] = f"the header names this column {count} times."
    faults |= dict.fromkeys(missing, "the column is missing.")
    return [
        Problem("error", table.file, 1, "", name, name, message) for name, message in faults.items()
    ]
