"""Arithmetic checks between numbers of the sheet.

What is impossible (more events than patients, an estimate outside its own interval) is an error.
What looks wrong but may be what the source prints is a warning. A printed number represents every
number that rounds to it, so each check asks whether any such numbers are consistent.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from trial_evidence.words.problems import Problem, shortened

from .checked import CheckedRow, Rows, of_kind
from .dictionary import Dictionary
from .values import ALL, printed_decimals, subgroup_pairs

# Columns for events, patients and arm: in a row about one arm, and on both sides of a contrast.
_SIDES = (
    ("events", "n", "arm_id"),
    ("events_experimental", "n_experimental", "experimental_arm_id"),
    ("events_control", "n_control", "control_arm_id"),
)
# Tolerance at the ends of a rounding range, because 0.285 is stored as 0.28499... in binary.
_HAIR = 1e-9
_NORMAL = NormalDist()
TREATED = "safety"
# With a smaller share of an arm's patients in the analysis of all, a digit may be missing.
_FEW = 0.5


@dataclass(frozen=True)
class Span:
    """A closed interval of numbers."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Midpoint."""
        return (self.low + self.high) / 2

    def meets(self, other: Span) -> bool:
        """Return whether the two spans overlap or meet."""
        return self.low <= other.high and other.low <= self.high


def printed_span(number: float, decimals: int) -> Span:
    """Return the range of numbers that round to `number` at `decimals` decimals."""
    half = 0.5 * 10.0**-decimals
    hair = _HAIR * max(abs(number), half)
    return Span(number - half - hair, number + half + hair)


def arithmetic_problems(tables: Rows, dictionary: Dictionary) -> list[Problem]:
    """Return the arithmetic inconsistencies.

    Parameters
    ----------
    tables : mapping of str to sequence of CheckedRow
        Table name to rows; tables that could not be read are left out.
    dictionary : Dictionary
        Gives the tables of results and the kind of each.
    """
    problems: list[Problem] = []
    randomised = _randomised(tables)
    for row in of_kind(tables, dictionary, "counts"):
        problems += [*_patients(row, randomised), *_percent(row)]
    for row in of_kind(tables, dictionary, "contrasts"):
        problems += [*_patients(row, randomised), *_interval(row, "hr"), *_p_value(row)]
    for row in tables.get("biomarker_effects", ()):
        problems += _interval(row, "estimate")
    for row in tables.get("curves_cox", ()):
        # Digits beyond those of a source: nothing is rounded to the middle of the interval.
        problems += [*_patients(row, randomised), *_outside(row, "hr")]
    for row in of_kind(tables, dictionary, "rates"):
        problems += _patients(row, randomised)
        problems += _outside(row, "percent") or [*_fraction(row), *_lopsided(row, "percent")]
    for row in of_kind(tables, dictionary, "times"):
        problems += _outside(row, "median_months") or _lopsided(row, "median_months")
    for row in tables.get("curves_rmst", ()):
        problems += _restricted_mean(row)
    problems += _arms_make_the_trial(tables)
    problems += _levels_make_the_arm(of_kind(tables, dictionary, "counts"))
    return problems


def claimed_p(text: str) -> Span:
    """Return the range of p values that a printed one, ``0.03`` or ``<0.001``, may represent."""
    number = float(text.removeprefix("<"))
    if text.startswith("<"):
        return Span(0.0, number)
    return printed_span(number, printed_decimals(text))


def quantile(level: float) -> float:
    """Return the normal quantile for a two-sided interval at `level` percent."""
    return _NORMAL.inv_cdf(0.5 + level / 200)


def p_by_interval(
    ratio: Span, low: Span | None, high: Span | None, level: float, sided: str
) -> Span:
    """Return the p values of :func:`two_sided_p`, halved if `sided` is not ``two``."""
    two = two_sided_p(ratio, low, high, level)
    return two if sided == "two" else Span(two.low / 2, two.high / 2)


