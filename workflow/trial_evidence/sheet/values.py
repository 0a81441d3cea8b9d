"""Reading one cell: the text of a value, or what is wrong with it and how to write it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from trial_evidence.words.problems import Severity, did_you_mean, quoted

from .dictionary import NUMBER_TYPES, Column

# Longer than any printed number, and short enough for int() and float() to be quick.
_LONGEST_NUMBER = 24
_LARGEST_NUMBER = 1e12

MISSING_MARKS = frozenset({
    "na", "n/a", "n.a.", "nan", "none", "null", "nil", "nd", "-", "--", "–", "—", ".", "?",
    "missing",
})  # fmt: skip
ALL = "all"

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FACTOR = re.compile(r"[a-z][a-z0-9_]*")
_ERROR_VALUE = re.compile(r"#(#+|[A-ZÄÖÜ0/]+[!?]?)")
_FORMULA = re.compile(r"=\s*[-+(]*\s*[A-Za-z0-9$(]")
_MONTH = r"(jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)[a-zä]*\.?"
_DATE = re.compile(
    rf"([0-9]{{1,2}}\.?[-./ ]?\s?{_MONTH}([-./ ]+[0-9]{{2,4}})?"
    rf"|{_MONTH}[-./ ]+[0-9]{{1,4}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+)?"
    r"|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}"
    r"|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4})",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_UNUSUAL_SPACES = {
    **dict.fromkeys("\u00a0\u2007\u202f", "a no-break space"),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "an invisible character"),
    "\u00ad": "a soft hyphen",
}
_MINUS = "−–—‐‑"
# "é" and "–" of a UTF-8 file that was once opened as Windows-1252.
_GARBLED = re.compile("[ÃÂ][\u0080-\u00bf]|â€")


@dataclass(frozen=True)
class Reading:
    """What was read in one cell.

    Attributes
    ----------
    text : str
        The value as text; ``""`` for an empty cell.
    number : float
        The value of a number column; NaN for an empty cell and for columns that hold no number.
    error : str
        Why the cell cannot be used, or ``""``.
    warning : str
        What looks wrong but can be read, or ``""``.
    """

    text: str
    number: float = math.nan
    error: str = ""
    warning: str = ""

    @property
    def findings(self) -> list[tuple[Severity, str]]:
        """What is wrong, and how bad it is."""
        found: list[tuple[Severity, str]] = [("error", self.error), ("warning", self.warning)]
        return [(severity, message) for severity, message in found if message]


def read_cell(column: Column, cell: str) -> Reading:
    """Read one cell as its column wants it.

    Parameters
    ----------
    cell : str
        The text between two commas of the file.

    Returns
    -------
    Reading
        References to other tables are not looked at here.
    """
    if not cell.strip(" "):
        if column.required:
            return Reading("", error="the cell is empty, but a value is required here.")
        if cell:
            return Reading("", warning="the cell holds only spaces. Clear it.")
        return Reading("")
    error = _anywhere(cell)
    if error:
        return Reading(cell, error=error)
    if column.type == "text":
        return _read_text(column, cell)
    if column.type == "word" and cell in column.words:
        return Reading(cell)
    error = _not_a_single_value(cell)
    if error:
        return Reading(cell, error=error)
    if column.type in NUMBER_TYPES:
        return _read_number(column, cell)
    if column.type == "p_value":
        return _read_p_value(cell)
    return Reading(cell, error=_word_like_error(column, cell))


def printed_decimals(text: str) -> int:
    """Return how many decimals a number is printed with: 2 for ``1.00``, 0 for ``57``."""
    mantissa, _, exponent = text.lstrip("<").lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return max(0, decimals - int(exponent or 0))


def subgroup_pairs(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the (factor, level) pairs of a subgroup; none for ``all``; None if malformed."""
    if text == ALL:
        return ()
    pairs = []
    for part in text.split(" & "):
        factor, equals, level = part.partition("=")
        if not (
            equals
            and _FACTOR.fullmatch(factor)
            and level
            and level == level.strip()
            and not set(level) & {"=", "&"}
        ):
            return None
        pairs.append((factor, level))
    return tuple(pairs)


