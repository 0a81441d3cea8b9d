"""Office files that store text as text, with identical bytes for identical content."""

from __future__ import annotations

import datetime
import errno
import gc
import io
import os
import re
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lxml.etree import SerialisationError
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter

from trial_evidence.words.errors import RequestError

from .layout import one_kind_of_line_break
from .opened import refuse_open
from .shown import AS_TEXT

SUFFIX = ".xlsx"
LONGEST_CELL = 32_767
NOT_IN_A_FILE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# Identical content must give identical bytes, so the time of writing must not be stored.
DAY = datetime.datetime(2000, 1, 1)
# Fill of cells that the reader should fill in.
TO_FILL = PatternFill("solid", fgColor="FFF6D6")

# A longer list does not fit into the definition of a drop-down.
_LONGEST_LIST = 250
# At the start of a cell, these would begin a formula.
_FORMULA_MARKS = ("=", "+", "-", "@")
# Begins an escape sequence that a workbook would read as one character.
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def put_text(cell: Any, text: str) -> None:
    """Write text into a cell as text: ``=1+1`` and ``#N/A`` are not interpreted.

    Parameters
    ----------
    text : str
        At most ``LONGEST_CELL`` characters, none of them in ``NOT_IN_A_FILE``.
    """
    text = _ESCAPED.sub("_x005F_", one_kind_of_line_break(text))
    cell.value = text
    # Must follow the value: openpyxl has taken "=..." for a formula and "#N/A" for an error.
    cell.data_type = "s"
    cell.number_format = AS_TEXT
    if text.startswith(_FORMULA_MARKS):
        cell.quotePrefix = True


def list_in_cell(words: Sequence[str]) -> str:
    """The source of a drop-down list of words; ``""`` if it must be a column of a worksheet."""
    inline = ",".join(words)
    fits = len(inline) <= _LONGEST_LIST and not any("," in word or '"' in word for word in words)
    return f'"{inline}"' if fits else ""


def put_table(sheet: Any, lines: Iterable[Sequence[str]], widths: Iterable[float]) -> None:
    """Write lines of text, the first as a bold header, with wrapped text."""
    for down, line in enumerate(lines, start=1):
        for across, text in enumerate(line, start=1):
            cell = sheet.cell(down, across)
            put_text(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=down == 1)
    for across, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(across)].width = width


def refuse_book(book: Path) -> None:
    """Raise a RequestError where no workbook should be written.

    Its name is one that a spreadsheet program would not open as a workbook, or one has it open.
    """
    if book.suffix.lower() != SUFFIX:
        raise RequestError(
            f'"{book}" is no name for a workbook, which ends in {SUFFIX}. Name another: BOOK=...'
        )
    refuse_open([book])


class Look:
    """Font and alignment for many cells, cached: setting them on each cell doubles the time."""

    def __init__(self, font: Font, alignment: Alignment) -> None:
        self._font, self._alignment = font, alignment
        self._known: dict[tuple[int, ...], StyleArray] = {}

    def put_on(self, cell: Any) -> None:
        """Apply the font and alignment to a cell whose value and number format are already set."""
        before = tuple(cell._style or ())
        if before not in self._known:
            cell.font, cell.alignment = self._font, self._alignment
            self._known[before] = cell._style
        cell._style = self._known[before]


def on_paper(sheet: Any, header_row: int | None = None) -> None:
    """Set up printing: landscape A4, fitted to the page width, with the header on every page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{header_row}:{header_row}" if header_row else None


def workbook_bytes(
    workbook: Any, title: str, amend: Callable[[str, bytes], bytes] | None = None
) -> bytes:
    """An openpyxl workbook as bytes, identical for identical content; `amend` as in `timeless`."""
    workbook.properties.creator = "trial evidence"
    workbook.properties.title = title
    workbook.properties.created = DAY
    written = io.BytesIO()
    try:
        workbook.save(written)
    except SerialisationError as error:
        # Each sheet passes through a file of its own, and its writer names the reason: IO_ENOSPC.
        number = getattr(errno, str(error).removeprefix("IO_"), errno.EIO)
        _clear_away(error)
        raise OSError(number, os.strerror(number), tempfile.gettempdir()) from None
    return timeless(written.getvalue(), amend)


def _clear_away(error: Exception) -> None:
    """Clear away what was half written, which would complain on the terminal that it cannot end."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
        gc.collect()
    finally:
        sys.unraisablehook = hook


def timeless(content: bytes, amend: Callable[[str, bytes], bytes] | None = None) -> bytes:
    """An office file (a zip archive) without the time of writing.

    Parameters
    ----------
    amend : callable, optional
        Function of a part's name and content that returns its new content.
    """
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as made,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in made.namelist():
            part = made.read(name)
            if name == "docProps/core.xml":
                part = _MODIFIED.sub(rb"\g<1>2000-01-01T00:00:00Z", part)
            if amend is not None:
                part = amend(name, part)
            archive.writestr(zipfile.ZipInfo(name, DAY.timetuple()[:6]), part, zipfile.ZIP_DEFLATED)
    return result.getvalue()