def two_sided_p(ratio: Span, low: Span | None, high: Span | None, level: float) -> Span:
    """Return the range of two-sided p values compatible with an estimate and its interval.

    The Wald statistic is ``|log ratio| / se``, with the standard error from the width of the
    interval on the log scale, or from the distance to the only limit given.

    Parameters
    ----------
    ratio, low, high : Span
        Rounding ranges of the printed ratio and limits; None for a limit that is not given.
    level : float
        Confidence level in percent.
    """
    ratios = {max(ratio.low, _HAIR), ratio.high}
    if ratio.low <= 1 <= ratio.high:
        ratios.add(1.0)
    found = []
    # On either side of ratio 1, p is monotonic in each of the three numbers, so its extremes are at
    # the corners.
    for centre, lower, upper in itertools.product(ratios, _ends(low), _ends(high)):
        effect = math.log(centre)
        width = _half_width(effect, lower, upper)
        z = abs(effect) * quantile(level) / width if width > 0 else math.inf
        found.append(math.erfc(z / math.sqrt(2)))
    return Span(min(found), max(found))


def _half_width(effect: float, lower: float | None, upper: float | None) -> float:
    if lower is not None and upper is not None:
        return (math.log(upper) - math.log(lower)) / 2
    if upper is not None:
        return math.log(upper) - effect
    return effect - math.log(lower) if lower is not None else 0.0


def _ends(span: Span | None) -> tuple[float | None, ...]:
    return (None,) if span is None else (max(span.low, _HAIR), span.high)


def _look(row: CheckedRow) -> str:
    source, locator = row.text("source_id"), row.text("locator")
    where = f" ({shortened(locator)})" if source and locator else ""
    return f" Check {source or 'the source'}{where}."


@dataclass(frozen=True)
class _Randomised:
    """How many patients an arm has; of an arm without a number, at most as many as its trial."""

    number: float
    words: str
    of_arm: bool


def _randomised(tables: Rows) -> dict[tuple[str, str], _Randomised]:
    """Patients by trial and arm, as far as arms.csv or trials.csv has a number."""
    trials = {row.text("trial_id"): row.numbers for row in tables.get("trials", ())}
    found: dict[tuple[str, str], _Randomised] = {}
    for row in tables.get("arms", ()):
        arm, trial = row.text("arm_id"), row.text("trial_id")
        if "n_randomised" in row.numbers:
            number = row.numbers["n_randomised"]
            words = f"arms.csv has {number:.0f} in {arm}"
            found[trial, arm] = _Randomised(number, words, of_arm=True)
        elif "n_randomised" in trials.get(trial, {}):
            number = trials[trial]["n_randomised"]
            words = f"trials.csv has {number:.0f} in all arms of {trial}"
            found[trial, arm] = _Randomised(number, words, of_arm=False)
    return found


def _patients(
    row: CheckedRow, randomised: Mapping[tuple[str, str], _Randomised]
) -> Iterator[Problem]:
    for events, n, arm in _SIDES:
        analysed = row.numbers.get(n)
        if analysed is None:
            continue
        if row.numbers.get(events, 0.0) > analysed:
            patients = "patient" if analysed == 1 else "patients"
            message = f"{row.text(events)} events in {row.text(n)} {patients} are impossible."
            yield row.problem("error", events, message)
            continue
        total = randomised.get((row.text("trial_id"), row.text(arm)))
        if total is None:
            continue
        said = f"{analysed:.0f} patients are analysed, but {total.words}."
        few = total.of_arm and analysed < _FEW * total.number
        # Patients counted by treatment received may outnumber those allocated to it.
        if row.text("population") != TREATED and analysed > total.number:
            yield row.problem("warning", n, said + _look(row))
        # Event-free rates have no events, but the number still at risk.
        elif few and events in row.texts and row.text("subgroup") == ALL:
            yield row.problem("warning", n, f"{said} Is a digit missing?{_look(row)}")


def _percent(row: CheckedRow) -> Iterator[Problem]:
    printed, events, n = map(row.numbers.get, ("reported_percent", "events", "n"))
    if printed is None or events is None or n is None or events > n:
        return
    decimals = printed_decimals(row.text("reported_percent"))
    percent = 100 * events / n
    if not printed_span(printed, decimals).meets(Span(percent, percent)):
        message = (
            f"{row.text('reported_percent')}% is printed, but {events:.0f} of {n:.0f} is "
            f"{percent:.{decimals + 1}f}%.{_look(row)}"
        )
        yield row.problem("warning", "reported_percent", message)


def printed_alike(*cells: tuple[str, float]) -> tuple[Span | None, ...]:
    """Return the rounding ranges of numbers from their printed texts; None for NaN.

    Spreadsheets drop the zero of 1.40, so all are assumed to have as many decimals as the text with
    the most.
    """
    decimals = max(printed_decimals(text) for text, _ in cells)
    return tuple(None if math.isnan(n) else printed_span(n, decimals) for _, n in cells)