def _anywhere(cell: str) -> str:
    """Return what is wrong with a cell whatever its type."""
    for character, name in _UNUSUAL_SPACES.items():
        if character in cell:
            clean = " ".join(_without_unusual_spaces(cell).split())
            return f"{quoted(cell)} contains {name}. Type it again: {quoted(clean)}."
    if "\ufffd" in cell:
        return f'{quoted(cell)} contains "\ufffd": a character was lost. Type it again.'
    if any((ord(c) < 32 and c not in "\r\n") or 127 <= ord(c) < 160 for c in cell):
        return f"{quoted(cell)} contains a tab or an invisible character. Type it again."
    if _ERROR_VALUE.fullmatch(cell.strip()):
        return (
            f"{quoted(cell)} is what a spreadsheet shows for a failed formula or a column that is "
            "too narrow. Type the value."
        )
    if _FORMULA.match(cell.strip()):
        return f"{quoted(cell)} is a spreadsheet formula. Type the value itself."
    return ""


def _without_unusual_spaces(cell: str) -> str:
    for character, name in _UNUSUAL_SPACES.items():
        cell = cell.replace(character, " " if name == "a no-break space" else "")
    return cell


def _not_a_single_value(cell: str) -> str:
    """Return what is wrong with a cell that is to hold one word or number."""
    if "\n" in cell or "\r" in cell:
        return f"{quoted(cell)} contains a line break. Write {quoted(' '.join(cell.split()))}."
    if cell != cell.strip():
        where = "begins" if cell[0].isspace() else "ends"
        return f"{quoted(cell)} {where} with a space. Write {quoted(cell.strip())}."
    if cell.lower() in MISSING_MARKS:
        return f"{quoted(cell)} stands for a missing value. Leave the cell empty."
    return ""


def _read_text(column: Column, cell: str) -> Reading:
    text = cell.strip()
    if column.pattern and not re.fullmatch(column.pattern, text):
        if text.lower() in MISSING_MARKS:
            return Reading(cell, error=_not_a_single_value(text))
        return Reading(cell, error=f"{quoted(text)} is not in the form of {column.example}.")
    warning = ""
    if text != cell:
        warning = f"{quoted(cell)} begins or ends with a space, which was removed."
    elif text.lower() in MISSING_MARKS - {"none"}:
        warning = (
            f"{quoted(text)} looks like a placeholder for a missing value. Leave the cell empty."
        )
    elif _DATE.fullmatch(text) and not column.pattern:
        warning = (
            f"{quoted(text)} is a date. If something else was typed (such as 7-12), the "
            "spreadsheet changed it: type it again in a cell formatted as text."
        )
    elif _GARBLED.search(text):
        warning = (
            f"{quoted(text)} contains garbled letters: the file was once opened with another "
            "character set."
        )
    return Reading(text, warning=warning)


def _read_number(column: Column, cell: str) -> Reading:
    whole = column.type in {"integer", "year"}
    wanted = "a whole number" if whole else "a number"
    pattern = _INTEGER if whole else _NUMBER
    if not pattern.fullmatch(cell):
        return Reading(cell, error=f"{quoted(cell)} is not {wanted}.{_advice(column, cell)}")
    number = float(cell) if len(cell) <= _LONGEST_NUMBER else math.inf
    if abs(number) > _LARGEST_NUMBER:
        return Reading(cell, error=f"{quoted(cell)} is a number that is too large or too long.")
    if column.range is not None and number not in column.range:
        return Reading(cell, error=_out_of_range(column, cell, number))
    return Reading(cell, number)


def _out_of_range(column: Column, cell: str, number: float) -> str:
    assert column.range is not None
    message = f"{quoted(cell)} is outside the allowed range: {column.range.in_words()}."
    if column.type == "level" and 0 < number < 1:
        message += f" Write the level in percent: {number * 100:g}."
    return message


