"""Reading a workbook, or a folder of CSV files, as the tables of the sheet.

Changes made by a spreadsheet program are undone if that is certain to be right; otherwise the cell
is refused, with its address in the workbook.
"""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from trial_evidence.sheet.cells import RawTable, Row, read_cells
from trial_evidence.sheet.check import read_folder
from trial_evidence.sheet.dictionary import Dictionary, Table
from trial_evidence.words.printed import listing
from trial_evidence.words.problems import Problem, SheetError, about, did_you_mean, quoted

from .cells import cell_of_book
from .layout import HELPERS, MADE_FROM, PRIVATE, as_csv
from .shown import hidden_columns, struck_through
from .tidy import tidied

# Errors that openpyxl, zipfile and the XML parser raise for a damaged file.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ArithmeticError, AttributeError, EOFError,
    LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip
_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE_AS = "Save it as an Excel workbook (.xlsx) and import that."
# More rows than any sheet of trials has; such a sheet has a format applied to a whole column.
_MOST_ROWS = 50_000
# Number of rows searched for the column names if they are not in row 1.
_MOST_ABOVE = 10
# More filled cells than this in a column without a name mean that the column lost its name.
_MOST_OUTSIDE = 3


@dataclass(frozen=True)
class Imported:
    """The content of a workbook or folder.

    Attributes
    ----------
    source : str
        Name of the workbook or folder, as used in messages.
    tables : mapping of str to RawTable
        Table name to its cells, tidied; a table that could not be read is left out. Rows are
        numbered as in the workbook.
    as_typed : mapping of (str, int) to mapping of str to str
        Table and row to its cells before they were tidied.
    letters : mapping of (str, str) to str
        Table and column to the column's letter in the workbook; empty for a folder.
    made_from : frozenset of (str, str), or None
        Checksums of the rows from which the workbook was made; None if it has none.
    kept : frozenset of str
        Tables missing from the folder, which stay as they are in the sheet.
    private : tuple of str
        The analyst's own sheets, columns as ``sheet.column``, and cells with a note of theirs.
    problems : tuple of Problem
        Errors: why it cannot be imported. Warnings: what was understood but should be checked.
    """

    source: str
    tables: Mapping[str, RawTable] = field(default_factory=dict)
    as_typed: Mapping[tuple[str, int], Mapping[str, str]] = field(default_factory=dict)
    letters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    made_from: frozenset[tuple[str, str]] | None = None
    kept: frozenset[str] = frozenset()
    private: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def located(self, problem: Problem) -> Problem:
        """Return a finding about a file of the sheet, relocated to the cell of the workbook."""
        name = problem.file.removesuffix(".csv")
        if name in self.kept:
            return problem
        if not self.letters:
            return replace(problem, file=f"{self.source}/{problem.file}")
        letter = self.letters.get((name, problem.column), "")
        at = f" ({letter}{problem.row})" if letter and problem.row is not None else ""
        return replace(problem, file=_place(self.source, name), column=f"{problem.column}{at}")


def _place(source: str, sheet: str) -> str:
    return f"{source}, sheet {sheet}"


def read_book(path: Path, dictionary: Dictionary) -> Imported:
    """Read a workbook, or a folder of CSV files.

    Parameters
    ----------
    path : Path
        An ``.xlsx`` file, or a folder with one CSV file per table.

    Returns
    -------
    Imported
        The content of the file never raises an error: every fault becomes a Problem.
    """
    if path.is_dir():
        tables, problems = read_folder(path, dictionary)
        imported = _tidied(Imported(path.name, tables))
        return replace(imported, problems=tuple(map(imported.located, problems)))
    try:
        book, values = open_book(path)
    except SheetError as refused:
        return Imported(path.name, problems=refused.problems)
    return _tidied(_read_workbook(path.name, book, values, dictionary))


def open_book(path: Path) -> tuple[Any, Any]:
    """A workbook twice: with its formulas, and with their last computed values.

    Raises
    ------
    SheetError
        If it cannot be opened; the problem says why.
    """

    def refused(message: str) -> SheetError:
        return SheetError([about(path.name, message)])

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise refused("there is no such workbook.") from None
    except OSError as error:
        raise refused(f"the file cannot be read: {error.strerror}.") from None
    if fault := _not_a_workbook(content):
        raise refused(fault)
    try:
        if twice := _names_that_stand_twice(content):
            raise refused(f"two sheets have the same name: {twice}. Keep one.")
        book = _load(content, values=False)
        return book, _load(content, values=True) if _computes(book) else book
    except _DAMAGED:
        message = "the file is damaged: it cannot be opened. Save it again in the spreadsheet."
        raise refused(message) from None


