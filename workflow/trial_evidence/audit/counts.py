"""Checks of counts: subgroups against the whole, percentages, definitions within each other."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from trial_evidence.audit.findings import Finding, Record, Severity, finding
from trial_evidence.audit.rows import (
    ARMS,
    WHOLE,
    count_words,
    current_rows,
    known,
    listed,
    pair_words,
    patients,
    row_numbers,
)
from trial_evidence.files import records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import printed_span
from trial_evidence.sheet.values import subgroup_pairs

LEVELS_V_WHOLE = "levels against the whole"
LEVELS_INCOMPLETE = "levels missing"
PERCENT = "percent against counts"
DEFINITIONS = "stricter definition, more responses"
ALL_RANDOMISED = "ITT without all patients"

# Every response by one of these is a response by all that stand before it.
STRICTNESS = ("ypT0/is", "ypT0/is ypN0", "ypT0 ypN0")
# Words with which a note says why levels do not add up.
_SAID = ("neither", "unknown", "missing", "not known", "not assessed")


def levels_against_whole(sheet: Sheet) -> Iterator[Finding]:
    """Levels of a factor that do not add up to the whole arm, in patients or in events.

    Rows are compared by arm, definition and population, or by pair of arms, endpoint, analysis and
    follow-up; only subgroups by one factor and with two levels or more. Patients left over are a
    low finding unless a note says why; more patients or events than the whole has, or events left
    over without patients to have them, cannot be and are a high one.
    """
    for table, same, counts in (
        ("pcr", ("arm_id", "definition", "population"), (("events", "n"),)),
        (
            "hazard_ratios",
            ("experimental_arm_id", "control_arm_id", "endpoint", "analysis",
             "median_followup_months"),
            ARMS,
        ),
    ):  # fmt: skip
        wholes, parts = _wholes_and_parts(current_rows(sheet, table), same)
        for (key, factor), levels in parts.items():
            names = [row["subgroup"] for row in levels]
            if len(set(names)) < 2 or len(set(names)) < len(names) or key not in wholes:
                continue
            for events, n in counts:
                # Several rows for the whole: one that fits is enough.
                found = [
                    _sum_against(table, levels, whole, factor, events, n) for whole in wholes[key]
                ]
                if all(found):
                    yield next(f for f in found if f is not None)


def _wholes_and_parts(
    rows: Iterable[Record], same: Sequence[str]
) -> tuple[dict[Any, list[Record]], dict[Any, list[Record]]]:
    wholes, parts = defaultdict(list), defaultdict(list)
    for row in rows:
        key = tuple(str(row[column]) for column in same)
        pairs = subgroup_pairs(row["subgroup"]) or ()
        if row["subgroup"] == WHOLE:
            wholes[key].append(row)
        elif len(pairs) == 1:
            parts[key, pairs[0][0]].append(row)
    return wholes, parts


def _sum_against(
    table: str, levels: Sequence[Record], whole: Record, factor: str, events: str, n: str
) -> Finding | None:
    rest_n = whole[n] - sum(row[n] for row in levels)
    rest_events = whole[events] - sum(row[events] for row in levels)
    if not known(rest_n) and not known(rest_events):
        return None
    impossible = rest_n < 0 or rest_events < 0 or rest_events > rest_n
    if not impossible:
        if rest_n == 0 and not rest_events > 0:
            return None
        if not known(rest_n) or any(word in row["note"] for row in levels for word in _SAID):
            return None
    where = pair_words(whole) if table == "hazard_ratios" else whole["arm_id"]
    side = {"events_experimental": ", experimental arm", "events_control": ", control arm"}.get(
        events, ""
    )
    what = f"{where}{side}: the levels of {factor} ({row_numbers(levels)}) add up to "
    what += f"{_counts(levels, events, n)}, the whole (row {whole['row']}) has "
    what += f"{_counts([whole], events, n)}"
    if impossible:
        what += ". This cannot be, if both are the same patients"
    else:
        what += f": {patients(rest_n)} in none of the levels, and no note says why"
    return finding(
        "high" if impossible else "low",
        LEVELS_V_WHOLE,
        table,
        [*levels, whole],
        (events, n),
        what + ".",
        about=factor,
    )


def _counts(rows: Sequence[Record], events: str, n: str) -> str:
    totals = [sum(row[column] for row in rows) for column in (events, n)]
    said = [f"{total:.0f}" if known(total) else "?" for total in totals]
    return f"{said[0]} events in {said[1]} patients" if known(totals[0]) else f"{said[1]} patients"


def missing_levels(sheet: Sheet) -> Iterator[Finding]:
    """Factors of which only one level is reported: one finding a trial, table and factor.

    Not for a trial that enrolled this level only (populations), for an arm that is the level as a
    whole, or for subgroups by two factors.
    """
    restricted = {(row["trial_id"], row["subgroup"]) for row in records(sheet["populations"])}
    for table, same in (
        ("pcr", ("trial_id", "arm_id", "definition", "population")),
        ("hazard_ratios", ("trial_id", "experimental_arm_id", "control_arm_id", "endpoint")),
    ):
        wholes, parts = _wholes_and_parts(current_rows(sheet, table), same)
        sizes = {
            (key[0], key[1], row["n"])
            for key, rows in wholes.items()
            for row in rows
            if table == "pcr"
        }
        lonely: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
        for (key, factor), rows in parts.items():
            levels = {row["subgroup"] for row in rows}
            whole_arm = table == "pcr" and (key[0], key[1], rows[0]["n"]) in sizes
            if len(levels) == 1 and not whole_arm and not {(key[0], *levels)} & restricted:
                lonely[key[0], factor, rows[0]["subgroup"]] += rows
        for (_, factor, level), rows in lonely.items():
            what = (
                f"of {factor}, only {level.partition('=')[2]} is in the sheet "
                f"({listed(_reported(table, row) for row in rows)}; {row_numbers(rows)}): the "
                "other level is not reported, or was left out."
            )
            yield finding("low", LEVELS_INCOMPLETE, table, rows, ("subgroup",), what)


def _reported(table: str, row: Record) -> str:
    return str(row["endpoint"] if table == "hazard_ratios" else row["arm_id"])


def percent_against_counts(sheet: Sheet) -> Iterator[Finding]:
    """Printed percentages that the counts do not give, and what counts would give them.

    The question is that of the GRIM test (Brown and Heathers 2017): a printed percentage of n
    patients can come from few whole numbers of events, or from none. A percentage that only fits
    when its last digit is cut off instead of rounded is a low finding. Where the count was computed
    from the percentage and other whole numbers give it too, they are named in one low finding a
    trial.
    """
    rows = [
        row
        for row in current_rows(sheet, "pcr")
        if known(row["reported_percent"]) and row["events"] <= row["n"]
    ]
    ambiguous = defaultdict(list)
    for row in rows:
        digits = _decimals(row["reported_percent"])
        possible = integers_for_percent(row["reported_percent"], row["n"], digits)
        if row["events"] not in possible:
            yield _does_not_give(row, possible, digits)
        elif len(possible) > 1 and row["derivation"] == "from_percent":
            ambiguous[row["trial_id"]].append((row, possible))
    for found in ambiguous.values():
        what = "; ".join(
            f"{row['arm_id']}, {row['reported_percent']:g}% of {row['n']:.0f}: "
            f"{listed(str(i) for i in possible)} give it, {row['events']:.0f} is in the sheet"
            for row, possible in found
        )
        columns = ("events", "n", "reported_percent")
        yield finding("low", PERCENT, "pcr", [row for row, _ in found], columns, what + ".")


def integers_for_percent(percent: float, n: float, decimals: int) -> list[int]:
    """Return the whole numbers of events that print as `percent` of `n` patients.

    Parameters
    ----------
    percent : float
        As printed, from 0 to 100.
    n : float
        Patients.
    decimals : int
        Decimals of the printed percentage.
    """
    span = printed_span(percent, decimals)
    lowest, highest = math.ceil(span.low * n / 100), math.floor(span.high * n / 100)
    return list(range(max(lowest, 0), min(highest, int(n)) + 1))


def _decimals(percent: float) -> int:
    """Return the decimals of a percentage; the zero of 41.0 is lost, which only asks less of it."""
    return len(f"{percent:.10g}".partition(".")[2])


def _does_not_give(row: Record, possible: Sequence[int], decimals: int) -> Finding:
    percent, n, events = row["reported_percent"], row["n"], row["events"]
    printed = f"{percent:.{decimals}f}%"
    own = 100 * events / n
    what = f"{_result(row)}: {printed} is printed, but "
    what += f"{count_words(row)} is {own:.{decimals + 2}f}%. "
    cut = math.floor(own * 10**decimals + 1e-9) / 10**decimals
    severity: Severity = "medium"
    if possible:
        what += f"{listed(map(str, possible))} of {n:.0f} would give it"
    else:
        lower = math.floor(percent * n / 100)
        near = ", ".join(f"{i} gives {100 * i / n:.{decimals + 1}f}%" for i in (lower, lower + 1))
        what += f"No number of {n:.0f} patients gives it ({near})"
        others = [
            f"{integers_for_percent(percent, size, decimals)[0]} of {size}"
            for size in range(max(int(n) - 3, 1), int(n) + 4)
            if size != n and integers_for_percent(percent, size, decimals)
        ]
        if others:
            what += f"; {listed(others)} would"
    if math.isclose(cut, percent, abs_tol=1e-9):
        severity = "low"
        what += ". It fits if the last digit was cut off instead of rounded"
    return finding(severity, PERCENT, "pcr", [row], ("events", "n", "reported_percent"), what + ".")


def _result(row: Record) -> str:
    words = f"{row['arm_id']}, {row['definition']}"
    return words if row["subgroup"] == WHOLE else f"{words}, {row['subgroup']}"


def stricter_definitions(sheet: Sheet) -> Iterator[Finding]:
    """An arm with more responses by a stricter definition than by a wider one."""
    groups = defaultdict(list)
    for row in current_rows(sheet, "pcr"):
        groups[row["arm_id"], row["population"], row["subgroup"], row["n"]].append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: STRICTNESS.index(row["definition"]))
        for n, wide in enumerate(rows):
            for strict in rows[n + 1 :]:
                if strict["definition"] == wide["definition"]:
                    continue
                if strict["events"] > wide["events"]:
                    what = (
                        f"{wide['arm_id']}, {wide['subgroup']}: {count_words(strict)} by "
                        f"{strict['definition']} (row {strict['row']}), but {count_words(wide)} by "
                        f"{wide['definition']} (row {wide['row']}), which is the wider definition."
                    )
                    columns = ("events", "n")
                    yield finding("high", DEFINITIONS, "pcr", [wide, strict], columns, what)


def itt_without_all(sheet: Sheet) -> Iterator[Finding]:
    """Intention-to-treat results of fewer patients than were randomised to the arm."""
    sizes = {row["arm_id"]: row["n_randomised"] for row in records(sheet["arms"])}
    for row in current_rows(sheet, "pcr"):
        size = sizes.get(row["arm_id"], math.nan)
        if row["population"] == "ITT" and row["subgroup"] == WHOLE and row["n"] < size:
            what = (
                f"{row['arm_id']}, {row['definition']}: the analysis is called intention-to-treat "
                f"and has {row['n']:.0f} patients, {size:.0f} were randomised."
            )
            yield finding("medium", ALL_RANDOMISED, "pcr", [row], ("n", "population"), what)
