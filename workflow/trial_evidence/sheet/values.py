"""Reading one cell: its value, or what is wrong with it and how to write it correctly."""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from dataclasses import dataclass

from trial_evidence.words.problems import Severity, did_you_mean, quoted

from .dictionary import NUMBER_TYPES, Column

# Longer than any printed number, yet short enough for int() and float() to be fast.
_LONGEST_NUMBER = 24
_LARGEST_NUMBER, _SMALLEST_NUMBER = 1e12, 1e-9
# More decimals than any source prints, but few enough to write out.
_MOST_DECIMALS = 30

# Types of columns whose numbers have no decimals.
_WHOLE = frozenset({"integer", "year"})
MISSING_MARKS = frozenset({
    "na", "n/a", "n.a.", "nr", "n/r", "n.r.", "nan", "none", "null", "nil", "nd", "-", "--", "–",
    "—", ".", "?", "missing",
})  # fmt: skip
# What papers print in place of a number.
NO_NUMBER = MISSING_MARKS | {
    "ne", "nc", "not reported", "not reached", "not estimable", "not available", "not applicable",
    "not stated", "not given", "unknown",
}  # fmt: skip
EMPTY = "the cell is empty, but a value is required here."
ALL = "all"
CURVE = "digitised_curve"
# Values of the column ``verification``: seen in the source, in another that quotes it, nowhere.
PRIMARY, SECONDARY, UNSEEN = "primary", "secondary", "unverified"

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
# As a spreadsheet shows a number for which its column is too narrow.
_SHORTENED = re.compile(r"[+-]?[0-9](\.[0-9]+)?E[+-][0-9]{2,}")
_PERHAPS_CUT = (
    "a spreadsheet shortened it, and may have cut digits: type it as the source prints it."
)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FACTOR = re.compile(r"[a-z][a-z0-9_]*")
_ERROR_VALUE = re.compile(r"#(#+|[A-ZÄÖÜ0/]+[!?]?)")
_FORMULA = re.compile(r"=\s*[-+(]*\s*[A-Za-z0-9$(]")
# In full or short, in English or German; a trial may be called MARGIN 2 or decision-1.
_MONTH = (
    r"(jan(uary?)?|feb(ruary?)?|mar(ch)?|märz?|mrz|apr(il)?|may|mai|jun[ei]?|jul[iy]?|aug(ust)?"
    r"|sept?(ember)?|o[ck]t(ober)?|nov(ember)?|de[cz](ember)?)\.?"
)
_DATE = re.compile(
    rf"([0-9]{{1,2}}\.?[-./ ]?\s?{_MONTH}([-./ ]+[0-9]{{2,4}})?"
    rf"|{_MONTH}[-./ ]+[0-9]{{1,4}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+)?"
    r"|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}"
    r"|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4})",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NO_BREAK_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u202f", " "))
_UNUSUAL_SPACES = {
    **dict.fromkeys(map(chr, NO_BREAK_SPACES), "a no-break space"),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "an invisible character"),
    "\u00ad": "a soft hyphen",
}
_WITHOUT_UNUSUAL_SPACES = dict.fromkeys(map(ord, _UNUSUAL_SPACES), "") | NO_BREAK_SPACES
# Control characters other than line breaks.
_INVISIBLE = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MINUS = "−–—‐‑"
_POINTS = str.maketrans(",·", "..")
# What "é" and "–" become if a UTF-8 file was once opened as Windows-1252.
_GARBLED = re.compile("[ÃÂ][\u0080-\u00bf]|â€")


@dataclass(frozen=True)
class Reading:
    """The result of reading one cell.

    Attributes
    ----------
    text : str
        The value as text; ``""`` for an empty cell.
    number : float
        The value in a numeric column; NaN for an empty cell and for other columns.
    error : str
        Why the cell cannot be used, or ``""``.
    warning : str
        What looks wrong although the cell can be used, or ``""``.
    """

    text: str
    number: float = math.nan
    error: str = ""
    warning: str = ""

    @property
    def findings(self) -> list[tuple[Severity, str]]:
        """Severity and message of each problem with the cell."""
        found: list[tuple[Severity, str]] = [("error", self.error), ("warning", self.warning)]
        return [(severity, message) for severity, message in found if message]