def sheet_names(path: Path) -> list[str]:
    """Names of a workbook's sheets; empty if it cannot be read (`read_book` reports why)."""
    try:
        return _sheet_names(path)
    except _DAMAGED:
        return []


def _sheet_names(file: Path | io.BytesIO) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        root = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    return [element.get("name", "") for element in root.iter() if element.tag.endswith("}sheet")]


def _tidied(imported: Imported) -> Imported:
    tables, as_typed = {}, {}
    for name, raw in imported.tables.items():
        rows = []
        for row in raw.rows:
            as_typed[name, row.number] = row.cells
            cells = {c: tidied(text, raw.table.columns[c]) for c, text in row.cells.items()}
            rows.append(Row(row.number, cells))
        tables[name] = replace(raw, rows=tuple(rows))
    return replace(imported, tables=tables, as_typed=as_typed)


def _not_a_workbook(content: bytes) -> str:
    """Return why a file is not a readable workbook, or ``""``."""
    if not content:
        return "the file is empty."
    if content.startswith(_OLD_FORMAT):
        if _ENCRYPTED in content:
            return "the workbook is protected by a password. Save it without one."
        return f"this is a workbook of the old kind (.xls). {_SAVE_AS}"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            # openpyxl knows only the other names of the format's elements, and would see no sheet.
            strict = "xl/workbook.xml" in names and _STRICT in archive.read("xl/workbook.xml")
    except _DAMAGED:
        if not content.startswith(b"PK") and not zipfile.is_zipfile(io.BytesIO(content)):
            return f"this is not a workbook. {_SAVE_AS} For CSV files give their folder."
        return "the file is damaged or was not copied completely. Copy or save it again."
    if "content.xml" in names:
        return f"this is an OpenDocument file (.ods). {_SAVE_AS}"
    if any(name.endswith(".iwa") or name == "Index.zip" for name in names):
        return f"this is a Numbers document. Export it as an Excel workbook. {_SAVE_AS}"
    if "xl/workbook.bin" in names:
        return f"this is a binary workbook (.xlsb). {_SAVE_AS}"
    if not any(name.startswith("xl/") for name in names):
        return f"this is not a workbook. {_SAVE_AS}"
    if strict:
        return f"this is a strict Open XML workbook. {_SAVE_AS}"
    return ""


def _names_that_stand_twice(content: bytes) -> str:
    """Return two sheet names that differ only in case or outer spaces; openpyxl renames these."""
    first: dict[str, str] = {}
    for name in filter(None, _sheet_names(io.BytesIO(content))):
        plain = name.strip().lower()
        if plain in first:
            return f"{quoted(first[plain])} and {quoted(name)}"
        first[plain] = name
    return ""


def _load(content: bytes, *, values: bool) -> Any:
    # openpyxl warns about parts that it does not read (newer drop-downs, print headers); none of
    # these contain cells.
    with warnings.catch_warnings(action="ignore"):
        return load_workbook(io.BytesIO(content), data_only=values, rich_text=True)


def _computes(book: Any) -> bool:
    """Whether a cell to be read has a formula; only then must computed values be loaded."""
    read = (sheet for sheet in book.worksheets if sheet.max_row <= _MOST_ROWS)
    return any(cell.data_type == "f" for sheet in read for row in sheet.iter_rows() for cell in row)


def _read_workbook(source: str, book: Any, values: Any, dictionary: Dictionary) -> Imported:
    worksheets = {sheet.title: sheet for sheet in book.worksheets}
    private = [title for title in book.sheetnames if title.strip().startswith(PRIVATE)]
    found = {title.strip().lower(): sheet for title, sheet in worksheets.items()}
    missing = [name for name in dictionary.tables if name not in worksheets]
    problems = []
    for title in (title for title in book.sheetnames if title not in private):
        name, sheet = title.strip().lower(), worksheets.get(title)
        if name in HELPERS or (
            sheet is not None and (name in dictionary.tables or _is_empty(sheet))
        ):
            continue
        message = (
            "no table has this name, so nothing on it can be imported. Delete the sheet, move "
            "what it holds to its table, or let its name begin with _ if it is yours alone."
            f"{did_you_mean(title, missing)}"
        )
        problems.append(about(_place(source, title), message))
    absent = [name for name in dictionary.tables if name not in found]
    problems += [about(source, f"the sheet {name} is missing.") for name in absent]
    tables: dict[str, RawTable] = {}
    letters: dict[tuple[str, str], str] = {}
    for name, table in dictionary.tables.items():
        if name in absent:
            continue
        reader = _SheetReader(source, table, found[name], values[found[name].title])
        raw = reader.read()
        problems += reader.problems
        letters |= reader.letters
        private += reader.private
        if raw is not None:
            tables[name] = raw
    return Imported(
        source, tables, {}, letters, _made_from(book),
        private=tuple(private), problems=tuple(problems),
    )  # fmt: skip


