"""Text for a cell or a sentence: numbers, words of the sheet, lists."""

import math
from collections.abc import Callable, Sequence

from trial_evidence.words.numbers import (
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_probability,
)

# A number, or the text of a cell that has not been converted.
Cell = float | str | None
NOT_STATED = "not stated"
# What was given with the agents, as the heading of a group of trials.
PARTNERS = {
    "chemotherapy": "Chemotherapy",
    "endocrine": "Endocrine therapy instead of chemotherapy",
    "none": "Neither chemotherapy nor endocrine therapy",
}
# Column by which an analysis groups its trials -> name of a group.
_GROUPS = {"added_agents": "{} added", "control_agents": "versus {}"}


def count(value: Cell) -> str:
    """A whole number with commas at the thousands; ``""`` if missing."""
    return number_as(value, lambda found: f"{found:,.0f}")


def whole(value: Cell) -> str:
    """A whole number without commas, such as a year; ``""`` if missing."""
    return number_as(value, lambda found: f"{found:.0f}")


def number(value: Cell, digits: int = 2) -> str:
    """A number as figures print it; ``""`` if missing."""
    return number_as(value, lambda found: format_number(found, digits))


def percent(share: Cell, digits: int = 0) -> str:
    """A proportion in percent, ``31%``; ``""`` if missing."""
    return number_as(share, lambda found: format_percent(found, digits))


def probability(share: Cell) -> str:
    """A probability in percent, never 0% or 100% but ``> 99%``; ``""`` if missing."""
    return number_as(share, lambda found: f"{format_probability(found)}%")


def p_value(value: Cell) -> str:
    """A p value, ``p = 0.03``; ``""`` if missing."""
    return number_as(value, format_p)


def number_as(value: Cell, text: Callable[[float], str]) -> str:
    """A number formatted by ``text``; ``""`` if it is None, empty or NaN."""
    if value is None or value == "" or math.isnan(float(value)):
        return ""
    return text(float(value))


def interval(low: Cell, high: Cell, digits: int = 2) -> str:
    """An interval as figures print it; ``""`` if either limit is missing."""
    return number_as(low, lambda a: number_as(high, lambda b: format_interval(a, b, digits)))


def with_interval(estimate: Cell, low: Cell, high: Cell, *, digits: int = 2) -> str:
    """``1.46 (1.25–1.70)``; a missing estimate or interval is left out."""
    limits = interval(low, high, digits)
    return number(estimate, digits) + (f" ({limits})" if limits else "")


def stated(text: str) -> str:
    """The text, or "not stated" if it is empty."""
    return text or NOT_STATED


def words(text: str) -> str:
    """A word of the sheet for readers: ``some_concerns`` becomes ``some concerns``."""
    return text.replace("_", " ")


def of_whom(subgroup: str) -> str:
    """A subgroup of patients or trials as a label: ``all``, ``node status: positive``."""
    return _of_trials(subgroup) or words(subgroup).replace("=", ": ")


def patients_in_words(subgroup: str) -> str:
    """A subgroup of patients or trials in a sentence, such as ``node status positive``."""
    if subgroup == "all":
        return "all patients"
    return _of_trials(subgroup) or words(subgroup).replace("=", " ")


def _of_trials(subgroup: str) -> str:
    """The name of a group of trials; empty for a subgroup of patients."""
    column, _, value = subgroup.partition("=")
    if column == "experimental_partner":
        return lower_first(PARTNERS.get(value, ""))
    return _GROUPS[column].format(words(value)) if value and column in _GROUPS else ""


def listing(items: Sequence[str]) -> str:
    """Items in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def counted(n: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 trial``, ``1,200 trials``."""
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """The text with a small first letter, for mid-sentence; abbreviations are unchanged."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
