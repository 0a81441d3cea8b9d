"""Undoing changes that a spreadsheet makes to a cell, if that is certain to be right."""

from __future__ import annotations

import re

from trial_evidence.sheet.dictionary import Column
from trial_evidence.sheet.values import NO_BREAK_SPACES

from .layout import one_kind_of_line_break

# A workbook's escape for the carriage return of a pasted line break.
_CARRIAGE_RETURN = "_x000D_"
# Excludes 1.000, which is a thousand in German, Spanish and Italian.
_WHOLE = re.compile(r"(?P<whole>[+-]?[0-9]+)\.(?!000$)0+")


def tidied(text: str, column: Column) -> str:
    """Return a cell without what a spreadsheet added to it.

    Outer spaces are removed, no-break spaces become spaces, and ``42.0`` becomes ``42`` if only the
    latter can be meant.
    """
    text = one_kind_of_line_break(text.replace(_CARRIAGE_RETURN, ""))
    text = text.translate(NO_BREAK_SPACES).strip(" \n")
    match = _WHOLE.fullmatch(text)
    if match is None:
        return text
    whole = match["whole"]
    if column.pattern:
        meant = bool(re.fullmatch(column.pattern, whole)) and not re.fullmatch(column.pattern, text)
    else:
        meant = text not in column.words and whole in column.words
    return whole if meant or column.type in {"integer", "year"} else text