def _is_empty(sheet: Any) -> bool:
    return all(cell is None for row in sheet.iter_rows(values_only=True) for cell in row)


def _made_from(book: Any) -> frozenset[tuple[str, str]] | None:
    if MADE_FROM not in book.sheetnames:
        return None
    rows = book[MADE_FROM].iter_rows(values_only=True)
    return frozenset((str(row[0]), str(row[1])) for row in rows if len(row) >= 2)


class _SheetReader:
    """Reads one worksheet and collects its problems."""

    def __init__(self, source: str, table: Table, sheet: Any, values: Any) -> None:
        self.place = _place(source, table.name)
        self.table = table
        self.sheet = sheet
        self.values = values
        self.problems: list[Problem] = []
        self.letters: dict[tuple[str, str], str] = {}
        self.private: list[str] = []
        self._own: set[int] = set()
        self._needed = [name for name, column in table.columns.items() if not column.optional]

    def read(self) -> RawTable | None:
        if self.sheet.max_row > _MOST_ROWS:
            self._about_sheet(
                f"the sheet reaches down to row {self.sheet.max_row}. Delete the empty rows below "
                "the last one."
            )
            return None
        records = [self._without_private(cells) for cells in self.sheet.iter_rows()]
        filled = [cells for cells in records if _texts(cells)]
        if not filled:
            self._about_sheet("the sheet is empty: even the column names are missing.")
            return None
        for message in merged_in(self.sheet):
            self._about_sheet(message)
        header = _texts(records[0])
        if self._is_no_header(header):
            self._about_header(header, filled)
            return None
        self.letters = {
            (self.table.name, name): get_column_letter(records[0][at].column)
            for at, name in header.items()
        }
        below = self._below(header, filled)
        if hidden := hidden_among(self.sheet, below):
            self._about_sheet(hidden)
        for number, cells in below.items():
            if struck := [cell.coordinate for cell in cells if _is_struck(cell)]:
                them, are = ("it", "is") if len(struck) == 1 else ("them", "are")
                self._about_sheet(
                    f"{_cells(struck)} {are} struck through, but would be imported. Delete what "
                    f"no longer holds, or remove the line through {them}.",
                    number,
                )
        self.private += [
            f"the note on {self.table.name}.{cell.coordinate}"
            for cells in below.values()
            for cell in cells
            if cell.comment
        ]
        rows = {number: self._row(number, header, cells) for number, cells in below.items()}
        self._about_columns_without_a_name(header, below.values())
        # Check the column names as those of a CSV file.
        names = header.values()
        to_judge = as_csv([names, ["x"] * len(names)] if rows else [names])
        raw, found = read_cells(self.table, to_judge.encode())
        self.problems += [replace(problem, file=self.place) for problem in found]
        if raw is None:
            return None
        kept = (
            Row(number, {name: texts.get(name, "") for name in raw.columns})
            for number, texts in rows.items()
        )
        return replace(raw, rows=tuple(kept))

    def _without_private(self, cells: Sequence[Any]) -> list[Any]:
        """The cells of a row, without the analyst's own columns."""
        if cells and cells[0].row == 1:
            own = {at: name for at, name in _texts(cells).items() if name.startswith(PRIVATE)}
            self._own = set(own)
            self.private = [f"{self.table.name}.{name}" for name in own.values()]
        return [cell for at, cell in enumerate(cells) if at not in self._own]

    def _below(
        self, header: Mapping[int, str], filled: Iterable[Sequence[Any]]
    ) -> dict[int, Sequence[Any]]:
        """The rows below the header, by number; one that repeats it is a problem and no row."""
        below = {}
        for cells in filled:
            number = cells[0].row
            if header != _texts(cells):
                below[number] = cells
            elif number > 1:
                self._about_sheet("the row repeats the names of the columns. Delete it.", number)
        return below

    def _row(self, number: int, header: Mapping[int, str], cells: Sequence[Any]) -> dict[str, str]:
        read = [
            (cells[at], name, cell_of_book(cells[at], self.values, self.table.columns.get(name)))
            for at, name in header.items()
        ]
        texts = {name: reading.text for _, name, reading in read}
        subject = texts.get(self.table.subject_column or "", "").strip()
        for cell, name, reading in read:
            where = f"{name} ({cell.coordinate})"
            self.problems += [
                Problem(severity, self.place, number, subject, where, reading.text, message)
                for severity, message in reading.findings
            ]
        return texts

    def _missing(self, header: Mapping[int, str]) -> list[str]:
        """The required column names that a row does not have."""
        return [name for name in self._needed if name not in header.values()]

    def _is_no_header(self, header: Mapping[int, str]) -> bool:
        """Whether most of the required column names are missing."""
        return len(self._missing(header)) > len(self._needed) / 2

    def _about_header(self, header: Mapping[int, str], filled: Sequence[Sequence[Any]]) -> None:
        missing = ", ".join(self._missing(header))
        begins = f" It begins with {quoted(next(iter(header.values())))}." if header else ""
        message = f"row 1 must hold the names of the columns; missing: {missing}.{begins}"
        for cells in filled[:_MOST_ABOVE]:
            if not self._is_no_header(_texts(cells)):
                message += f" They are in row {cells[0].row}: delete the rows above."
                break
        self._about_sheet(message)

    def _about_columns_without_a_name(
        self, header: Mapping[int, str], below: Iterable[Sequence[Any]]
    ) -> None:
        outside: dict[int, list[Any]] = {}
        for cells in below:
            for at, cell in enumerate(cells):
                if at not in header and _is_filled(cell):
                    outside.setdefault(at, []).append(cell)
        for found in outside.values():
            if len(found) > _MOST_OUTSIDE:
                self._about_sheet(
                    f"column {found[0].column_letter} has no name in row 1, but holds "
                    f"{len(found)} cells, the first in row {found[0].row}: "
                    f"{quoted(str(found[0].value))}. Type its name, or delete it."
                )
                continue
            for cell in found:
                self._about_sheet(
                    f"cell {cell.coordinate} holds {quoted(str(cell.value))}, but its column "
                    "has no name in row 1. Move it to the column note, or delete it.",
                    cell.row,
                )

    def _about_sheet(self, message: str, row: int | None = None) -> None:
        self.problems.append(about(self.place, message, row))


