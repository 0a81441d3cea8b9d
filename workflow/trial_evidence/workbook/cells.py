"""Reading one cell of a workbook as text, or saying why it cannot be read with certainty."""

from __future__ import annotations

import datetime
import math
from typing import Any

from trial_evidence.sheet.dictionary import Column
from trial_evidence.sheet.values import Reading
from trial_evidence.words.problems import quoted

from .shown import hidden_date, in_percent, is_computed, shortest, shown, struck_through

_AGAIN = "Format the cell as text and type it again."


def cell_of_book(cell: Any, values: Any, column: Column | None) -> Reading:
    """Read a cell of a workbook as text.

    Parameters
    ----------
    values : worksheet
        The same worksheet with the last computed values of its formulas.
    column : Column or None
        Column of the sheet to which the cell belongs; None if it belongs to none.
    """
    struck = struck_through(cell)
    if any(struck) and not all(struck):
        message = "part of the text is struck through, but would be imported. Delete that part."
        return Reading(str(cell.value), error=message)
    if cell.data_type != "f":
        return _read_value(cell, cell.number_format, column)
    # An array formula is an object with a text; a data table has none.
    formula = cell.value if isinstance(cell.value, str) else str(getattr(cell.value, "text", "="))
    computed = values[cell.coordinate]
    if computed.value is None or computed.value == "":
        message = f"the cell holds a formula without a value: {quoted(formula)}. Type the value."
        return Reading(formula, error=message)
    read = _read_value(computed, cell.number_format, column)
    formula = f"the formula {quoted(formula)}"
    if read.error:
        return Reading(read.text, error=f"{formula} gives no usable value: {read.error}")
    return Reading(read.text, warning=f"{formula} was replaced by its value, {read.text}.")


def _read_value(cell: Any, number_format: str, column: Column | None) -> Reading:
    value = cell.value
    if value is None:
        return Reading("")
    if cell.data_type == "e":
        return Reading(str(value), error=f"the cell holds the error value {value}. Type the value.")
    if isinstance(value, bool):
        text = str(value).upper()
        return _turned_into(f"logical value ({text})", text)
    if isinstance(value, (datetime.time, datetime.timedelta)):
        return _turned_into(f"time: {value}", str(value))
    if isinstance(value, datetime.date):
        day = value.date() if isinstance(value, datetime.datetime) else value
        if column is not None and column.type == "date":
            return Reading(day.isoformat())
        perhaps = f"perhaps from {day.day}/{day.month} or {day.month}/{day.day}"
        return _turned_into(f"date: {_in_words(day)} ({perhaps})", day.isoformat())
    if isinstance(value, (int, float)):
        if math.isfinite(value):
            return _read_number(value, number_format, column)
        message = "the cell holds a number that is too large. Type it again."
        return Reading(str(value), error=message)
    # _x005F_ is an escaped underscore, written so that the text after it is not read as an escape.
    return Reading(str(value).replace("_x005F_", "_"))


def _turned_into(what: str, text: str) -> Reading:
    return Reading(text, error=f"the spreadsheet turned what was typed into a {what}. {_AGAIN}")


def _read_number(value: float, number_format: str, column: Column | None) -> Reading:
    text = shown(value, number_format)
    if column is not None and not column.is_number:
        if text is not None:
            return Reading(text)
        message = (
            f"the cell holds the number {value} and shows it in another form. Format the cell as "
            "text and type what it should say."
        )
        return Reading(str(value), error=message)
    if (day := hidden_date(value, number_format)) is not None:
        message = (
            f"{value:.0f} is probably the date {_in_words(day)}, which the spreadsheet made from "
            f"what was typed ({day.day}/{day.month}?). {_AGAIN}"
        )
        return Reading(f"{value:.0f}", error=message)
    if text is None:
        text = f"{shortest(100 * value)}%" if in_percent(number_format) else shortest(value)
    if column is not None and column.type in {"integer", "year"} and not text.endswith("%"):
        # If 42 is displayed as 42.000, the decimals mean nothing.
        text = shortest(value)
    if is_computed(text):
        message = (
            f"{text} has more digits than a source prints. Format the cell as text and type the "
            "number as the source prints it."
        )
        return Reading(text, error=message)
    return Reading(text)


def _in_words(day: datetime.date) -> str:
    return f"{day.day} {day:%B %Y}"