class _RefusedError(Exception):
    """Why a cell cannot be used."""


def _refused(cell: str, message: str) -> _RefusedError:
    return _RefusedError(f"{quoted(cell)} {message}")


def read_cell(column: Column, cell: str) -> Reading:
    """Read one cell according to the type of its column.

    Parameters
    ----------
    cell : str
        Text of the cell, unchanged.

    Returns
    -------
    Reading
        References to other tables are not checked here.
    """
    if not cell.strip(" "):
        if column.required:
            return Reading("", error=EMPTY)
        return Reading("", warning="the cell holds only spaces. Clear it." if cell else "")
    try:
        return _read_filled(column, cell)
    except _RefusedError as refused:
        return Reading(cell, error=str(refused))


def _read_filled(column: Column, cell: str) -> Reading:
    _refuse_anywhere(cell)
    if column.type == "text":
        return _read_text(column, cell)
    if column.type == "word" and cell in column.words:
        return Reading(cell)
    _refuse_no_single_value(cell)
    if cell.lower() in (NO_NUMBER if column.is_number else MISSING_MARKS):
        raise _stands_for_nothing(column, cell)
    if column.type in NUMBER_TYPES:
        return _read_number(column, cell)
    if column.type == "p_value":
        return _read_p_value(cell)
    _refuse_wrong_words(column, cell)
    return Reading(cell)


def printed_decimals(text: str) -> int:
    """Return the number of decimals in a printed number: 2 for ``1.00``, 0 for ``57``."""
    mantissa, _, exponent = text.lstrip("<").lower().partition("e")
    return max(0, len(mantissa.partition(".")[2]) - int(exponent or 0))