def merged_in(sheet: Any) -> list[str]:
    """Return messages about merged cells in a worksheet; all but the first would read as empty."""
    return [
        f"the cells {merged} are merged into one. Unmerge them and fill in each."
        for merged in sorted(map(str, sheet.merged_cells.ranges))
    ]


def hidden_among(sheet: Any, rows: Iterable[int]) -> str:
    """Return a message about what is hidden of a sheet and these rows; ``""`` if nothing is."""
    if sheet.sheet_state != "visible":
        return "the sheet is hidden. Show it, so that no row is imported unseen."
    if columns := hidden_columns(sheet):
        named = f"column{'s' if len(columns) > 1 else ''} {listing(columns)}"
        are = "are" if len(columns) > 1 else "is"
        return f"{named} {are} hidden. Show all columns, so that no cell is imported unseen."
    hidden = [number for number in rows if sheet.row_dimensions[number].hidden]
    if not hidden:
        return ""
    are = "is" if len(hidden) == 1 else "are"
    return (
        f"{_in_runs(hidden)} {are} hidden or filtered out. Show all rows (clear the filter), so "
        "that no row is imported unseen."
    )


def _is_struck(cell: Any) -> bool:
    parts = struck_through(cell)
    return bool(parts) and all(parts)


def _texts(cells: Sequence[Any]) -> dict[int, str]:
    """The texts of the cells of a row that are filled in, by position."""
    return {at: str(cell.value).strip() for at, cell in enumerate(cells) if _is_filled(cell)}


def _is_filled(cell: Any) -> bool:
    return cell.value is not None and bool(str(cell.value).strip())


def _cells(coordinates: Sequence[str]) -> str:
    """Return cells of one row in words: ``cell B3``, ``3 cells from A3 to D3``."""
    if len(coordinates) == 1:
        return f"cell {coordinates[0]}"
    return f"{len(coordinates)} cells from {coordinates[0]} to {coordinates[-1]}"


def _in_runs(numbers: Sequence[int]) -> str:
    """Return row numbers in words: ``row 4``, ``rows 4 to 7 and 9``."""
    runs = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        first, last = members[0], members[-1]
        runs.append(str(first) if first == last else f"{first} to {last}")
    return f"row{'s' if len(numbers) > 1 else ''} {listing(runs)}"
