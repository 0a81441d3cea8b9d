"""Printed numbers: rounding, intervals, p values and axis ticks."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import count

EN_DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
# Footnote marks in the usual order.
MARKS = "*†‡§¶"
_SIGNS = (MINUS, "<", ">")
# Numbers printed with at least this many decimals are neither counts nor percentages; smaller
# absolute values than the second are rounding errors of zero.
_DECIMAL, _NOISE = 2, 1e-12
_MOST = 10_000
# Enough digits for the largest double and its decimals.
_ALL_DIGITS = Context(prec=400)


def round_half_up(value: float, digits: int) -> str:
    """Round half up, as readers do by hand, and print with a fixed number of decimals.

    The number is first taken to 15 significant digits, all that a float reliably holds: 2.675
    gives 2.68 although its binary form is slightly smaller, and 100 × 0.285, which is
    28.499999999999996 in binary, gives 29. A value that rounds to zero has no sign.

    Parameters
    ----------
    value
        A finite number.
    digits
        Decimals to print, 0 or more.

    Returns
    -------
    str
        For example ``"2.63"`` for 2.625 and two digits; ASCII hyphen as minus.

    Raises
    ------
    ValueError
        If the value is not finite or digits is negative.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be rounded: it is not a finite number")
    if digits < 0:
        raise ValueError(f"digits is {digits}; it must be 0 or more")
    step = Decimal(1).scaleb(-digits)
    rounded = Decimal(f"{value:.15g}").quantize(step, ROUND_HALF_UP, _ALL_DIGITS)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"


def format_number(value: float, digits: int = 2) -> str:
    """Print a number with a typographic minus sign, and infinity as ∞.

    A ratio is never zero, and readers ask on which side of zero a difference lies. So where two or
    more decimals would print a non-zero number as zero, up to two further decimals are printed, and
    below these ``< 0.0001``; likewise ``> 10000`` for the reciprocal. The script of the report's
    page follows the same rule.

    Parameters
    ----------
    value
        A number; not NaN.
    digits
        Decimals.

    Returns
    -------
    str
        The number as printed in figures and tables.

    Raises
    ------
    ValueError
        If the value is NaN.
    """
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    if digits >= _DECIMAL and abs(value) > _MOST:
        return f"> {_MOST}" if value > 0 else f"< {MINUS}{_MOST}"
    text = round_half_up(value, digits)
    if digits >= _DECIMAL and abs(value) > _NOISE and not float(text):
        text = _not_zero(value, digits)
    return text.replace("-", MINUS)


def _not_zero(value: float, digits: int) -> str:
    """A number that these decimals would print as zero."""
    for finer in (digits + 1, digits + 2):
        if float(text := round_half_up(value, finer)):
            return text
    least = round_half_up(10.0**-finer, finer)
    return f"< {least}" if value > 0 else f"> -{least}"


def format_interval(low: float, high: float, digits: int = 2) -> str:
    """Print an interval: ``0.18–30.62``, or ``−0.05 to 0.12`` if a limit is negative.

    Parameters
    ----------
    low, high
        Limits, in the unit in which they are printed.
    digits
        Decimals.

    Returns
    -------
    str
        Limits joined by an en dash; by "to" if a minus sign or ``<`` would follow the dash.
    """
    ends = format_number(low, digits), format_number(high, digits)
    return (" to " if any(end.startswith(_SIGNS) for end in ends) else EN_DASH).join(ends)


def format_percent(share: float, digits: int = 0) -> str:
    """A proportion in percent: ``31%``."""
    return f"{format_number(100 * share, digits)}%"


def format_p(p_value: float) -> str:
    """Print a p value: ``p = 0.03``, ``p = 0.004``, ``p < 0.001``, ``p > 0.99``.

    Rounded half up to `p_digits` decimals; below 0.001 and above 0.99, only the bound is printed.

    Parameters
    ----------
    p_value
        Between 0 and 1.

    Returns
    -------
    str
        The value with ``p`` and ``=``, ``<`` or ``>``.

    Raises
    ------
    ValueError
        If the value is not between 0 and 1.
    """
    if not 0 <= p_value <= 1:
        raise ValueError(f"{p_value} is not a p value")
    if p_value < 0.001:
        return "p < 0.001"
    if p_value > 0.99:
        return "p > 0.99"
    return f"p = {round_half_up(p_value, p_digits(p_value))}"


def format_probability(probability: float, digits: int = 0) -> str:
    """A probability in percent, without the % sign; never 0 or 100 (no posterior is): ``> 99``."""
    percent, least = 100 * probability, 10.0**-digits
    if percent > 100 - least:
        return f"> {round_half_up(100 - least, digits)}"
    if percent < least:
        return f"< {round_half_up(least, digits)}"
    return round_half_up(percent, digits)


