"""Writing the sheet as a workbook for analysts to edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from trial_evidence.sheet.cells import RawTable
from trial_evidence.sheet.check import read_folder
from trial_evidence.sheet.dictionary import Column, Dictionary, Table
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import Problem, errors_of, has_errors, refuse
from trial_evidence.words.supplied import supplied

from .layout import LISTS, MADE_FROM, READ_ME, row_mark
from .package import (
    LONGEST_CELL,
    NOT_IN_A_FILE,
    Look,
    list_in_cell,
    on_paper,
    put_text,
    refuse_book,
    workbook_bytes,
)
from .read import Imported, read_book
from .shown import AS_TEXT, as_number

# Number of rows below the last one to which drop-downs and colours extend.
_ROOM = 500

_INTRODUCTION = supplied("dictionary") / "workbook.yaml"
_INK = "1F2A36"
_DARK, _PALE = "1F4E5F", "7A97A3"
_MISSING = PatternFill("solid", bgColor="F8D7D3")
_LINE = Side(style="thin", color="8FA3AD")
_HAIRLINE = Side(style="hair", color="C9D3D8")
_NARROW, _WIDE = 9, 46


def write_workbook(raw: Path, dictionary: Dictionary, book: Path) -> None:
    """Write the sheet as a workbook: one worksheet per table, with notes and drop-downs.

    Numbers are stored as numbers, with the decimals of the file; everything else is text, and so
    are empty cells in columns in which the decimals count. The same sheet gives identical bytes.

    Parameters
    ----------
    raw : Path
        Folder of the sheet.
    book : Path
        The ``.xlsx`` file; written completely or not at all.

    Raises
    ------
    SheetError
        If a file of the sheet cannot be read as a table, or a cell does not fit into a workbook.
    RequestError
        If `book` has another suffix or is open in a spreadsheet program, or if a file of that name
        exists that is not a workbook of the sheet, has edits that were not imported, or has
        private sheets or columns.
    """
    # Imported here because it loads pandas, which takes seconds and nothing else here needs.
    from trial_evidence.files import write_whole

    refuse_book(book)
    tables, found = read_folder(raw, dictionary)
    unfit = [problem for raw_table in tables.values() for problem in _unfit_cells(raw_table)]
    refuse([*errors_of(found), *unfit])
    if book.exists():
        existing = read_book(book, dictionary)
        message = ""
        if existing.made_from is None:
            message = (
                "this is no workbook that was made of the sheet, and would be overwritten. Name "
                "another: BOOK=..."
            )
        elif _holds_more_than(existing, tables):
            message = (
                "this workbook holds edits that have not been imported and would be overwritten. "
                "Import it, or move it to another place, or delete it."
            )
        elif existing.private:
            message = (
                f"this workbook holds what is yours alone ({', '.join(existing.private)}), and a "
                "new one would not. Move it to another place, or name another: BOOK=..."
            )
        if message:
            raise RequestError(f"{book}: {message}")
    workbook = Workbook()
    workbook.remove(workbook.active)
    _read_me(workbook.create_sheet(READ_ME), tables)
    lists = _Lists(tables)
    for name, raw_table in tables.items():
        _table_sheet(workbook.create_sheet(name), raw_table, lists)
    for name, columns in ((LISTS, lists.columns), (MADE_FROM, zip(*_marks(tables), strict=True))):
        _put_columns(workbook.create_sheet(name), columns)
        workbook[name].sheet_state = "hidden"
    write_whole(book, workbook_bytes(workbook, "Extraction sheet", _without_triangles))


def _unfit_cells(raw: RawTable) -> Iterator[Problem]:
    for row in raw.rows:
        for name, text in row.cells.items():
            message = ""
            if len(text) > LONGEST_CELL:
                message = f"the text is longer than a cell can hold ({LONGEST_CELL} characters)."
            elif NOT_IN_A_FILE.search(text):
                message = "the cell holds an invisible character that a workbook cannot hold."
            if message:
                subject = row.cells.get(raw.table.subject_column or "", "")
                yield Problem("error", raw.table.file, row.number, subject, name, text, message)


def _holds_more_than(found: Imported, tables: Mapping[str, RawTable]) -> bool:
    """Return whether a workbook has edits that have not been imported."""
    known = found.made_from or frozenset()
    if has_errors(found.problems):
        return True
    in_sheet = set(_marks(tables))
    in_book: set[tuple[str, str]] = set()
    for name, raw in found.tables.items():
        for row in raw.rows:
            typed = found.as_typed[name, row.number]
            marks = {row_mark(raw.table, cells) for cells in (row.cells, typed)}
            if not marks & (in_sheet | known):
                return True
            in_book |= marks
    return bool(known & in_sheet - in_book)


def _marks(tables: Mapping[str, RawTable]) -> list[tuple[str, str]]:
    return [row_mark(raw.table, row.cells) for raw in tables.values() for row in raw.rows]


class _Lists:
    """Sources of drop-down lists; lists too long for a cell are columns of a hidden worksheet."""

    def __init__(self, tables: Mapping[str, RawTable]) -> None:
        self.tables = tables
        self.columns: list[Sequence[str]] = []

    def words(self, title: str, words: Sequence[str]) -> str:
        """Return the source of a drop-down list of these words."""
        if inline := list_in_cell(words):
            return inline
        self.columns.append([title, *words])
        letter = get_column_letter(len(self.columns))
        return f"{quote_sheetname(LISTS)}!${letter}$2:${letter}${len(words) + 1}"

    def ids(self, table: str, key: str) -> str:
        """Return the formula for a drop-down list of a table's ids, including those of new rows."""
        raw = self.tables[table]
        letter = get_column_letter(list(raw.table.columns).index(key) + 1)
        sheet = quote_sheetname(table)
        last = len(raw.rows) + 1 + _ROOM
        # No longer than the ids: the drop-down would open at the empty end of the list.
        count = f"MAX(1,COUNTA({sheet}!${letter}$2:${letter}${last}))"
        return f"OFFSET({sheet}!${letter}$2,0,0,{count},1)"


