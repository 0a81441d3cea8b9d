"""Writing the sheet as a workbook that an analyst edits."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from trial_evidence.sheet import Column, Dictionary, Problem, SheetError, Table
from trial_evidence.sheet.cells import RawTable, read_cells
from trial_evidence.sheet.check import read_files
from trial_evidence.sheet.dictionary import NUMBER_TYPES

from .layout import LISTS, MADE_FROM, READ_ME, row_mark
from .package import DAY, LONGEST_CELL, NOT_IN_A_FILE, put_text, timeless
from .read import read_book
from .shown import AS_TEXT, as_number

# Rows below the last one that drop-downs and colours reach.
_ROOM = 500
_LONGEST_LIST = 250

_INK = "1F2A36"
_HEADER = PatternFill("solid", fgColor="1F4E5F")
_OPTIONAL_HEADER = PatternFill("solid", fgColor="7A97A3")
_MISSING = PatternFill("solid", bgColor="F8D7D3")
_LINE = Side(style="thin", color="8FA3AD")
_HAIRLINE = Side(style="hair", color="C9D3D8")
_FONT = "Calibri"
_NARROW, _WIDE = 9, 46


def write_workbook(raw: Path, dictionary: Dictionary, book: Path) -> None:
    """Write the sheet as a workbook: a sheet a table, with notes and drop-downs.

    Numbers are numbers, in the decimals that the file gives them; all else is text, and so are the
    empty cells of columns in which the decimals count. The same sheet gives the same bytes.

    Parameters
    ----------
    raw : Path
        Folder of the sheet.
    dictionary : Dictionary
    book : Path
        The ``.xlsx`` file; written whole or not at all.

    Raises
    ------
    SheetError
        When a file of the sheet cannot be read as a table, or a cell does not fit into a workbook;
        and when `book` exists and holds edits that were not imported: they would be lost.
    """
    tables = _tables(raw, dictionary)
    if book.exists() and _holds_more_than(book, tables, dictionary):
        message = (
            "this workbook holds edits that have not been imported and would be overwritten. "
            "Import it, or move it to another place, or delete it."
        )
        raise SheetError([Problem("error", book.name, None, "", "", "", message)])
    workbook = Workbook()
    workbook.remove(workbook.active)
    _read_me(workbook.create_sheet(READ_ME), tables)
    lists = _Lists()
    for raw_table in tables.values():
        _table_sheet(workbook.create_sheet(raw_table.table.name), raw_table, tables, lists)
    lists.write(workbook.create_sheet(LISTS))
    _marks(workbook.create_sheet(MADE_FROM), tables)
    for name in (LISTS, MADE_FROM):
        workbook[name].sheet_state = "hidden"
    content = _content(workbook)
    book.parent.mkdir(parents=True, exist_ok=True)
    beside = book.with_name(f".{book.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(book)
    finally:
        beside.unlink(missing_ok=True)


def _tables(raw: Path, dictionary: Dictionary) -> dict[str, RawTable]:
    contents, about_files = read_files(raw, dictionary)
    problems = [problem for problem in about_files if problem.severity == "error"]
    tables = {}
    for name, table in dictionary.tables.items():
        cells, found = read_cells(table, contents.get(name))
        problems += [problem for problem in found if problem.severity == "error"]
        if cells is not None:
            tables[name] = cells
            problems += _unfit_cells(cells)
    if problems:
        raise SheetError(problems)
    return tables


def _unfit_cells(raw: RawTable) -> list[Problem]:
    problems = []
    for row in raw.rows:
        for name, text in row.cells.items():
            message = ""
            if len(text) > LONGEST_CELL:
                message = f"the text is longer than a cell can hold ({LONGEST_CELL} characters)."
            elif NOT_IN_A_FILE.search(text):
                message = "the cell holds an invisible character that a workbook cannot hold."
            if message:
                subject = row.cells.get(raw.table.subject_column or "", "")
                problems.append(
                    Problem("error", raw.table.file, row.number, subject, name, text, message)
                )
    return problems


def _holds_more_than(book: Path, tables: Mapping[str, RawTable], dictionary: Dictionary) -> bool:
    """Say whether a workbook holds anything that was typed into it and not imported."""
    found = read_book(book, dictionary)
    if found.made_from is None or any(p.severity == "error" for p in found.problems):
        return True
    for name, raw in tables.items():
        in_sheet = {row_mark(raw.table, row.cells) for row in raw.rows}
        made_from = found.made_from.get(name, frozenset())
        in_book: set[str] = set()
        for row in found.tables[name].rows:
            typed = {
                column: found.as_typed.get((name, row.number, column), text)
                for column, text in row.cells.items()
            }
            marks = {row_mark(raw.table, row.cells), row_mark(raw.table, typed)}
            if not marks & (in_sheet | made_from):
                return True
            in_book |= marks
        if made_from & in_sheet - in_book:
            return True
    return False


class _Lists:
    """The hidden sheet with the words of drop-downs that are too long to stand in the cell."""

    def __init__(self) -> None:
        self.columns: list[tuple[str, tuple[str, ...]]] = []

    def reference(self, title: str, words: Sequence[str]) -> str:
        """Return what a drop-down of these words refers to."""
        inline = ",".join(words)
        if len(inline) <= _LONGEST_LIST and not any("," in word or '"' in word for word in words):
            return f'"{inline}"'
        if (title, tuple(words)) not in self.columns:
            self.columns.append((title, tuple(words)))
        letter = get_column_letter(self.columns.index((title, tuple(words))) + 1)
        return f"{quote_sheetname(LISTS)}!${letter}$2:${letter}${len(words) + 1}"

    def write(self, sheet: Any) -> None:
        for position, (title, words) in enumerate(self.columns, start=1):
            for row, word in enumerate((title, *words), start=1):
                put_text(sheet.cell(row, position), word)


def _table_sheet(sheet: Any, raw: RawTable, tables: Mapping[str, RawTable], lists: _Lists) -> None:
    table = raw.table
    last_letter = get_column_letter(len(table.columns))
    last_row = len(raw.rows) + 1
    for position, column in enumerate(table.columns.values(), start=1):
        letter = get_column_letter(position)
        texts = [row.cells[column.name] for row in raw.rows]
        _header_cell(sheet.cell(1, position), column)
        _whole_column(sheet.column_dimensions[letter], column, texts)
        for row, text in enumerate(texts, start=2):
            _put(sheet.cell(row, position), column, text)
        _drop_down(sheet, letter, last_row + _ROOM, column, tables, lists)
    sheet.row_dimensions[1].height = 24
    sheet.freeze_panes = sheet.cell(2, _frozen_columns(table) + 1)
    sheet.auto_filter.ref = f"A1:{last_letter}{last_row}"
    sheet.sheet_properties.tabColor = "1F4E5F" if table.rows_required else "7A97A3"
    sheet.sheet_view.zoomScale = 100
    _colours(sheet, table, last_letter, last_row + _ROOM)
    _on_paper(sheet)
    # A long note in the last column is cut on paper, or the whole page would shrink.
    sheet.print_area = f"A1:{last_letter}{last_row}"


def _header_cell(cell: Any, column: Column) -> None:
    cell.value = column.name
    cell.font = Font(name=_FONT, size=11, bold=True, color="FFFFFF")
    cell.fill = _HEADER if column.required else _OPTIONAL_HEADER
    cell.alignment = Alignment(vertical="center")
    cell.number_format = AS_TEXT
    text = _note(column)
    comment = Comment(text, "data dictionary")
    lines = sum(1 + len(line) // 46 for line in text.split("\n"))
    comment.width, comment.height = 330, 22 + 17 * lines
    cell.comment = comment


def _note(column: Column) -> str:
    """Return what the note on a header says: meaning, unit, what is allowed, an example."""
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


def _whole_column(dimension: Any, column: Column, texts: Sequence[str]) -> None:
    dimension.width = _width(column, texts)
    # New rows take the column's format: 1.00 stays 1.00, and 9/12 does not become a date.
    dimension.number_format = _empty_format(column)
    dimension.alignment = _alignment(column)
    dimension.font = Font(name=_FONT, size=11, color=_INK)


def _width(column: Column, texts: Sequence[str]) -> float:
    lengths = sorted(len(text) for text in texts if text)
    # An id that is cut off is another id; the end of a long text can be missed.
    share = 0.95 if column.type == "text" else 1
    typical = lengths[int(share * (len(lengths) - 1))] if lengths else 0
    # The filter button takes the space of some letters.
    return min(max(typical + 2, len(column.name) * 1.1 + 4, _NARROW), _WIDE)


def _is_number(column: Column) -> bool:
    return column.type in NUMBER_TYPES or column.type == "p_value"


def _empty_format(column: Column) -> str:
    return "General" if column.type in {"integer", "year"} else AS_TEXT


def _alignment(column: Column) -> Alignment:
    if _is_number(column):
        return Alignment(horizontal="right", vertical="top", indent=1)
    return Alignment(horizontal="left", vertical="top")


def _put(cell: Any, column: Column, text: str) -> None:
    cell.font = Font(name=_FONT, size=11, color=_INK)
    cell.alignment = _alignment(column)
    number = as_number(text) if _is_number(column) else None
    if number is not None:
        cell.value, cell.number_format = number
    elif text:
        put_text(cell, text)
    else:
        cell.number_format = _empty_format(column)


def _frozen_columns(table: Table) -> int:
    """Return how many columns stay in sight: the ids at the left, two at most."""
    frozen = 0
    for column in list(table.columns.values())[:2]:
        if column.type != "id" or not column.required:
            break
        frozen += 1
    return max(frozen, 1)


def _drop_down(
    sheet: Any,
    letter: str,
    last_row: int,
    column: Column,
    tables: Mapping[str, RawTable],
    lists: _Lists,
) -> None:
    if column.words:
        listed = lists.reference(f"{sheet.title}.{column.name}", column.words)
        rule = DataValidation("list", formula1=listed, allow_blank=True, errorStyle="stop")
        rule.errorTitle = "Not an allowed word"
        rule.error = "Choose a word from the list at the right of the cell."
        rule.showErrorMessage = True
    elif column.type == "agents":
        # A combination that nobody has used yet must be possible: the list only helps.
        used = sorted({row.cells[column.name] for row in tables[sheet.title].rows} - {""})
        if not used:
            return
        listed = lists.reference(f"{sheet.title}.{column.name}", used)
        rule = DataValidation("list", formula1=listed, allow_blank=True, showErrorMessage=False)
    elif column.references is not None:
        table, key = column.references
        rule = DataValidation(
            "list", formula1=_ids(tables[table], key), allow_blank=True, errorStyle="warning"
        )
        rule.errorTitle = f"Not in {table}"
        rule.error = f"This id is not in the sheet {table} yet. Keep it anyway?"
        rule.showErrorMessage = True
    else:
        return
    rule.add(f"{letter}2:{letter}{last_row}")
    sheet.add_data_validation(rule)


def _ids(raw: RawTable, key: str) -> str:
    """Return the formula of a drop-down of the ids of a table, those of new rows included."""
    letter = get_column_letter(list(raw.table.columns).index(key) + 1)
    sheet = quote_sheetname(raw.table.name)
    last = len(raw.rows) + 1 + _ROOM
    # As long as the ids: an empty end of the list would be what the analyst sees first.
    count = f"MAX(1,COUNTA({sheet}!${letter}$2:${letter}${last}))"
    return f"OFFSET({sheet}!${letter}$2,0,0,{count},1)"


def _colours(sheet: Any, table: Table, last_letter: str, last_row: int) -> None:
    """Colour cells that have to be filled in, and draw a line above each new subject."""
    whole = f"A2:{last_letter}{last_row}"
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
    several = table.columns[subject].unique != "yes"
    new = f"AND(${letter}2<>${letter}1,COUNTA($A2:${last_letter}2)>0)"
    line = Border(top=_LINE if several else _HAIRLINE)
    sheet.conditional_formatting.add(whole, FormulaRule([new], border=line))


def _on_paper(sheet: Any) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"


_INTRODUCTION = (
    (
        "How to edit",
        (
            "Type in the sheets listed below; add new rows under the last one.",
            "Rest the pointer on a column's name to see what the column means.",
            "Columns with a dark header must be filled in; a red cell is still empty.",
            "Where a cell has a list, choose from it. Ids of trials, arms and sources come from "
            "their own sheets: add the trial first, then its arms and its source, then its "
            "results.",
            "Write numbers as the source prints them, with a point as decimal mark: 1.00 stays "
            "1.00.",
            "Leave a cell empty where the source does not say. Do not write NA, - or 0 instead.",
            "You may sort and filter. Show all rows again before you import.",
        ),
    ),
    (
        "How to import",
        (
            "Save and close the workbook, then run:  make import BOOK=path/to/this/workbook.xlsx",
            "The differences are listed in words. Nothing is written unless every table is valid.",
            "Whatever cannot be read with certainty is refused, and the message names sheet, row "
            "and cell: a date where something else was typed, a decimal comma, a formula without "
            "a value, merged cells, hidden rows, an unknown column or sheet.",
            "After an import, make a new workbook for the next edit.",
        ),
    ),
)


def _read_me(sheet: Any, tables: Mapping[str, RawTable]) -> None:
    sheet.sheet_view.showGridLines = False
    for letter, width in (("A", 3), ("B", 24), ("C", 9), ("D", 96)):
        sheet.column_dimensions[letter].width = width
    title = sheet["B2"]
    title.value = "The extraction sheet"
    title.font = Font(name=_FONT, size=20, bold=True, color="1F4E5F")
    row = 4
    for heading, sentences in _INTRODUCTION:
        _heading(sheet.cell(row, 2), heading)
        for sentence in sentences:
            row += 1
            sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=4)
            cell = sheet.cell(row, 2)
            put_text(cell, f"•  {sentence}")
            cell.font = Font(name=_FONT, size=11, color=_INK)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.row_dimensions[row].height = 16 * (1 + len(sentence) // 165)
        row += 2
    for position, heading in ((2, "Sheet"), (3, "Rows"), (4, "One row is")):
        _heading(sheet.cell(row, position), heading)
        sheet.cell(row, position).border = Border(bottom=_LINE)
    sheet.cell(row, 3).alignment = Alignment(horizontal="right")
    sheet.cell(row, 4).alignment = Alignment(horizontal="left", indent=2)
    for raw in tables.values():
        row += 1
        link, rows, meaning = (sheet.cell(row, position) for position in (2, 3, 4))
        put_text(link, raw.table.name)
        link.hyperlink = f"#{quote_sheetname(raw.table.name)}!A1"
        link.font = Font(name=_FONT, size=11, color="0B5CAD", underline="single")
        rows.value = len(raw.rows)
        put_text(meaning, raw.table.one_row_is)
        for cell in (rows, meaning):
            cell.font = Font(name=_FONT, size=11, color=_INK)
        meaning.alignment = Alignment(horizontal="left", wrap_text=True, vertical="top", indent=2)
        sheet.row_dimensions[row].height = 16 * (1 + len(raw.table.one_row_is) // 115)
        for cell in (link, rows):
            cell.alignment = Alignment(vertical="top")
        for cell in (link, rows, meaning):
            cell.border = Border(bottom=_HAIRLINE)
    _on_paper(sheet)
    sheet.page_setup.fitToHeight = 1
    sheet.print_title_rows = None


def _heading(cell: Any, text: str) -> None:
    put_text(cell, text)
    cell.font = Font(name=_FONT, size=12, bold=True, color="1F4E5F")


def _marks(sheet: Any, tables: Mapping[str, RawTable]) -> None:
    number = 0
    for name, raw in tables.items():
        for row in raw.rows:
            number += 1
            put_text(sheet.cell(number, 1), name)
            put_text(sheet.cell(number, 2), row_mark(raw.table, row.cells))


def _content(workbook: Any) -> bytes:
    """Return the workbook's bytes without the time of writing."""
    workbook.properties.creator = "trial evidence"
    workbook.properties.title = "Extraction sheet"
    workbook.properties.created = DAY
    written = io.BytesIO()
    workbook.save(written)
    return timeless(written.getvalue(), _amended)


def _amended(name: str, part: bytes) -> bytes:
    return _without_triangles(part) if name.startswith("xl/worksheets/sheet") else part


def _without_triangles(part: bytes) -> bytes:
    """Switch off the green triangles of numbers that are text on purpose (PubMed numbers)."""
    # openpyxl writes no such element; it has to stand before the drawing of the notes.
    wanted = (
        b'<ignoredErrors><ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"/>'
        b"</ignoredErrors>"
    )
    return part.replace(b"<legacyDrawing ", wanted + b"<legacyDrawing ", 1)
