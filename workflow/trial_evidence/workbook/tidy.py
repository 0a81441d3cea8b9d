"""What a spreadsheet does to a cell and can be undone with certainty."""

from __future__ import annotations

import re

from trial_evidence.sheet import Column

from .layout import one_kind_of_line_break

_NO_BREAK_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u202f", " "))
# How a workbook writes the carriage return of a pasted line break.
_CARRIAGE_RETURN = "_x000D_"
_WHOLE = re.compile(r"(?P<whole>[+-]?[0-9]+)\.0+")


def tidied(text: str, column: Column) -> str:
    """Return a cell without what a spreadsheet added to it.

    Blanks at the ends go, no-break spaces become blanks, and ``42.0`` becomes ``42`` where only
    the latter can be meant.
    """
    text = one_kind_of_line_break(text.replace(_CARRIAGE_RETURN, ""))
    text = text.translate(_NO_BREAK_SPACES).strip(" \n")
    match = _WHOLE.fullmatch(text)
    if match is not None and _is_meant(match["whole"], text, column):
        return match["whole"]
    return text


def _is_meant(whole: str, text: str, column: Column) -> bool:
    if column.type in {"integer", "year"}:
        return True
    if column.type == "word":
        return text not in column.words and whole in column.words
    if column.pattern:
        return re.fullmatch(column.pattern, text) is None and (
            re.fullmatch(column.pattern, whole) is not None
        )
    return False