def _put_columns(sheet: Any, columns: Iterable[Sequence[str]]) -> None:
    for position, texts in enumerate(columns, start=1):
        for row, text in enumerate(texts, start=1):
            put_text(sheet.cell(row, position), text)


def _table_sheet(sheet: Any, raw: RawTable, lists: _Lists) -> None:
    table = raw.table
    last_letter = get_column_letter(len(table.columns))
    last_row = len(raw.rows) + 1
    for position, column in enumerate(table.columns.values(), start=1):
        letter = get_column_letter(position)
        texts = [row.cells[column.name] for row in raw.rows]
        _header_cell(sheet.cell(1, position), column)
        # New rows get the column's format, so 1.00 stays 1.00, and 9/12 does not become a date.
        dimension = sheet.column_dimensions[letter]
        dimension.width = _width(column, texts)
        dimension.number_format = _empty_format(column)
        dimension.alignment = _alignment(column)
        dimension.font = _font()
        look = Look(_font(), _alignment(column))
        for row, text in enumerate(texts, start=2):
            cell = sheet.cell(row, position)
            _put(cell, column, text)
            look.put_on(cell)
        _drop_down(sheet, f"{letter}2:{letter}{last_row + _ROOM}", column, lists)
    sheet.row_dimensions[1].height = 24
    # Freeze the ids at the left, two at most.
    columns = list(table.columns.values())[:2]
    ids = list(takewhile(lambda column: column.type == "id" and column.required, columns))
    sheet.freeze_panes = sheet.cell(2, max(len(ids), 1) + 1)
    sheet.auto_filter.ref = f"A1:{last_letter}{last_row}"
    sheet.sheet_properties.tabColor = _DARK if table.rows_required else _PALE
    sheet.sheet_view.zoomScale = 100
    _colours(sheet, table, last_letter, last_row + _ROOM)
    on_paper(sheet, 1)
    # Print only the table's columns: overflow of a long last note would shrink the whole page.
    sheet.print_area = f"A1:{last_letter}{last_row}"


def _font(color: str = _INK, size: int = 11, **more: Any) -> Font:
    return Font(name="Calibri", size=size, color=color, **more)


