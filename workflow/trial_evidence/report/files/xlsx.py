"""The tables as one workbook, one sheet per table."""

import re
import textwrap
from collections.abc import Sequence
from functools import cache

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from trial_evidence.report.material.material import ReportTable
from trial_evidence.workbook.package import (
    LONGEST_CELL,
    NOT_IN_A_FILE,
    Look,
    on_paper,
    put_text,
    workbook_bytes,
)

# Longer numbers, such as ids, stay text: a spreadsheet would not keep every digit.
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,11}|[1-9][0-9]{0,2}(,[0-9]{3}){1,3})(\.[0-9]+)?%?")
_FONT = Font(name="Calibri", size=10)
_BOLD = Font(name="Calibri", size=10, bold=True)
_TITLE = Font(name="Calibri", size=12, bold=True)
_SHADE = PatternFill("solid", fgColor="E4E9EC")
_TOP = Alignment(horizontal="left", vertical="top", wrap_text=True)
_NARROW, _WIDE = 8, 52
# Row heights are set because not every program fits them to the text; the format has a maximum.
_LINE_POINTS, _HIGHEST = 13.5, 409.0
HEADER_ROW = 2


def tables_as_workbook(tables: Sequence[ReportTable]) -> bytes:
    """An ``.xlsx`` file of the tables; the same tables give the same bytes.

    Returns
    -------
    bytes
        Every sheet has the title in row 1, headings in row 2, then the rows, an empty row, and the
        notes. A cell with a single unsigned number is stored as a number, formatted as printed;
        everything else is text, never a formula.
    """
    workbook = Workbook()
    workbook.remove(workbook.active)
    for table in tables:
        _fill(workbook.create_sheet(table.name[:31]), table)
    return workbook_bytes(workbook, "Tables of the report")


def plain(text: str) -> str:
    """The text without characters that office files cannot hold, cut to the limit of a cell."""
    text = NOT_IN_A_FILE.sub("", text)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _fill(sheet: Worksheet, table: ReportTable) -> None:
    put_text(sheet.cell(1, 1), plain(table.title))
    sheet.cell(1, 1).font = _TITLE
    headings = list(table.frame.columns)
    widths: list[int] = []
    for column, heading in enumerate(headings, start=1):
        cell = sheet.cell(HEADER_ROW, column)
        put_text(cell, plain(heading))
        cell.font, cell.fill, cell.alignment = _BOLD, _SHADE, _TOP
        longest = max(map(len, (heading, *table.frame[heading])))
        width = min(max(longest + 2, _NARROW), _WIDE)
        sheet.column_dimensions[get_column_letter(column)].width = width
        widths.append(width)
    look = Look(_FONT, _TOP)
    rows = table.frame.itertuples(index=False, name=None)
    for row, cells in enumerate(rows, start=HEADER_ROW + 1):
        for column, text in enumerate(cells, start=1):
            cell = sheet.cell(row, column)
            if _NUMBER.fullmatch(text):
                cell.value, cell.number_format = _as_number(text)
            elif text:
                put_text(cell, plain(text))
            look.put_on(cell)
        lines = max(_lines(text, width) for text, width in zip(cells, widths, strict=True))
        sheet.row_dimensions[row].height = min(_LINE_POINTS * lines, _HIGHEST)
    last = HEADER_ROW + len(table.frame)
    for row, note in enumerate(table.notes, start=last + 2):
        put_text(sheet.cell(row, 1), plain(note))
        look.put_on(sheet.cell(row, 1))
        # Merged across the table: on one line, notes made the printed sheet too wide to read.
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(headings))
        lines = _lines(note, sum(widths))
        sheet.row_dimensions[row].height = min(_LINE_POINTS * lines, _HIGHEST)
    sheet.freeze_panes = sheet.cell(HEADER_ROW + 1, 2)
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(headings))}{last}"
    on_paper(sheet, HEADER_ROW)


def _as_number(text: str) -> tuple[float, str]:
    """The value of a printed number, and the number format that prints it the same way."""
    number, decimals = text.replace(",", "").rstrip("%"), len(text.rstrip("%").partition(".")[2])
    shape = ("#,##0" if "," in text else "0") + f".{'0' * decimals}" * (decimals > 0)
    if text.endswith("%"):
        return round(float(number) / 100, decimals + 2), f"{shape}%"
    return float(number) if decimals else int(number), shape


@cache
def _lines(text: str, width: int) -> int:
    """Number of lines of a text in a column of this width in characters."""
    return sum(len(textwrap.wrap(part, width)) or 1 for part in text.split("\n"))
