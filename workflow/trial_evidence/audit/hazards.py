"""Checks of hazard ratios: against events, medians and p values, and between analyses."""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from trial_evidence.audit import words
from trial_evidence.audit.findings import Finding, Severity, finding
from trial_evidence.audit.rows import (
    ARMS,
    FOLLOWUP,
    PAIR,
    RATIO,
    current_rows,
    grouped,
    known,
    printed_ratio,
    ratio_spans,
    rows_of,
)
from trial_evidence.files import Record
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import Span, claimed_p, p_by_interval, quantile
from trial_evidence.sheet.values import CURVE

EVENTS_FALL = "events fall"
FOLLOW_UP = "follow-up does not grow"
JUMP = "hazard ratio jumps"
WIDER = "interval gets wider"
EVENTS_V_INTERVAL = "events against interval"
MEDIANS = "medians against hazard ratio"
P_VALUE = "p value against interval"

ANALYSES = ("interim", "primary", "updated", "final")
LEVELS = (90.0, 95.0, 97.5, 99.0)
# Half the step from a 95% to a 97.5% interval: sqrt(2.241 / 1.960).
SE_TOLERANCE = math.sqrt(quantile(97.5) / quantile(95))
# Two-sided 1%, because a sheet contains dozens of successive analyses.
JUMP_Z = quantile(99)
ONE, TWO = "one", "two"


def successive_analyses(sheet: Sheet) -> Iterator[Finding]:
    """Compare each analysis of a result with the previous one.

    A result is a pair of arms, endpoint, assessor and subgroup. Superseded rows are included as the
    history of the current one. Digitised curves do not count as separate analyses.

    Notes
    -----
    The later data include the earlier data. If both estimates are efficient (as that of
    a Cox model is), their covariance is the variance v2 of the later one, so that the difference of
    the two log hazard ratios has variance v1 - v2 and not v1 + v2. A jump is a difference of more
    than 2.58 of its standard deviations, after allowing for rounding of all six printed numbers.
    """
    rows = [row for row in rows_of(sheet, "contrasts") if row["derivation"] != CURVE]
    for group in grouped(rows, *PAIR, "outcome", "assessor", "subgroup").values():
        for earlier, later in pairwise(sorted(group, key=_moment)):
            if _moment(earlier) != _moment(later):
                yield from _from_to(earlier, later)


def _moment(row: Record) -> tuple[float, ...]:
    dates = (row["source_year"], row[FOLLOWUP])
    return (ANALYSES.index(row["analysis"]), *(date if known(date) else -1.0 for date in dates))


def _from_to(earlier: Record, later: Record) -> Iterator[Finding]:
    where = (
        f"{words.pair(later)}, {later['outcome']}{words.subgroup(later)}, "
        f"{later['analysis']} (row {later['row']}) after {earlier['analysis']} "
        f"(row {earlier['row']}): "
    )

    def found(severity: Severity, check: str, columns: Sequence[str], what: str) -> Finding:
        return finding(severity, check, [earlier, later], columns, f"{where}{what}.")

    for events, _ in ARMS:
        if later[events] < earlier[events]:
            arm = events.removeprefix("events_")
            what = f"{later[events]:.0f} events in the {arm} arm, previously {earlier[events]:.0f}"
            yield found("high", EVENTS_FALL, (events,), what)
    if later[FOLLOWUP] <= earlier[FOLLOWUP]:
        what = f"{later[FOLLOWUP]:g} months of median follow-up, previously {earlier[FOLLOWUP]:g}"
        yield found("medium", FOLLOW_UP, (FOLLOWUP,), what)
    (one, se_one), (two, se_two) = printed_ratio(earlier), printed_ratio(later)
    change = f"{words.ratio(later)}, previously {words.ratio(earlier)}"
    if se_one is None or se_two is None:
        return
    if se_two.low > se_one.high:
        what = (
            f"{change}: the standard error grew from {se_one.middle:.3f} to {se_two.middle:.3f} "
            "although the analysis is later"
        )
        yield found("medium", WIDER, RATIO, what)
        return
    # The smallest standardised difference consistent with rounding.
    apart = max(0.0, one.low - two.high, two.low - one.high)
    variance = se_one.high**2 - se_two.low**2
    z = apart / math.sqrt(variance) if variance > 0 else 0.0
    if z > JUMP_Z:
        difference = math.log(later["hr"]) - math.log(earlier["hr"])
        what = (
            f"{change}: the log hazard ratio changed by {difference:.2f}, at least {z:.1f} times "
            "the standard deviation that the added events allow"
        )
        yield found("medium" if later["status"] == earlier["status"] else "low", JUMP, RATIO, what)