def _header_cell(cell: Any, column: Column) -> None:
    cell.value = column.name
    cell.font = _font("FFFFFF", bold=True)
    cell.fill = PatternFill("solid", fgColor=_DARK if column.required else _PALE)
    cell.alignment = Alignment(vertical="center")
    cell.number_format = AS_TEXT
    text = _note(column)
    lines = sum(1 + len(line) // 46 for line in text.split("\n"))
    cell.comment = Comment(text, "data dictionary", height=22 + 17 * lines, width=330)


def _note(column: Column) -> str:
    """Return the text of the note on a header: meaning, unit, allowed values, an example."""
    lines = [column.meaning.replace("`", ""), ""]
    if column.unit:
        lines.append(f"Unit: {column.unit}")
    if column.words:
        lines.append(f"Allowed: {', '.join(column.words)}")
    elif column.range is not None:
        lines.append(f"Allowed: {column.range.in_words()}")
    elif column.references is not None:
        lines.append(f"Listed in: sheet {column.references[0]}, column {column.references[1]}")
    if column.unique == "yes":
        lines.append("Each value only once.")
    lines.append("Must be filled in." if column.required else "May be empty.")
    if column.example:
        lines.append(f"Example: {column.example}")
    return "\n".join(lines)


def _width(column: Column, texts: Sequence[str]) -> float:
    lengths = sorted(len(text) for text in texts if text)
    # A truncated id would look like another id; the end of a long text may be cut off.
    share = 0.95 if column.type == "text" else 1
    typical = lengths[int(share * (len(lengths) - 1))] if lengths else 0
    # The filter button takes up the space of a few letters.
    return min(max(typical + 2, len(column.name) * 1.1 + 4, _NARROW), _WIDE)


def _empty_format(column: Column) -> str:
    return "General" if column.type in {"integer", "year"} else AS_TEXT


def _alignment(column: Column) -> Alignment:
    if column.is_number:
        return Alignment(horizontal="right", vertical="top", indent=1)
    return Alignment(horizontal="left", vertical="top")


def _put(cell: Any, column: Column, text: str) -> None:
    number = as_number(text) if column.is_number else None
    if number is not None:
        cell.value, cell.number_format = number
    elif text:
        put_text(cell, text)
    else:
        cell.number_format = _empty_format(column)


def _drop_down(sheet: Any, cells: str, column: Column, lists: _Lists) -> None:
    name = f"{sheet.title}.{column.name}"
    style = title = text = None
    if column.words:
        formula = lists.words(name, column.words)
        style, title = "stop", "Not an allowed word"
        text = "Choose a word from the list at the right of the cell."
    elif column.type == "agents":
        # New combinations must be possible, so the list only makes suggestions.
        used = sorted({row.cells[column.name] for row in lists.tables[sheet.title].rows} - {""})
        formula = lists.words(name, used) if used else ""
    elif column.references is not None:
        table, key = column.references
        formula = lists.ids(table, key)
        style, title = "warning", f"Not in {table}"
        text = f"This id is not in the sheet {table} yet. Keep it anyway?"
    else:
        formula = ""
    if formula:
        rule = DataValidation("list", formula, errorStyle=style, errorTitle=title, error=text)
        rule.allowBlank = True
        rule.showErrorMessage = text is not None
        rule.add(cells)
        sheet.add_data_validation(rule)


def _colours(sheet: Any, table: Table, last_letter: str, last_row: int) -> None:
    """Colour required cells that are empty, and draw a line above each new subject."""
    for position, column in enumerate(table.columns.values(), start=1):
        if column.required:
            letter = get_column_letter(position)
            empty = f"AND(COUNTA($A2:${last_letter}2)>0,LEN(TRIM({letter}2))=0)"
            sheet.conditional_formatting.add(
                f"{letter}2:{letter}{last_row}", FormulaRule([empty], fill=_MISSING)
            )
    subject = table.subject_column
    if subject is None:
        return
    letter = get_column_letter(list(table.columns).index(subject) + 1)
    new = f"AND(${letter}2<>${letter}1,COUNTA($A2:${last_letter}2)>0)"
    line = Border(top=_HAIRLINE if table.columns[subject].unique == "yes" else _LINE)
    sheet.conditional_formatting.add(f"A2:{last_letter}{last_row}", FormulaRule([new], border=line))


def _read_me(sheet: Any, tables: Mapping[str, RawTable]) -> None:
    sheet.sheet_view.showGridLines = False
    for letter, width in (("A", 3), ("B", 24), ("C", 9), ("D", 96)):
        sheet.column_dimensions[letter].width = width
    title = sheet["B2"]
    title.value, title.font = "The extraction sheet", _font(_DARK, 20, bold=True)
    row = 4
    for heading, sentences in yaml.safe_load(_INTRODUCTION.read_text(encoding="utf-8")).items():
        _say(sheet.cell(row, 2), heading, _DARK, 12, bold=True)
        for sentence in sentences:
            row += 1
            sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=4)
            cell = sheet.cell(row, 2)
            _say(cell, f"•  {sentence}")
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.row_dimensions[row].height = 16 * (1 + len(sentence) // 165)
        row += 2
    for position, heading in ((2, "Sheet"), (3, "Rows"), (4, "One row is")):
        _say(sheet.cell(row, position), heading, _DARK, 12, bold=True)
        sheet.cell(row, position).border = Border(bottom=_LINE)
    sheet.cell(row, 3).alignment = Alignment(horizontal="right")
    sheet.cell(row, 4).alignment = Alignment(horizontal="left", indent=2)
    for raw in tables.values():
        row += 1
        link, rows, meaning = (sheet.cell(row, position) for position in (2, 3, 4))
        link.hyperlink = f"#{quote_sheetname(raw.table.name)}!A1"
        _say(link, raw.table.name, "0B5CAD", underline="single")
        rows.value, rows.font = len(raw.rows), _font()
        _say(meaning, raw.table.one_row_is)
        sheet.row_dimensions[row].height = 16 * (1 + len(raw.table.one_row_is) // 115)
        for cell in (link, rows, meaning):
            cell.alignment, cell.border = Alignment(vertical="top"), Border(bottom=_HAIRLINE)
        meaning.alignment = Alignment(horizontal="left", wrap_text=True, vertical="top", indent=2)
    on_paper(sheet)
    sheet.page_setup.fitToHeight = 1


def _say(cell: Any, text: str, *font: Any, **more: Any) -> None:
    put_text(cell, text)
    cell.font = _font(*font, **more)


def _without_triangles(name: str, part: bytes) -> bytes:
    """Switch off the green triangles on numbers deliberately stored as text (PubMed numbers)."""
    if not name.startswith("xl/worksheets/sheet"):
        return part
    # openpyxl cannot write this element; it must come before the drawing of the notes.
    wanted = (
        b'<ignoredErrors><ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"/>'
        b"</ignoredErrors>"
    )
    return part.replace(b"<legacyDrawing ", wanted + b"<legacyDrawing ", 1)