def _fraction(row: CheckedRow) -> Iterator[Problem]:
    """A share of patients that looks as if it were not in percent."""
    percent = row.numbers.get("percent", 0.0)
    if 0 < percent < 1:
        said = f"{row.text('percent')}% is less than one patient in 100."
        message = f"{said} Is {100 * percent:g} meant?{_look(row)}"
        yield row.problem("warning", "percent", message)


def _log(number: float) -> float:
    return math.log(number) if number > 0 else -math.inf


def _log_odds(percent: float) -> float:
    return _log(percent) - _log(100 - percent)


# How many times as far an interval may reach on one side of its value as on the other, on the
# scales on which it would be symmetric; no interval in print comes near on all of them.
_REACH: dict[str, tuple[tuple[Callable[[float], float], float], ...]] = {
    "percent": ((_log_odds, 5.0), (float, 2.0)),
    "median_months": ((_log, 8.0),),
}


def _lopsided(row: CheckedRow, name: str) -> list[Problem]:
    """An interval that reaches much farther on one side, as after a slip of the decimal point."""
    value, low, high = map(row.numbers.get, (name, "ci_low", "ci_high"))
    if value is None or low is None or high is None or not low < value < high:
        return []
    for scale, most in _REACH[name]:
        short, long = sorted((scale(value) - scale(low), scale(high) - scale(value)))
        if math.isinf(long) or long <= most * short:
            return []
    message = (
        f"the interval {row.text('ci_low')} to {row.text('ci_high')} reaches much farther on one "
        f"side of {row.text(name)} than on the other. Is a decimal point misplaced?{_look(row)}"
    )
    return [row.problem("warning", name, message)]


def _printed(row: CheckedRow, ratio: str) -> Iterator[tuple[str, float]]:
    """Text and number of the ratio and its lower and upper limits; NaN where there is none."""
    return ((row.text(c), row.numbers.get(c, math.nan)) for c in (ratio, "ci_low", "ci_high"))


def _outside(row: CheckedRow, name: str) -> list[Problem]:
    """What cannot be of a value and its limits on any scale."""
    value, low, high = map(row.numbers.get, (name, "ci_low", "ci_high"))
    if low is not None and high is not None and low > high:
        limits = f"the lower limit {row.text('ci_low')} is above the upper limit "
        message = f"{limits}{row.text('ci_high')}. Are they exchanged?"
        return [row.problem("error", "ci_low", message)]
    for side, column, limit, sign in (("lower", "ci_low", low, 1), ("upper", "ci_high", high, -1)):
        if value is not None and limit is not None and sign * (value - limit) < 0:
            outside = f"{row.text(name)} lies outside its interval: "
            message = f"{outside}the {side} limit is {row.text(column)}."
            return [row.problem("error", name, message)]
    return []


def _interval(row: CheckedRow, ratio: str) -> Iterable[Problem]:
    if impossible := _outside(row, ratio):
        return impossible
    itself = f"limit is the estimate itself, {row.text(ratio)}.{_look(row)}"
    problems = [
        row.problem("warning", column, f"the {side} {itself}")
        for side, column in (("lower", "ci_low"), ("upper", "ci_high"))
        if ratio in row.numbers and row.numbers[ratio] == row.numbers.get(column)
    ]
    return problems or _asymmetry(row, ratio)


def _restricted_mean(row: CheckedRow) -> Iterator[Problem]:
    """The mean of times that are cut off at tau is at most tau."""
    mean, tau = map(row.numbers.get, ("rmst", "tau"))
    if mean is not None and tau is not None and mean > tau:
        message = f"a mean of {row.text('rmst')} months cannot exceed its limit tau, "
        yield row.problem("error", "rmst", f"{message}{row.text('tau')} months.")


