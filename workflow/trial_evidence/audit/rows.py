"""Rows of the sheet as the checks need them: current rows, printed numbers, words for a row."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from trial_evidence.audit.findings import Record
from trial_evidence.files import records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import Span, printed_span
from trial_evidence.sheet.values import printed_decimals

CURRENT = "current"
WHOLE = "all"
ARMS = (("events_experimental", "n_experimental"), ("events_control", "n_control"))
_NORMAL = NormalDist()


@dataclass(frozen=True)
class PrintedRatio:
    """A printed hazard ratio with its interval, as ranges that rounding allows.

    Attributes
    ----------
    effect : Span
        Log hazard ratio.
    se : Span or None
        Its standard error by the interval, at the interval's own level; None without a limit.
    """

    effect: Span
    se: Span | None


def current_rows(sheet: Sheet, table: str) -> list[Record]:
    """Return the rows of a table that are not superseded."""
    return [row for row in records(sheet[table]) if row["status"] == CURRENT]


def known(number: float) -> bool:
    """Say whether a cell holds a number."""
    return not math.isnan(number)


def printed_ratio(row: Record) -> PrintedRatio:
    """Return what the printed hazard ratio and limits of a row stand for.

    A spreadsheet drops the zero of 1.40: all three numbers are taken as printed with as many
    decimals as the one that has most.
    """
    spans = ratio_spans(row)
    ratio, low, high = spans["hr"], spans["ci_low"], spans["ci_high"]
    assert ratio is not None
    effect = _log(ratio)
    if not known(row["ci_level"]) or (low is None and high is None):
        return PrintedRatio(effect, None)
    z = quantile(row["ci_level"])
    if low is not None and high is not None:
        wide, narrow = (math.log(high.high / _positive(low.low)), math.log(high.low / low.high))
        return PrintedRatio(effect, Span(max(narrow, 0.0) / (2 * z), wide / (2 * z)))
    one = _log(high) if high is not None else _log(low) if low is not None else effect
    distances = (abs(one.low - effect.high), abs(one.high - effect.low))
    return PrintedRatio(effect, Span(min(distances) / z, max(distances) / z))


def ratio_spans(row: Record) -> dict[str, Span | None]:
    """Return the rounding ranges of ``hr``, ``ci_low`` and ``ci_high``, None where not given."""
    columns = ("hr", "ci_low", "ci_high")
    texts = {column: row[f"{column}_printed"] for column in columns}
    decimals = max(printed_decimals(text) for text in texts.values() if text)
    return {
        column: printed_span(row[column], decimals) if known(row[column]) else None
        for column in columns
    }


def quantile(level: float) -> float:
    """Return the normal quantile of a two-sided interval of `level` percent."""
    return _NORMAL.inv_cdf(0.5 + level / 200)


def ratio_words(row: Record) -> str:
    """Return a hazard ratio with its interval in words: ``0.81 (95% 0.66 to 1.00)``."""
    limits = f"{row['ci_low_printed'] or '?'} to {row['ci_high_printed'] or '?'}"
    if not row["ci_low_printed"] and not row["ci_high_printed"]:
        return f"{row['hr_printed']} (no interval)"
    return f"{row['hr_printed']} ({row['ci_level']:g}% {limits})"


def pair_words(row: Record) -> str:
    """Return which arms a hazard ratio compares."""
    return f"{row['experimental_arm_id']} v {row['control_arm_id']}"


def result_words(row: Record) -> str:
    """Return which result a row of hazard_ratios is, without its numbers."""
    words = f"{row['endpoint']}, {row['analysis']} analysis"
    if row["assessor"] not in ("not applicable", "not reported"):
        words += f", {row['assessor']}"
    if known(row["median_followup_months"]):
        words += f", {row['median_followup_months']:g} months"
    return words if row["subgroup"] == WHOLE else f"{words}, {row['subgroup']}"


def count_words(row: Record) -> str:
    """Return events and patients of a row of pcr: ``49 of 107``."""
    return f"{row['events']:.0f} of {row['n']:.0f}"


def listed(items: Iterable[str]) -> str:
    """Return items joined as a sentence does: ``a, b and c``."""
    every = list(dict.fromkeys(items))
    return " and ".join([", ".join(every[:-1]), every[-1]]) if len(every) > 1 else "".join(every)


def row_numbers(rows: Iterable[Record]) -> str:
    """Return ``row 5`` or ``rows 5, 7 and 9``."""
    numbers = sorted({int(row["row"]) for row in rows})
    return f"row{'s' if len(numbers) > 1 else ''} {listed(map(str, numbers))}"


def patients(number: float) -> str:
    """Return ``1 patient`` or ``3 patients``."""
    return f"{number:.0f} patient{'' if number == 1 else 's'}"


def _log(span: Span) -> Span:
    return Span(math.log(_positive(span.low)), math.log(span.high))


def _positive(number: float) -> float:
    return max(number, 1e-9)
