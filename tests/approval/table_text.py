"""Tables as text: aligned columns, or one paragraph per row if they are too wide."""

import csv
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph
from openpyxl import load_workbook

WIDEST = 200
# Longer tables, such as the one of all specifications, are cut to this many rows.
LONGEST = 500
LONG_NUMBER = re.compile(r"(?<![\w.])-?(?:\d+\.\d{5,}(?:e[-+]?\d+)?|\d(?:\.\d+)?e[-+]\d+)(?![\w.])")


def short_numbers(text: str) -> str:
    """Round full-precision numbers to four digits; other tests check them exactly."""

    def shorter(found: re.Match[str]) -> str:
        # Machines differ in the last bit: 1.5625 on one, 1.5624999999999998 on another.
        value = float(f"{float(found[0]):.12g}")
        if abs(value) <= 1e-9:
            return "0"
        return f"{value:.4g}" if LONG_NUMBER.fullmatch(str(value)) else str(value)

    return LONG_NUMBER.sub(shorter, text)


def rows_as_text(rows: Sequence[Sequence[str]]) -> str:
    """The first row is the header. Aligned if it fits on a line, else one paragraph per row.

    What is the same in every row is said once, above.
    """
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    if not cells:
        return "(nothing)"
    columns = list(zip(*cells, strict=True))
    same = [len(cells) > 3 and len(set(column[1:])) == 1 for column in columns]
    shared = "; ".join(
        f"{column[0]}: {column[1]}" if column[0] else column[1]
        for column, alike in zip(columns, same, strict=True)
        if alike and column[1]
    )
    above = [wrapped(f"(in all rows: {shared})"), ""] if shared else []
    kept = [column for column, alike in zip(columns, same, strict=True) if not alike]
    return "\n".join([*above, _aligned(kept) or _paragraphs(kept)])


def _aligned(columns: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in columns]
    if not columns or sum(widths) + 2 * len(widths) > WIDEST:
        return ""
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in zip(*columns, strict=True)]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _paragraphs(columns: Sequence[Sequence[str]]) -> str:
    header, *records = list(zip(*columns, strict=True)) or [()]
    said = (
        "; ".join(f"{n}: {x}" if n else x for n, x in zip(header, record, strict=True) if x)
        for record in records
    )
    return "\n".join(wrapped(f"* {text}", 2) for text in said) or "(no row)"


def wrapped(text: str, indent: int = 0) -> str:
    """Break long lines between words, so that a diff shows where the text changed."""
    return textwrap.fill(
        text, 110, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def csv_as_text(path: Path) -> str:
    """A CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[short_numbers(cell) for cell in row] for row in csv.reader(file)]
    if len(rows) <= LONGEST:
        return rows_as_text(rows)
    return f"{rows_as_text(rows[:21])}\n... and {len(rows) - 21} more rows"


def workbook_as_text(path: Path) -> str:
    """Every sheet of an Excel workbook."""
    parts = []
    for sheet in load_workbook(path).worksheets:
        cells = [[_shown(cell) for cell in row] for row in sheet.iter_rows()]
        filled = [row for row in cells if any(row)]
        titles = [row[0] for row in filled[:1] if not any(row[1:])]
        parts.append(
            "\n".join([f"==== sheet {sheet.title} ====", *titles, "",
                       rows_as_text(filled[len(titles):])])
        )  # fmt: skip
    return "\n\n".join(parts)


def _shown(cell: Any) -> str:
    """The value of a cell as a spreadsheet program shows it."""
    if cell.data_type != "n" or cell.value is None:
        return short_numbers(str(cell.value or ""))
    shape = cell.number_format
    decimals = len(shape.rstrip("%").partition(".")[2])
    kind = "%" if shape.endswith("%") else "f"
    return f"{cell.value:{',' if ',' in shape else ''}.{decimals}{kind}}"


def document_as_text(path: Path) -> str:
    """Paragraphs and tables of a Word document, in order."""
    parts = []
    for item in Document(str(path)).iter_inner_content():
        if isinstance(item, Paragraph):
            if item.text.strip():
                mark = "# " if (item.style and "Heading" in str(item.style.name)) else ""
                parts.append(wrapped(f"{mark}{item.text}"))
        elif isinstance(item, Table):
            parts.append(rows_as_text([[cell.text for cell in row.cells] for row in item.rows]))
    return "\n\n".join(parts)
