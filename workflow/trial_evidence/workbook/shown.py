"""Conversion between texts of the sheet and numbers in a spreadsheet, by what a cell displays.

A number in the sheet is text with the decimals printed in its source: ``1.00`` is not ``1``. In a
workbook it is a number whose format shows these decimals, so that formulas can use it and it is
read back as the same text.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal
from typing import Any

from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils import get_column_letter

from .layout import PRIVATE

AS_TEXT = "@"

# Spreadsheets store 15 significant digits.
_MOST_DIGITS = 15
# A number with more digits was computed; no source prints so many.
_PRINTED_DIGITS = 9
# Serial day numbers of 2020 to 2040. A date typed into a cell with a number format (9/12 gets the
# current year) becomes such a number, and looks like any other whole number.
_DAY_NUMBERS = range(43831, 51502)
_FIRST_DAY = datetime.date(1899, 12, 30)

_PLAIN_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.(?P<decimals>[0-9]+))?")
_FORMAT = re.compile(r"(?P<whole>#,##0|0+|#)(\.(?P<decimals>0+))?(?P<percent>%?)")
# Parts of a format that do not affect digits: a space as wide as x (_x), padding with x (*x), a
# colour ([Red]).
_GAP = re.compile(r"[_*].|\[[A-Za-z]+\]")
# Literal text in a format: "in quotation marks", \x, _x (a space as wide as x), *x (padding).
_LITERAL = re.compile(r'"[^"]*"|[\\_*].')


def as_number(text: str) -> tuple[float, str] | None:
    """Return the number and number format that display `text`, or None if it must stay text.

    Parameters
    ----------
    text : str
        A cell of a numeric column.

    Returns
    -------
    (float, str) or None
        None for everything that a spreadsheet would display differently (``007``, ``1e-3``,
        ``<0.001``, ``0,81``), and for whole numbers that might be mistaken for a date.
    """
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None or len(text.replace(".", "")) > _MOST_DIGITS:
        return None
    decimals = len(match["decimals"] or "")
    if not decimals:
        return None if int(text) in _DAY_NUMBERS else (int(text), "0")
    return float(text), "0." + "0" * decimals


def shown(number: float, number_format: str) -> str | None:
    """Return what a cell displays, in the sheet's number notation.

    Parameters
    ----------
    number_format : str
        Format code of the spreadsheet.

    Returns
    -------
    str or None
        With the decimals of the format if these show the exact number, otherwise with all the
        number's decimals; with a percent sign if the format has one. None for formats that display
        anything other than a plain number.
    """
    if number_format in {"General", AS_TEXT}:
        return shortest(number)
    match = _FORMAT.fullmatch(_GAP.sub("", number_format.partition(";")[0]))
    if match is None:
        return None
    percent = match["percent"]
    exact = shortest(number * 100 if percent else number)
    rounded = f"{float(exact):.{len(match['decimals'] or '')}f}"
    if len(rounded.lstrip("-").partition(".")[0]) < match["whole"].count("0"):
        # Displayed as 007, which is not a plain number.
        return None
    return (rounded if float(rounded) == float(exact) else exact) + percent


def in_percent(number_format: str) -> bool:
    """Return whether a format multiplies by 100; a percent sign as literal text does not."""
    return "%" in _LITERAL.sub("", number_format.partition(";")[0])


def is_computed(text: str) -> bool:
    """Return whether a number has more digits than any source prints."""
    return len(text.rstrip("%").lstrip("-0.").replace(".", "")) > _PRINTED_DIGITS


def hidden_date(number: float, number_format: str) -> datetime.date | None:
    """Return the date that a whole number in a number format probably represents, or None."""
    if number_format in {"General", AS_TEXT} or is_date_format(number_format):
        return None
    if number != int(number) or int(number) not in _DAY_NUMBERS:
        return None
    return _FIRST_DAY + datetime.timedelta(days=int(number))


def shortest(number: float) -> str:
    """Return a number with as few digits as represent it exactly; ``inf`` or ``nan`` as such."""
    if not math.isfinite(number):
        return str(number)
    if number == int(number) and abs(number) < 10**_MOST_DIGITS:
        return str(int(number))
    # Write out 0.00001 in full, as the sheet does for p values.
    return f"{Decimal(f'{number:.{_MOST_DIGITS}g}'):f}"


def struck_through(cell: Any) -> list[bool]:
    """Whether each part of a cell's text is struck through; empty if the cell is."""
    if cell.value is None:
        return []
    parts = cell.value if isinstance(cell.value, CellRichText) else [cell.value]
    return [
        bool((part if isinstance(part, TextBlock) else cell).font.strike)
        for part in parts
        if str(part).strip()
    ]


def hidden_columns(sheet: Any) -> list[str]:
    """The letters of the columns in use that a reader does not see; private ones may be hidden."""
    return [
        get_column_letter(number)
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden
        for number in range(dimension.min, min(dimension.max, sheet.max_column) + 1)
        if not str(sheet.cell(1, number).value or "").strip().startswith(PRIVATE)
    ]
