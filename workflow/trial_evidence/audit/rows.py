"""Rows of the sheet as used by the checks: current rows, printed numbers, rounding."""

import math
from collections import defaultdict
from collections.abc import Iterable

from trial_evidence.files import Record, records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import Span, printed_alike, quantile

CURRENT = "current"
PAIR = ("experimental_arm_id", "control_arm_id")
ARMS = (("events_experimental", "n_experimental"), ("events_control", "n_control"))
COUNT = ("events", "n")
LIMITS = ("hr", "ci_low", "ci_high")
RATIO = (*LIMITS, "ci_level")
FOLLOWUP = "median_followup_months"


def rows_of(sheet: Sheet, kind: str = "") -> list[Record]:
    """Return the results of a kind, or all, each with added columns ``table`` and ``kind``.

    Every row also has ``source_year`` and the follow-up, NaN if not given.
    """
    years = dict(zip(sheet["sources"]["source_id"], sheet["sources"]["year"], strict=True))
    return [
        {
            FOLLOWUP: math.nan,
            **row,
            "source_year": years.get(row["source_id"], math.nan),
            "table": table,
            "kind": of,
        }
        for table, of in sheet.kinds.items()
        if kind in ("", of)
        for row in records(sheet[table])
    ]


def current_rows(sheet: Sheet, kind: str = "") -> list[Record]:
    """Return the results of a kind, or all, that are not superseded."""
    return [row for row in rows_of(sheet, kind) if row["status"] == CURRENT]


def rows_by(rows: Iterable[Record], *columns: str) -> dict[tuple[str, ...], list[Record]]:
    """Return rows grouped by their values in these columns; none for other values."""
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in rows:
        groups[tuple(str(row.get(column, "")) for column in columns)].append(row)
    return groups


def grouped(rows: Iterable[Record], *columns: str) -> dict[tuple[str, ...], list[Record]]:
    """Return rows grouped by their table and their values in these columns."""
    return rows_by(rows, "table", *columns)


def known(number: float) -> bool:
    """Return whether a cell contains a number."""
    return not math.isnan(number)


def printed_ratio(row: Record) -> tuple[Span, Span | None]:
    """Return the log of a printed hazard ratio and its standard error, as ranges due to rounding.

    The standard error is from the interval, at the interval's own level; None without a limit.
    """
    ratio, *limits = ratio_spans(row)
    effect = _log(ratio)
    low, high = (None if limit is None else _log(limit) for limit in limits)
    given = len(limits) - limits.count(None)
    if not known(row["ci_level"]) or not given:
        return effect, None
    # A single limit is half as far from the estimate as from the other limit.
    lower, upper, width = low or effect, high or effect, given * quantile(row["ci_level"])
    narrow, wide = upper.low - lower.high, upper.high - lower.low
    return effect, Span(max(narrow, 0.0) / width, wide / width)


def ratio_spans(row: Record) -> tuple[Span, Span | None, Span | None]:
    """Return the rounding ranges of ``hr``, ``ci_low`` and ``ci_high``, None if not given."""
    cells = ((row[f"{column}_printed"], row[column]) for column in LIMITS)
    ratio, low, high = printed_alike(*cells)
    assert ratio is not None
    return ratio, low, high


def _log(span: Span) -> Span:
    return Span(math.log(max(span.low, 1e-9)), math.log(span.high))
