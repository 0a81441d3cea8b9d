"""Texts of the sheet as numbers of a spreadsheet, and what a spreadsheet's cell shows as text.

A number of the sheet is text with the decimals that its source printed: ``1.00`` is not ``1``. In a
workbook it is a number whose format shows these decimals, so that it can be computed with and comes
back as the same text.
"""

from __future__ import annotations

import datetime
import math
import re

from openpyxl.styles.numbers import is_date_format

AS_TEXT = "@"

# Spreadsheets keep 15 significant digits.
_MOST_DIGITS = 15
# More digits than any source prints: such a number was computed.
_PRINTED_DIGITS = 9
# Day numbers of 2020 to 2040. A date typed into a cell that has a number format (9/12 takes the
# current year) becomes its day number, and looks like any other whole number.
_DAY_NUMBERS = range(43831, 51502)
_FIRST_DAY = datetime.date(1899, 12, 30)

_PLAIN_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.(?P<decimals>[0-9]+))?")
_FORMAT = re.compile(r"(?P<whole>#,##0|0+|#)(\.(?P<decimals>0+))?(?P<percent>%?)")
# What changes no figure: a gap as wide as x (_x), filled up with x (*x), a colour ([Red]).
_GAP = re.compile(r"[_*].|\[[A-Za-z]+\]")
# Mere text in a format: "in quotation marks", \x, _x (a gap as wide as x), *x (filled up with x).
_LITERAL = re.compile(r'"[^"]*"|[\\_*].')


def as_number(text: str) -> tuple[float, str] | None:
    """Return the number and the number format that show `text`, or None where text is safer.

    Parameters
    ----------
    text : str
        A cell of a number column.

    Returns
    -------
    (float, str) or None
        None for everything that a spreadsheet would show in another way (``007``, ``1e-3``,
        ``<0.001``, ``0,81``), and for whole numbers that might be taken for a date.
    """
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None or len(text.replace(".", "")) > _MOST_DIGITS:
        return None
    decimals = len(match["decimals"] or "")
    if not decimals:
        return None if int(text) in _DAY_NUMBERS else (int(text), "0")
    return float(text), "0." + "0" * decimals


def shown(number: float, number_format: str) -> str | None:
    """Return what a cell shows, in the sheet's way of writing numbers.

    Parameters
    ----------
    number_format : str
        Format code of the spreadsheet.

    Returns
    -------
    str or None
        With the decimals of the format where these are the whole number, else with as many as the
        number has; with a percent sign where the format has one. None for formats that show
        something else than a plain number.
    """
    if number_format in {"General", AS_TEXT}:
        return shortest(number)
    match = _FORMAT.fullmatch(_GAP.sub("", number_format.partition(";")[0]))
    if match is None:
        return None
    percent = match["percent"]
    exact = shortest(number * 100 if percent else number)
    decimals = len(match["decimals"] or "")
    rounded = f"{float(exact):.{decimals}f}"
    if len(rounded.lstrip("-").partition(".")[0]) < match["whole"].count("0"):
        # Shown as 007, which is no plain number.
        return None
    return (rounded if float(rounded) == float(exact) else exact) + percent


def in_percent(number_format: str) -> bool:
    """Say whether a format shows a hundred times the number: not where the sign is mere text."""
    return "%" in _LITERAL.sub("", number_format.partition(";")[0])


def is_computed(text: str) -> bool:
    """Say whether a number has more digits than a source prints."""
    return len(text.rstrip("%").lstrip("-0.").replace(".", "")) > _PRINTED_DIGITS


def hidden_date(number: float, number_format: str) -> datetime.date | None:
    """Return the day that a whole number in a number format probably is, or None."""
    if number_format in {"General", AS_TEXT} or is_date_format(number_format):
        return None
    if number != int(number) or int(number) not in _DAY_NUMBERS:
        return None
    return _FIRST_DAY + datetime.timedelta(days=int(number))


def shortest(number: float) -> str:
    """Return a number in as many digits as it has; ``inf`` for one that no computer holds."""
    if not math.isfinite(number):
        return str(number)
    if number == int(number) and abs(number) < 10**_MOST_DIGITS:
        return str(int(number))
    text = f"{number:.{_MOST_DIGITS}g}"
    # A p value of 0.00001 is written out as the sheet writes it.
    return text if "e" not in text else f"{float(text):.20f}".rstrip("0").rstrip(".")