def events_against_interval(sheet: Sheet) -> Iterator[Finding]:
    """Intervals wider or narrower than the events imply, and the level that would fit.

    The standard error implied by the events lies between the square roots of ``1/e1 + 1/e0`` (few
    events) and ``(1 + r)**2 / (r * e)`` (r the allocation ratio, e all events: ``4 / e`` for equal
    arms). It is compared with the standard error from the printed interval at its own level,
    allowing for rounding and for a factor of 1.069, half the step from a 95% to a 97.5% interval.
    An interval narrower than if every patient had an event is impossible.

    Notes
    -----
    Tierney et al. Trials 2007;8:16 for the two formulas.
    """
    arms = dict(zip(sheet["arms"]["arm_id"], sheet["arms"]["n_randomised"], strict=True))
    for row in current_rows(sheet, "contrasts"):
        _, se = printed_ratio(row)
        if se is None:
            continue
        by_events = _se_by_events(row)
        if by_events is not None and not _tolerant(by_events).meets(se):
            yield _interval_v_events(row, se, by_events)
        analysed = known(row["n_experimental"]) and known(row["n_control"])
        who = "analysed" if analysed else "randomised"
        # A size that is missing is not the whole arm: the result may be of a subgroup.
        n1, n0 = (
            row[f"n_{side}"] if analysed else arms[row[f"{side}_arm_id"]]
            for side in ("experimental", "control")
        )
        if known(n1) and known(n0) and se.high < math.sqrt(1 / n1 + 1 / n0) / SE_TOLERANCE:
            needed = (1 + n1 / n0) ** 2 / (n1 / n0 * se.high**2)
            what = f"{words.stated(row)} needs at least {needed:.0f} events, but only "
            what += f"{n1 + n0:.0f} patients were {who}."
            columns = (*RATIO, "n_experimental", "n_control")
            yield finding("high", EVENTS_V_INTERVAL, [row], columns, what)


def _tolerant(se: Span, z: float = 1.0) -> Span:
    return Span(se.low * z / SE_TOLERANCE, se.high * z * SE_TOLERANCE)


def _se_by_events(row: Record) -> Span | None:
    e1, e0 = row["events_experimental"], row["events_control"]
    if not (e1 > 0 and e0 > 0):
        return None
    n1, n0 = row["n_experimental"], row["n_control"]
    ratio = n1 / n0 if known(n1) and known(n0) else 1.0
    ends = (math.sqrt(1 / e1 + 1 / e0), (1 + ratio) / math.sqrt(ratio * (e1 + e0)))
    return Span(min(ends), max(ends))


def _interval_v_events(row: Record, se: Span, by_events: Span) -> Finding:
    z = quantile(row["ci_level"])
    width = Span(se.low * z, se.high * z)
    fitting = [
        f"{level:g}%"
        for level in LEVELS
        if level != row["ci_level"] and _tolerant(by_events, quantile(level)).meets(width)
    ]
    events = f"{row['events_experimental']:.0f} and {row['events_control']:.0f} events"
    what = f"{words.stated(row)} has a standard error of {se.middle:.3f}, but {events} give "
    what += f"{by_events.middle:.3f}"
    if fitting:
        what += f". The events fit if the interval is a {words.listed(fitting)} interval"
    columns = (*RATIO, "events_experimental", "events_control")
    return finding("high" if fitting else "medium", EVENTS_V_INTERVAL, [row], columns, f"{what}.")


def medians_against_ratio(sheet: Sheet) -> Iterator[Finding]:
    """Medians that favour the other arm than the hazard ratio does.

    High if the interval excludes 1, otherwise low, since curves may cross.
    """
    for row in current_rows(sheet, "contrasts"):
        experimental, control = row["median_experimental_months"], row["median_control_months"]
        better = row["hr"] < 1
        if row["hr"] == 1 or not (experimental < control if better else experimental > control):
            continue
        clear = row["ci_high"] < 1 if better else row["ci_low"] > 1
        arm = "experimental" if better else "control"
        what = (
            f"{words.stated(row)} favours the {arm} arm, but the medians are {experimental:g} "
            f"(experimental) and {control:g} (control) months."
        )
        columns = ("hr", "median_experimental_months", "median_control_months")
        yield finding("high" if clear else "low", MEDIANS, [row], columns, what)


def p_value_against_interval(sheet: Sheet) -> Iterator[Finding]:
    """P values that do not match the interval, and the sidedness or level at which they would.

    High if p value and interval disagree on significance (0.05 two-sided, 0.025 one-sided), or if
    the other sidedness makes them agree; otherwise medium, because p values of the log-rank test
    and intervals of a Cox model may differ slightly.
    """
    for row in current_rows(sheet, "contrasts"):
        sided, level = row["p_sided"], row["ci_level"]
        ratio, low, high = ratio_spans(row)
        said = known(row["p_value"]) and sided in (ONE, TWO)
        if not said or not known(level) or (low is None and high is None):
            continue
        p = partial(p_by_interval, ratio, low, high)
        claimed, expected = claimed_p(row["p_value_printed"]), p(level, sided)
        if claimed.meets(expected):
            continue
        other = ONE if sided == TWO else TWO
        other_sided = claimed.meets(p(level, other))
        fits = [f"as {other}-sided"] if other_sided else []
        fits += [
            f"if the interval is a {candidate:g}% interval"
            for candidate in LEVELS
            if candidate != level and claimed.meets(p(candidate, sided))
        ]
        sign = "" if row["p_value_operator"] == "<" else "= "
        what = (
            f"{words.pair(row)}, {words.result(row)}: p {sign}{row['p_value_printed']} "
            f"({sided}-sided) is printed, but {words.ratio(row)} gives {expected.low:.2g} to "
            f"{expected.high:.2g}"
        )
        if fits:
            what += f". It would fit {' or '.join(fits)}"
        threshold = 0.05 if sided == TWO else 0.025
        crosses = claimed.high < threshold < expected.low or expected.high < threshold < claimed.low
        severity: Severity = "high" if crosses or other_sided else "medium"
        yield finding(severity, P_VALUE, [row], (*RATIO, "p_value", "p_sided"), f"{what}.")
