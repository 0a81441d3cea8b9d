"""The comparison with registry records as a workbook to confirm, and reading it back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from trial_evidence.exchange.registry.against import (
    ADDED,
    AGREES,
    DIFFERS,
    Comparison,
    Held,
    Line,
    NewRow,
)
from trial_evidence.files import write_whole
from trial_evidence.sheet.dictionary import Table
from trial_evidence.sheet.values import NO_BREAK_SPACES, Reading
from trial_evidence.words.errors import RequestError
from trial_evidence.workbook.cells import cell_of_book
from trial_evidence.workbook.layout import REGISTRY
from trial_evidence.workbook.package import (
    TO_FILL,
    list_in_cell,
    put_table,
    put_text,
    refuse_book,
    workbook_bytes,
)
from trial_evidence.workbook.read import open_book, sheet_names

UNMAPPED, CONFIRMED = "Not mapped", "Confirmed by"
LINE = {
    "trial": "Trial", "table": "Table", "row": "Row", "column": "Column", "held": "In the sheet",
    "found": "In the record", "path": "Where in the record", "note": "What it is",
    "which": "Which row",
}  # fmt: skip
REST = {
    "trial": "Trial", "what": "What it is", "value": "In the record", "path": "Where in the record",
    "why": "Why it is not mapped",
}  # fmt: skip
ROW = {"path": "Where in the record", "about": "Remark"}
# Beginning of the names of sheets with new rows.
ROWS = f"{ADDED}, "
READINGS = "second_reading"
_WIDTHS = {
    "Trial": 18, "Table": 15, "Row": 6, "Column": 20, "In the sheet": 18, "In the record": 22,
    "Where in the record": 56, "What it is": 60, "Which row": 50, "Why it is not mapped": 70,
    CONFIRMED: 14, "Remark": 36, "note": 40, "definition": 30,
}  # fmt: skip
_SAID = {
    DIFFERS: (
        "the sheet and the record have different values. Confirmed, it becomes a second reading "
        "that differs and waits for adjudication ({tables}); in other tables the record's value "
        "replaces the sheet's."
    ),
    ADDED: (
        "a cell of the sheet is empty and the record has a value. Confirmed, it is filled in. What "
        "the sheet needs and the record does not say is yellow: write it there."
    ),
    f"{ROWS}...": (
        "a row that the sheet does not have. Fill in the yellow cells that the record says nothing "
        "of, and confirm the row."
    ),
    AGREES: (
        "both have the same value. Confirmed, it becomes a second reading that agrees ({tables}); "
        "in other tables there is nothing to do."
    ),
    UNMAPPED: "what no cell of the sheet could be found for, and why. Nothing to confirm.",
}  # fmt: skip
_HOW = (
    "What the registry says, set against the sheet. Nothing is in the sheet yet.",
    f"Where you agree with a line, write your initials in its last cell ({CONFIRMED}); leave the "
    "cell empty where you do not.",
)


def write_registry_book(found: Comparison, held: Held, book: Path) -> None:
    """Write the comparison as a workbook with empty cells for confirmation.

    Raises
    ------
    RequestError
        If the file exists and is something else, or has confirmations, which would be lost; or if
        the name is not that of a workbook, or the file is open in a spreadsheet program.
    SheetError
        If a workbook of this name exists and cannot be opened.
    """
    refuse_book(book)
    if book.exists() and REGISTRY not in sheet_names(book):
        message = "holds something else and would be overwritten. Name another: BOOK=..."
        raise RequestError(f"{book} {message}")
    if book.exists() and any(one.by for one in entries_of(*open_book(book))):
        message = "holds confirmations that would be lost. Import it, then move or delete it."
        raise RequestError(f"{book} {message}")
    made = Workbook()
    first = made.worksheets[0]
    first.title = REGISTRY
    _first_page(first, found.files, held.dictionary.tables[READINGS].columns["table"].words)
    _put_marks(first, (line for page in (DIFFERS, ADDED, AGREES) for line in found.page(page)))
    for page in (DIFFERS, ADDED):
        _page(made, page, LINE.values(), [_texts(line, LINE) for line in found.page(page)])
    for table in dict.fromkeys(row.table for row in found.rows):
        rows = [row for row in found.rows if row.table == table]
        _rows_page(made, held.dictionary.tables[table], rows)
    _page(made, AGREES, LINE.values(), [_texts(line, LINE) for line in found.page(AGREES)])
    _page(made, UNMAPPED, REST.values(), [_texts(one, REST) for one in found.unmapped])
    write_whole(book, workbook_bytes(made, "Records of a registry, to confirm"))


def _texts(one: Any, columns: Iterable[str]) -> list[str]:
    return [str(getattr(one, name)) for name in columns]


def _first_page(sheet: Any, files: Sequence[str], read_again: Sequence[str]) -> None:
    said = (f"{page}: {text}".format(tables=", ".join(read_again)) for page, text in _SAID.items())
    for down, text in enumerate([*_HOW, "", *said, "", "Records read:", *files], start=1):
        put_text(sheet.cell(down, 1), text)
        sheet.cell(down, 1).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = 110


def _put_marks(sheet: Any, lines: Iterable[Line]) -> None:
    """Checksums of the lines in a hidden column: a value that is changed is not the record's."""
    for down, line in enumerate(lines, start=1):
        sheet.cell(down, 2).value = mark_of(dict(zip(LINE, _texts(line, LINE), strict=True)))
    sheet.column_dimensions["B"].hidden = True