def subgroup_pairs(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the (factor, level) pairs of a subgroup; ``()`` for ``all``; None if malformed."""
    if text == ALL:
        return ()
    pairs = []
    for part in text.split(" & "):
        factor, equals, level = part.partition("=")
        named = equals and _FACTOR.fullmatch(factor)
        if not (named and level and level == level.strip() and not set(level) & {"=", "&"}):
            return None
        pairs.append((factor, level))
    return tuple(pairs)


def _refuse_anywhere(cell: str) -> None:
    """Refuse characters and texts that are not allowed in any type of cell."""
    for character, name in () if cell.isascii() else _UNUSUAL_SPACES.items():
        if character in cell:
            clean = " ".join(cell.translate(_WITHOUT_UNUSUAL_SPACES).split())
            raise _refused(cell, f"contains {name}. Type it again: {quoted(clean)}.")
    if "\ufffd" in cell:
        raise _refused(cell, 'contains "\ufffd": a character was lost. Type it again.')
    if _INVISIBLE.search(cell):
        raise _refused(cell, "contains a tab or an invisible character. Type it again.")
    if _ERROR_VALUE.fullmatch(cell.strip()):
        shown = "is what a spreadsheet shows for a failed formula or a column that is too narrow."
        raise _refused(cell, f"{shown} Type the value.")
    if _FORMULA.match(cell.strip()):
        raise _refused(cell, "is a spreadsheet formula. Type the value itself.")


def _refuse_no_single_value(cell: str) -> None:
    """Refuse line breaks and outer spaces in a cell that should hold one word or number."""
    if "\n" in cell or "\r" in cell:
        one_line = quoted(" ".join(cell.split()))
        raise _refused(cell, f"contains a line break. Write {one_line}.")
    if cell != cell.strip():
        where = "begins" if cell[0].isspace() else "ends"
        raise _refused(cell, f"{where} with a space. Write {quoted(cell.strip())}.")


def _stands_for_nothing(column: Column, cell: str) -> _RefusedError:
    if column.required:
        return _refused(cell, "denotes a missing value, but a value is required here.")
    return _refused(cell, "denotes a missing value. Leave the cell empty.")


def _read_text(column: Column, cell: str) -> Reading:
    text = cell.strip()
    if column.pattern and not re.fullmatch(column.pattern, text):
        if text.lower() in MISSING_MARKS:
            raise _stands_for_nothing(column, text)
        raise _refused(text, f"is not in the form of {column.example}.")
    if text != cell:
        warning = f"{quoted(cell)} begins or ends with a space, which was removed."
        return Reading(text, warning=warning)
    doubt = ""
    if text.lower() in MISSING_MARKS - {"none"}:
        doubt = "looks like a placeholder for a missing value. Leave the cell empty."
    elif _DATE.fullmatch(text) and not column.pattern:
        doubt = (
            "is a date. If something else was typed (such as 7-12), the spreadsheet changed it: "
            "type it again in a cell formatted as text."
        )
    elif _GARBLED.search(text):
        doubt = "contains garbled letters: the file was once opened with another character set."
    return Reading(text, warning=f"{quoted(text)} {doubt}" if doubt else "")


def _read_number(column: Column, cell: str) -> Reading:
    whole = column.type in _WHOLE
    if not (_INTEGER if whole else _NUMBER).fullmatch(cell):
        wanted = "a whole number" if whole else "a number"
        raise _refused(cell, f"is not {wanted}.{_advice(column, cell)}")
    number = _number(cell)
    if abs(number) > _LARGEST_NUMBER:
        raise _refused(cell, "is a number that is too large or too long.")
    # float() turns 1e-999 into 0.
    nought = not re.search("[1-9]", cell.lower().partition("e")[0])
    if (abs(number) < _SMALLEST_NUMBER and not nought) or printed_decimals(cell) > _MOST_DECIMALS:
        raise _refused(cell, "is a number that is too small.")
    if column.range is not None and number not in column.range:
        message = f"is outside the allowed range: {column.range.in_words()}."
        if column.type == "level" and 0 < number < 1:
            message += f" Write the level in percent: {number * 100:g}."
        raise _refused(cell, message)
    if _SHORTENED.fullmatch(cell):
        return Reading(cell, number, warning=f"{quoted(cell)}: {_PERHAPS_CUT}")
    return Reading(cell, number)


def _number(text: str) -> float:
    return float(text) if len(text) <= _LONGEST_NUMBER else math.inf


def _advice(column: Column, cell: str) -> str:
    """Return advice on how a value that is not a number was probably meant to be written."""
    whole = column.type in _WHOLE
    if _DATE.fullmatch(cell):
        typed = "what was typed (such as 9/12)"
        return f" The spreadsheet turned {typed} into a date: type the number again."
    plain = re.sub(f"[{_MINUS}]", "-", cell)
    if plain != cell and _NUMBER.fullmatch(plain):
        return f" Type the minus sign with the hyphen key: {plain}"
    if cell.endswith("%") and _NUMBER.fullmatch(cell[:-1].strip()):
        if column.unit == "%":
            return f" Leave out the percent sign: {cell[:-1].strip()}"
        if column.unit == "patients":
            return " This is a number of patients: enter the count that the source prints."
    if re.fullmatch(r"[1-9][0-9]{0,2}([,.' ’][0-9]{3})+", cell) and whole:
        return f" Write it without thousands separators: {re.sub('[^0-9]', '', cell)}"
    if whole and re.fullmatch(r"[+-]?[0-9]+\.0+", cell):
        return f" Write {cell.partition('.')[0]}"
    if whole and _SHORTENED.fullmatch(cell):
        return f" {_PERHAPS_CUT[0].upper()}{_PERHAPS_CUT[1:]}"
    if whole and _NUMBER.fullmatch(cell) and "e" in cell.lower() and float(cell).is_integer():
        return f" Write {float(cell):.0f}"
    pointed = cell.translate(_POINTS)
    if pointed != cell and not whole and _NUMBER.fullmatch(pointed):
        return f" Use a point as decimal mark: {pointed}"
    plain = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in cell)
    if plain != cell and _NUMBER.fullmatch(plain):
        return f" Type it in plain digits: {plain}"
    if cell.startswith("<"):
        return " A number is wanted here, without < or >."
    return ""


def _read_p_value(cell: str) -> Reading:
    number_text = cell.removeprefix("<")
    if not _NUMBER.fullmatch(number_text):
        raise _refused(cell, f"is not a p value.{_p_value_advice(cell)}")
    number = _number(number_text)
    if number == 0 and not cell.startswith("<"):
        message = "a p value is never 0. Write it as the source does, for example <0.001."
        raise _RefusedError(f"{quoted(cell)}: {message}")
    if not 0 < number <= 1:
        raise _refused(cell, "is outside the allowed range: from 0 to 1.")
    return Reading(cell, number)


def _p_value_advice(cell: str) -> str:
    if _DATE.fullmatch(cell):
        return " The spreadsheet turned it into a date: type it again."
    plain = re.sub(r"^(?i:p)\s*", "", cell).replace(" ", "").translate(_POINTS).removeprefix("=")
    if plain != cell and _NUMBER.fullmatch(plain.removeprefix("<")):
        return f" Write {plain}"
    return " Write a number, or < and a number: 0.03, <0.001."


def _refuse_wrong_words(column: Column, cell: str) -> None:
    if column.type == "word":
        allowed = f"Allowed: {', '.join(column.words)}.{did_you_mean(cell, column.words)}"
        raise _refused(cell, f"is not allowed. {allowed}")
    if column.type == "date":
        if not _ISO_DATE.fullmatch(cell):
            raise _refused(cell, "is not a date in the form 2026-11-22.")
        try:
            day = datetime.date.fromisoformat(cell)
        except ValueError:
            raise _refused(cell, "is a day that the calendar does not have.") from None
        if column.range is not None and day.year not in column.range:
            raise _refused(cell, f"is outside the allowed range: {column.range.in_words()}.")
    elif column.type == "subgroup":
        _refuse_wrong_subgroup(column, cell)
    elif column.type == "agents":
        _refuse_wrong_agents(cell)
    elif _DATE.fullmatch(cell):
        raise _refused(cell, "is a date: the spreadsheet changed what was typed. Type it again.")
    elif not (_ID.fullmatch(cell) or (column.type == "id_or_any" and cell == "*")):
        plain = _as_id(cell)
        form = f', as in "{plain}"' if _ID.fullmatch(plain) else ""
        message = f"is not an id: ids consist of small letters, digits, _ and -{form}."
        raise _refused(cell, message)


def _as_id(text: str) -> str:
    """Return a text in small letters, without accents, its words joined by underscores."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return "_".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def _refuse_wrong_agents(cell: str) -> None:
    agents = cell.split("+")
    ordered = "+".join(sorted(agents))
    if not all(map(_ID.fullmatch, agents)):
        meant = sorted(_as_id(name) for name in re.split("[+,;/]", cell))
        wanted = f' Write "{"+".join(meant)}".' if all(map(_ID.fullmatch, meant)) else ""
        message = f"is not a list of agents in small letters joined by +, without spaces.{wanted}"
        raise _refused(cell, message)
    if len(set(agents)) < len(agents):
        raise _refused(cell, "names an agent twice.")
    if cell != ordered:
        raise _refused(cell, f'is not in alphabetical order. Write "{ordered}".')


def _refuse_wrong_subgroup(column: Column, cell: str) -> None:
    pairs = subgroup_pairs(cell)
    if pairs is None:
        if cell.lower() == ALL:
            raise _refused(cell, f'is not allowed. Write "{ALL}".')
        pairs_joined = f'factor=level pairs joined by " & ": {column.example}.'
        raise _refused(cell, f"is not a subgroup. Write all, or {pairs_joined}")
    if column.one_pair and len(pairs) != 1:
        raise _refused(cell, f"is not one factor=level pair, such as {column.example}.")
    factors = [factor for factor, _ in pairs]
    if len(set(factors)) < len(factors):
        raise _refused(cell, "names a factor twice.")
    if factors != sorted(factors):
        ordered = " & ".join(f"{factor}={level}" for factor, level in sorted(pairs))
        message = f'factors must be in alphabetical order. Write "{ordered}".'
        raise _RefusedError(f"{quoted(cell)}: {message}")