def _advice(column: Column, cell: str) -> str:
    """Return how a value that is not a number should probably be written."""
    whole = column.type in {"integer", "year"}
    if _DATE.fullmatch(cell):
        return (
            " The spreadsheet turned what was typed (such as 9/12) into a date: type the "
            "number again."
        )
    if any(mark in cell for mark in _MINUS):
        plain = re.sub(f"[{_MINUS}]", "-", cell)
        if _NUMBER.fullmatch(plain):
            return f" Type the minus sign with the hyphen key: {plain}"
    if cell.endswith("%") and _NUMBER.fullmatch(cell[:-1].strip()):
        return f" Leave out the percent sign: {cell[:-1].strip()}"
    if re.fullmatch(r"[0-9]{1,3}([,.' ’][0-9]{3})+", cell) and whole:
        return f" Write it without thousands separators: {re.sub('[^0-9]', '', cell)}"
    if whole and re.fullmatch(r"[+-]?[0-9]+\.0+", cell):
        return f" Write {cell.partition('.')[0]}"
    if whole and _NUMBER.fullmatch(cell) and "e" in cell.lower() and float(cell).is_integer():
        return f" Write {float(cell):.0f}"
    for mark in ",·":
        pointed = cell.replace(mark, ".")
        if mark in cell and not whole and _NUMBER.fullmatch(pointed):
            return f" Use a point as decimal mark: {pointed}"
    if cell.startswith("<"):
        return " A number is wanted here, without < or >."
    return ""


def _read_p_value(cell: str) -> Reading:
    number_text = cell.removeprefix("<")
    if not _NUMBER.fullmatch(number_text):
        return Reading(cell, error=f"{quoted(cell)} is not a p value.{_p_value_advice(cell)}")
    number = float(number_text) if len(number_text) <= _LONGEST_NUMBER else math.inf
    if number == 0 and not cell.startswith("<"):
        return Reading(
            cell,
            error=f"{quoted(cell)}: a p value is never 0. Write it as the source does, "
            "for example <0.001.",
        )
    if not 0 < number <= 1:
        return Reading(cell, error=f"{quoted(cell)} is outside the allowed range: from 0 to 1.")
    return Reading(cell, number)


def _p_value_advice(cell: str) -> str:
    if _DATE.fullmatch(cell):
        return " The spreadsheet turned it into a date: type it again."
    plain = re.sub(r"^(?i:p)\s*", "", cell).replace(" ", "")
    plain = plain.removeprefix("=").replace("≤", "<").replace("<=", "<")
    plain = plain.replace(",", ".").replace("·", ".")
    if plain != cell and _NUMBER.fullmatch(plain.removeprefix("<")):
        return f" Write {plain}"
    return " Write a number, or < and a number: 0.03, <0.001."


def _word_like_error(column: Column, cell: str) -> str:
    if column.type == "word":
        return (
            f"{quoted(cell)} is not allowed. Allowed: {', '.join(column.words)}."
            f"{did_you_mean(cell, column.words)}"
        )
    if column.type == "date":
        return (
            ""
            if _ISO_DATE.fullmatch(cell)
            else f"{quoted(cell)} is not a date in the form 2026-11-22."
        )
    if column.type == "subgroup":
        return _subgroup_error(column, cell)
    if column.type == "agents":
        return _agents_error(cell)
    if column.type == "id_or_any" and cell == "*":
        return ""
    return _id_error(cell)


def _id_error(cell: str) -> str:
    if _DATE.fullmatch(cell):
        return f"{quoted(cell)} is a date: the spreadsheet changed what was typed. Type it again."
    if _ID.fullmatch(cell):
        return ""
    return f"{quoted(cell)} is not an id: ids consist of small letters, digits, _ and -."


def _agents_error(cell: str) -> str:
    agents = cell.split("+")
    for agent in agents:
        if not _ID.fullmatch(agent):
            return f"{quoted(cell)} is not a list of agents joined by +, without spaces."
    if len(set(agents)) < len(agents):
        return f"{quoted(cell)} names an agent twice."
    if agents != sorted(agents):
        return f'{quoted(cell)} is not in alphabetical order. Write "{"+".join(sorted(agents))}".'
    return ""


def _subgroup_error(column: Column, cell: str) -> str:
    pairs = subgroup_pairs(cell)
    if pairs is None:
        if cell.lower() == ALL:
            return f'{quoted(cell)} is not allowed. Write "{ALL}".'
        return (
            f"{quoted(cell)} is not a subgroup. Write all, or factor=level pairs joined by "
            f'" & ": {column.example}.'
        )
    if column.one_pair and len(pairs) != 1:
        return f"{quoted(cell)} is not one factor=level pair, such as {column.example}."
    factors = [factor for factor, _ in pairs]
    if len(set(factors)) < len(factors):
        return f"{quoted(cell)} names a factor twice."
    if factors != sorted(factors):
        ordered = " & ".join(f"{factor}={level}" for factor, level in sorted(pairs))
        return f'{quoted(cell)}: factors must be in alphabetical order. Write "{ordered}".'
    return ""
