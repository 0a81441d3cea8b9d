"""What is printed in a cell or a sentence: numbers, words of the sheet, lists."""

import math
from collections.abc import Sequence

from trial_evidence.config.methods import Selection
from trial_evidence.words.numbers import format_interval, format_number, round_half_up

NOT_STATED = "not stated"


def count(value: float) -> str:
    """A whole number with a comma at the thousands; ``""`` where there is none."""
    return "" if math.isnan(value) else f"{value:,.0f}"


def whole(value: float) -> str:
    """A whole number as it is, such as a year; ``""`` where there is none."""
    return "" if math.isnan(value) else f"{value:.0f}"


def number(value: float, digits: int = 2) -> str:
    """A number as figures print it; ``""`` where there is none."""
    return "" if math.isnan(value) else format_number(value, digits)


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval as figures print it; ``""`` where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else format_interval(low, high, digits)


def with_interval(estimate: float, low: float, high: float, digits: int = 2) -> str:
    """``1.46 (1.25–1.70)``; ``""`` where there is no estimate."""
    shown = number(estimate, digits)
    return f"{shown} ({interval(low, high, digits)})" if shown else ""


def percent(share: float, digits: int = 0) -> str:
    """A share in percent, ``31%``; ``""`` where there is none."""
    return "" if math.isnan(share) else f"{round_half_up(100 * share, digits)}%"


def stated(text: str) -> str:
    """The text, or that the sheet does not have it."""
    return text or NOT_STATED


def words(text: str) -> str:
    """Words of the sheet for readers: ``some_concerns`` is ``some concerns``."""
    return text.replace("_", " ")


def of_whom(subgroup: str) -> str:
    """A subgroup of patients for readers: ``all``, ``hormone receptor: negative``."""
    return words(subgroup).replace("=", ": ")


def listing(items: Sequence[str]) -> str:
    """Items in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def counted(n: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 trial``, ``1,200 trials``."""
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def admitted(selection: Selection) -> str:
    """Which results are included: ``current results verified in a primary or secondary source``."""
    rules = {
        column: " or ".join(map(words, allowed)) for column, allowed in selection.admit.items()
    }
    status = rules.pop("status", "")
    seen = f" verified in a {rules.pop('verification', '')} source"
    further = "; ".join(f"{words(column)}: {allowed}" for column, allowed in rules.items())
    return f"{status} results{seen}" + (f" ({further})" if further else "")