def p_digits(p_value: float) -> int:
    """Decimals of a p value: two; three below 0.01, where two leave at most one significant digit.

    Also three from 0.045 to below 0.055, a range that two decimals would print as 0.05 (0.055
    itself rounds to 0.06), and four where three would print 0.050 of a number that is not 0.05. The
    script of the report's page has the same rule.
    """
    if p_value != 0.05 and 0.0495 <= p_value < 0.0505:
        return 4
    return 3 if p_value < 0.01 or 0.045 <= p_value < 0.055 else 2


def footnote_mark(number: int, marks: str = MARKS) -> str:
    """The footnote mark for a number from 0; after the last mark they are doubled, then tripled."""
    times, at = divmod(number, len(marks))
    return marks[at] * (times + 1)


def format_tick(value: float) -> str:
    """Print a tick label with no more digits than needed, never with an exponent: 0.25, 1, 1000.

    Parameters
    ----------
    value
        A finite number.

    Returns
    -------
    str
        The label.
    """
    text = f"{Decimal(f'{value:.10g}'):f}"
    trimmed = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if trimmed == "-0" else trimmed.replace("-", MINUS)


def linear_ticks(low: float, high: float, most: int = 7) -> tuple[float, ...]:
    """Evenly spaced ticks at round values that cover a range.

    Parameters
    ----------
    low, high
        The range, low < high.
    most
        The largest number of ticks, 3 or more.

    Returns
    -------
    tuple of float
        Ascending; the first at or below low, the last at or above high. Steps are 1, 2, 2.5 or
        5 times a power of ten.

    Raises
    ------
    ValueError
        If low < high does not hold or fewer than three ticks are allowed.
    """
    _check_range(low, high, most)
    power = math.floor(math.log10((high - low) / most))
    for step in (mantissa * 10.0**tens for tens in count(power) for mantissa in (1, 2, 2.5, 5)):
        first = math.floor(low / step + 1e-9)
        last = math.ceil(high / step - 1e-9)
        if last - first < most:
            return tuple(_tidy(index * step) for index in range(first, last + 1))
    raise AssertionError("a step as long as the range needs three ticks at most")


def log_ticks(low: float, high: float, most: int = 7) -> tuple[float, ...]:
    """Ticks at round values for a ratio axis that cover a range.

    Several series are tried: doublings (0.25, 0.5, 1, 2), 1-2-5, 1-1.5-2-3-5-7, 1-3, and equal
    steps for a narrow range; powers of ten if all of these have too many ticks. The series that
    leaves least of the axis empty is chosen, with a slight preference for doublings, where equal
    steps mean equal factors.

    Parameters
    ----------
    low, high
        The range on the natural scale, 0 < low < high.
    most
        The largest number of ticks, 3 or more.

    Returns
    -------
    tuple of float
        Ascending; the first at or below low, the last at or above high.

    Raises
    ------
    ValueError
        If 0 < low < high does not hold or fewer than three ticks are allowed.
    """
    _check_range(low, high, most)
    if low <= 0:
        raise ValueError(f"a ratio axis cannot begin at {low}")
    ladders = [(0.15, _ladder(low, high, base=2.0))]
    for mantissas in ((1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 3.0)):
        ladders.append((0.0, _ladder(low, high, mantissas)))
    even = linear_ticks(low, high, most)
    # Beyond a factor of three, equal steps crowd together at the upper end of a log axis.
    if even[0] > 0 and even[-1] / even[0] < 3:
        ladders.append((0.05, even))
    ladders = [ladder for ladder in ladders if len(ladder[1]) <= most]
    if not ladders:
        base = 10.0
        while len(ticks := _ladder(low, high, base=base)) > most:
            base *= 10.0
        return ticks

    def merit(ladder: tuple[float, tuple[float, ...]]) -> float:
        preference, ticks = ladder
        filled = math.log(high / low) / math.log(ticks[-1] / ticks[0])
        return preference + filled - 0.2 * max(0, min(4, most) - len(ticks))

    return max(ladders, key=merit)[1]


def _check_range(low: float, high: float, most: int) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{low} to {high} is not a range")
    if most < 3:
        raise ValueError(f"{most} ticks cannot cover every range; three can")


def _tidy(value: float) -> float:
    # 3 * 0.1 is 0.30000000000000004; the tick should be 0.3.
    return float(f"{value:.12g}") + 0.0


def _ladder(
    low: float, high: float, mantissas: tuple[float, ...] = (1.0,), base: float = 10.0
) -> tuple[float, ...]:
    """Mantissas times powers of the base, as many as just cover the range."""
    powers = range(math.floor(math.log(low, base)) - 1, math.ceil(math.log(high, base)) + 2)
    ladder = [_tidy(mantissa * base**power) for power in powers for mantissa in mantissas]
    first = max(tick for tick in ladder if tick <= low * (1 + 1e-9))
    last = min(tick for tick in ladder if tick >= high * (1 - 1e-9))
    return tuple(tick for tick in ladder if first <= tick <= last)