def marks_in(book: Any) -> set[str]:
    """The checksums of the lines as they were written."""
    return {str(cells[1]) for cells in book[REGISTRY].iter_rows(values_only=True) if cells[1:]}


def mark_of(line: Mapping[str, str], **other: str) -> str:
    """A checksum of a line, by its names in ``LINE``, with `other` cells if given."""
    text = "\x1f".join(
        {**line, **other}[name] for name in ("table", "row", "column", "path", "found")
    )
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _page(book: Any, title: str, names: Iterable[str], lines: Sequence[Sequence[str]]) -> Any:
    sheet, confirm = book.create_sheet(title), title != UNMAPPED
    header = [*names, *[CONFIRMED] * confirm]
    filled = [[*line, *[""] * confirm] for line in lines]
    put_table(sheet, [header, *filled], [_WIDTHS.get(name, 16) for name in header])
    for row in sheet.iter_rows(min_row=2):
        for name, cell in zip(header, row, strict=True):
            if confirm and name in (CONFIRMED, LINE["found"]) and not cell.value:
                cell.fill = TO_FILL
    sheet.freeze_panes = "A2"
    return sheet


def _rows_page(book: Any, table: Table, rows: Sequence[NewRow]) -> None:
    """The new rows of a table in its own columns; required cells that are empty are yellow."""
    columns = [*ROW.values(), *table.columns]
    lines = [
        [row.path, row.note, *(row.cells.get(name, "") for name in table.columns)] for row in rows
    ]
    sheet = _page(book, f"{ROWS}{table.name}", columns, lines)
    for across, column in enumerate(table.columns.values(), start=len(ROW) + 1):
        for down, row in enumerate(rows, start=2):
            needed = column.required or (column.name == "p_sided" and row.cells.get("p_value"))
            if needed and not row.cells.get(column.name):
                sheet.cell(down, across).fill = TO_FILL
        words = list_in_cell(column.words)
        if column.words and rows and words:
            choice = DataValidation("list", words, allow_blank=True)
            letter = get_column_letter(across)
            choice.add(f"{letter}2:{letter}{len(rows) + 1}")
            sheet.add_data_validation(choice)


@dataclass(frozen=True)
class Entry:
    """A line of the workbook: its sheet, row number, cells by header, and who confirmed it.

    Attributes
    ----------
    odd : sequence of (str, Reading)
        Cells, by header, that cannot be read as shown, or that hold a formula.
    """

    page: str
    number: int
    cells: Mapping[str, str]
    by: str
    odd: Sequence[tuple[str, Reading]] = ()

    def __getitem__(self, name: str) -> str:
        """A cell by its name in ``LINE``; empty if missing."""
        return self.cells.get(LINE[name], "")


def entries_of(book: Any, values: Any) -> Iterator[Entry]:
    """Every line of a workbook that can be confirmed.

    Parameters
    ----------
    values : workbook
        The same workbook with the last results of its formulas.
    """
    for sheet in book.worksheets:
        header = [str(cell.value or "").strip() for cell in sheet[1]]
        if CONFIRMED not in header:
            continue
        for line in sheet.iter_rows(min_row=2):
            read = [
                (name, cell_of_book(cell, values[sheet.title], None))
                for name, cell in zip(header, line, strict=True)
            ]
            texts = [(name, one.text.translate(NO_BREAK_SPACES).strip()) for name, one in read]
            by = next((text for name, text in texts if name == CONFIRMED and text), "")
            odd = [(name, one) for name, one in read if one.findings]
            yield Entry(sheet.title, line[0].row, dict(texts), by, odd)
