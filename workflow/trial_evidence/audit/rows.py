"""Rows of the sheet as the checks need them: current rows, printed numbers, words for a row."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import NormalDist

from trial_evidence.audit.findings import Record
from trial_evidence.files import records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import Span, printed_span
from trial_evidence.sheet.values import printed_decimals

CURRENT = "current"
CURVE = "digitised_curve"
WHOLE = "all"
ARMS = (("events_experimental", "n_experimental"), ("events_control", "n_control"))
COUNT = ("events", "n")
LIMITS = ("hr", "ci_low", "ci_high")
RATIO = (*LIMITS, "ci_level")
FOLLOWUP = "median_followup_months"
_NORMAL = NormalDist()


@dataclass(frozen=True)
class PrintedRatio:
    """A printed hazard ratio with its interval, as ranges that rounding allows.

    `effect` is the log hazard ratio, `se` its standard error by the interval, at the interval's own
    level; None without a limit.
    """

    effect: Span
    se: Span | None


def rows_of(sheet: Sheet, kind: str = "") -> list[Record]:
    """Return the results of a kind, or all, each with ``table`` and ``kind`` of its own."""
    return [
        {**row, "table": table, "kind": of}
        for table, of in sheet.kinds.items()
        if kind in ("", of)
        for row in records(sheet[table])
    ]


def current_rows(sheet: Sheet, kind: str = "") -> list[Record]:
    """Return the results of a kind, or all, that are not superseded."""
    return [row for row in rows_of(sheet, kind) if row["status"] == CURRENT]


def grouped(
    rows: Iterable[Record], *columns: str, wanted: Callable[[Record], bool] = lambda row: True
) -> dict[tuple[str, ...], list[Record]]:
    """Return rows by their table and what they hold in these columns."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for row in filter(wanted, rows):
        key = tuple(str(row.get(column, "")) for column in ("table", *columns))
        groups.setdefault(key, []).append(row)
    return groups


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
    texts = {column: row[f"{column}_printed"] for column in LIMITS}
    decimals = max(printed_decimals(text) for text in texts.values() if text)
    return {
        column: printed_span(row[column], decimals) if known(row[column]) else None
        for column in LIMITS
    }


def quantile(level: float) -> float:
    """Return the normal quantile of a two-sided interval of `level` percent."""
    return _NORMAL.inv_cdf(0.5 + level / 200)


def _log(span: Span) -> Span:
    return Span(math.log(_positive(span.low)), math.log(span.high))


def _positive(number: float) -> float:
    return max(number, 1e-9)