def off_centre(ratio: tuple[str, float], low: tuple[str, float], high: tuple[str, float]) -> str:
    """Say that a ratio is not in the middle of its interval on the log scale, in a message.

    Each is given as printed text and number; ``""`` if rounding explains the difference, or if one
    of the numbers is NaN.
    """
    estimate, lower, upper = printed_alike(ratio, low, high)
    if estimate is None or lower is None or upper is None:
        return ""
    least = math.sqrt(max(lower.low, 0.0) * max(upper.low, 0.0))
    if Span(least, math.sqrt(lower.high * upper.high)).meets(estimate):
        return ""
    return (
        f"the interval {low[0]} to {high[0]} is centred on {math.sqrt(low[1] * high[1]):.3g} on "
        f"the log scale, not on {ratio[0]}, which rounding does not explain."
    )


def _asymmetry(row: CheckedRow, ratio: str) -> Iterator[Problem]:
    if message := off_centre(*_printed(row, ratio)):
        yield row.problem("warning", ratio, message + _look(row))


def _p_value(row: CheckedRow) -> Iterator[Problem]:
    ratio, low, high = printed_alike(*_printed(row, "hr"))
    level, text, sided = row.numbers.get("ci_level"), row.text("p_value"), row.text("p_sided")
    if ratio is None or level is None or not text or not sided or low is high is None:
        return
    claimed, expected = claimed_p(text), p_by_interval(ratio, low, high, level, sided)
    if claimed.meets(expected):
        return
    limits = f"{row.text('ci_low') or '?'} to {row.text('ci_high') or '?'}"
    message = (
        f"p {text if text.startswith('<') else '= ' + text} does not agree with "
        f"{row.text('hr')} ({row.text('ci_level')}% {limits}), "
        f"which gives {_p_range(expected)} ({sided}-sided)."
    )
    other = "one" if sided == "two" else "two"
    if claimed.meets(p_by_interval(ratio, low, high, level, other)):
        message += f" It fits only as {other}-sided."
    yield row.problem("warning", "p_value", message + _look(row))


def _p_range(span: Span) -> str:
    low, high = f"{span.low:.2g}", f"{span.high:.2g}"
    return f"p = {low}" if low == high else f"p = {low} to {high}"


def _arms_make_the_trial(tables: Rows) -> Iterator[Problem]:
    arms = defaultdict(list)
    for row in tables.get("arms", ()):
        arms[row.text("trial_id")].append(row.numbers.get("n_randomised", math.nan))
    for row in tables.get("trials", ()):
        parts = arms[row.text("trial_id")]
        total, added = row.numbers.get("n_randomised", math.nan), sum(parts)
        # NaN if the trial or one of its arms has no number.
        known = parts and not math.isnan(total - added)
        numbers = [n for n in parts if not math.isnan(n)]
        if row.text("randomised") == "yes" and known and added != total:
            message = f"{total:.0f} randomised, but the arms add up to {added:.0f}"
        elif sum(numbers) > total:
            message = f"{total:.0f} patients, but the arms have at least {sum(numbers):.0f}"
        else:
            continue
        terms = f" ({' + '.join(f'{n:.0f}' for n in numbers)})" if len(numbers) > 1 else ""
        yield row.problem("warning", "n_randomised", f"{message}{terms}.")


def _levels_make_the_arm(counts: Sequence[CheckedRow]) -> Iterator[Problem]:
    """The levels of a factor must not add up to more patients or events than the whole arm has."""
    wholes = defaultdict(list)
    parts = defaultdict(list)
    for row in counts:
        events, n = map(row.numbers.get, ("events", "n"))
        if row.text("status") != "current" or events is None or n is None or events > n:
            continue
        result = tuple(map(row.text, ("arm_id", "outcome", "definition", "population")))
        pairs = subgroup_pairs(row.text("subgroup") or ALL)
        if row.text("subgroup") == ALL:
            wholes[result].append(row)
        elif pairs and len(pairs) == 1:
            parts[(*result, pairs[0][0], row.text("source_id"))].append(row)
    for (*arm, factor, _), rows in parts.items():
        levels = {row.text("subgroup") for row in rows}
        whole = wholes[tuple(arm)]
        if len(levels) < 2 or len(levels) < len(rows) or not whole:
            continue
        events, n = (sum(row.numbers[column] for row in rows) for column in ("events", "n"))
        if not any(0 <= w.numbers["events"] - events <= w.numbers["n"] - n for w in whole):
            first = whole[0]
            message = (
                f"the levels of {factor} add up to {events:.0f} of {n:.0f}, but the whole arm has "
                f"{first.text('events')} of {first.text('n')} (row {first.number})."
            )
            yield rows[-1].problem("warning", "events", message + _look(rows[-1]))
