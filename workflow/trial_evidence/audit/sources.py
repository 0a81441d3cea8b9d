"""Checks of sources: conflicts, dates, and rows not verified at first hand."""

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, permutations

from trial_evidence.audit import words
from trial_evidence.audit.findings import Finding, Severity, finding
from trial_evidence.audit.rows import COUNT, FOLLOWUP, LIMITS, PAIR, current_rows, grouped, known
from trial_evidence.files import Record, records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import CURVE, UNSEEN

CONFLICT = "two sources disagree"
TOO_EARLY = "source too early"
NO_FOLLOW_UP = "later report without follow-up"
UNVERIFIED = "not verified"
SECOND_HAND = "first-hand source not read"
NO_LOCATOR = "no place in the source"

# Types of source in which a trial reports its own results.
FIRST_HAND = ("article", "abstract", "registry", "label")
KINDS = {"counts": "count", "contrasts": "hazard ratio", "rates": "rate", "times": "median"}
Rows = Collection[tuple[str, int]]


def conflicts(sheet: Sheet) -> Iterator[Finding]:
    """The same current result in two sources with different numbers.

    Results are the same if they share arm, definition, population and subgroup; or pair of arms,
    endpoint, analysis and subgroup, with follow-up and assessor equal or missing in one of the two.
    Low if a hazard ratio is from a digitised curve, medium if the sources are from different years
    and may report different time points, otherwise high.
    """
    for kind, same in (
        ("counts", ("arm_id", "outcome", "definition", "population", "subgroup")),
        ("contrasts", (*PAIR, "outcome", "analysis", "subgroup")),
    ):
        columns = COUNT if kind == "counts" else LIMITS
        for rows in grouped(current_rows(sheet, kind), *same).values():
            for one, other in combinations(rows, 2):
                pairs = [(one[column], other[column]) for column in columns]
                differ = any(known(a) and known(b) and a != b for a, b in pairs)
                if one["source_id"] != other["source_id"] and differ and _one_result(one, other):
                    yield _conflict(one, other, columns)


def _one_result(one: Record, other: Record) -> bool:
    followups = (one[FOLLOWUP], other[FOLLOWUP])
    if all(map(known, followups)) and followups[0] != followups[1]:
        return False
    assessors = {one.get("assessor", ""), other.get("assessor", "")}
    return len(assessors) == 1 or bool(assessors & set(words.UNSAID))


def _conflict(one: Record, other: Record, columns: tuple[str, ...]) -> Finding:
    counted = one["kind"] == "counts"
    if counted:
        what, said = f"{one['arm_id']}, {one['definition']}, {one['population']}", words.count
    else:
        what = f"{words.pair(one)}, {one['outcome']}, {one['analysis']} analysis"
        said = words.ratio
    numbers = " and ".join(
        f"{said(row)} in {row['source_id']} (row {row['row']}, {row['verification']})"
        for row in (one, other)
    )
    timed = known(one[FOLLOWUP]) and known(other[FOLLOWUP])
    same_year = one["source_year"] == other["source_year"]
    severity: Severity = "high" if counted or timed or same_year else "medium"
    severity = "low" if CURVE in (one["derivation"], other["derivation"]) else severity
    what = f"{what}{words.subgroup(one)}: {numbers}."
    return finding(severity, CONFLICT, [one, other], columns, what)


def too_early(sheet: Sheet) -> Iterator[Finding]:
    """Results from a source published before they could be known.

    Counts: a source older than the year in which enrolment ended. Hazard ratios: the source must be
    at least as late as the middle of enrolment plus the median follow-up, because half of the
    patients were followed for longer than that; the end of enrolment is used if the start is
    unknown. One calendar year is allowed, because only years are known.
    """
    trials = {row["trial_id"]: row for row in records(sheet["trials"])}
    early = [
        row
        for row in current_rows(sheet)
        if row["source_year"] < _earliest(trials[row["trial_id"]], row)
    ]
    for rows in grouped(early, "trial_id", "source_id", FOLLOWUP).values():
        source, year, followup = (rows[0][c] for c in ("source_id", "source_year", FOLLOWUP))
        trial = trials[rows[0]["trial_id"]]
        start, end = trial["enrolment_start_year"], trial["enrolment_end_year"]
        enrolment = f"from {start:.0f} to {end:.0f}" if known(start) else f"until {end:.0f}"
        what = f"{source} was published in {year:.0f}, but patients were enrolled {enrolment}"
        columns: tuple[str, ...] = ("source_id",)
        if known(followup):
            what += f" and the median follow-up is given as {followup:g} months"
            columns = ("source_id", FOLLOWUP)
        about = f"{start} {end} {year}"
        text = f"{what} ({words.row_numbers(rows)})."
        yield finding("medium", TOO_EARLY, rows, columns, text, about=about)


def _earliest(trial: Record, row: Record) -> float:
    """Return the first year in which a result could be known; NaN if unknown."""
    start, end = trial["enrolment_start_year"], trial["enrolment_end_year"]
    if not known(row[FOLLOWUP]):
        return float(end)
    middle = (start + end) / 2 if known(start) else end
    return math.floor(middle + row[FOLLOWUP] / 12) - 1 if known(middle) else math.nan


def later_without_follow_up(sheet: Sheet) -> Iterator[Finding]:
    """A later report that an earlier one precedes only because it does not state its follow-up."""
    seen = [row for row in current_rows(sheet, "contrasts") if row["verification"] != UNSEEN]
    for rows in grouped(seen, *PAIR, "outcome", "analysis", "assessor", "subgroup").values():
        for later, earlier in permutations(rows, 2):
            unstated = not known(later[FOLLOWUP]) and known(earlier[FOLLOWUP])
            if unstated and later["source_year"] > earlier["source_year"]:
                what = (
                    f"{words.pair(later)}, {later['outcome']}{words.subgroup(later)}: "
                    f"{words.ratio(later)} was published in {later['source_year']:.0f} (row "
                    f"{later['row']}), but its follow-up is not in the sheet, so "
                    f"{words.ratio(earlier)} of {earlier['source_year']:.0f}, at "
                    f"{earlier[FOLLOWUP]:g} months (row {earlier['row']}), comes before it."
                )
                yield finding("medium", NO_FOLLOW_UP, [later, earlier], (FOLLOWUP,), what)


def unverified(sheet: Sheet) -> Iterator[Finding]:
    """Rows not verified in any source: one finding per trial and table."""
    found = [row for row in current_rows(sheet) if row["verification"] == UNSEEN]
    yield from _by_trial(found, UNVERIFIED, "verification", "not yet verified in any source")


def second_hand(sheet: Sheet, pooled: Rows) -> Iterator[Finding]:
    """Rows verified at second hand only although sources.csv lists a first-hand source.

    First-hand is an article, abstract, registry record or label with a named author or organisation
    that the row itself cites, or that names the trial in its title or id. One finding per trial and
    table; medium if one of the rows is pooled.
    """
    trials = {row["trial_id"]: row for row in records(sheet["trials"])}
    sources = records(sheet["sources"])
    found = [row for row in current_rows(sheet) if row["verification"] == "secondary"]
    for rows in grouped(found, "trial_id").values():
        trial = trials[rows[0]["trial_id"]]
        available = [row["source_id"] for row in sources if is_first_hand(row, trial)]
        if not available:
            continue
        in_use = [row for row in rows if (row["table"], int(row["row"])) in pooled]
        what = f"{_results(rows)} verified in a secondary source only ({words.row_numbers(rows)}"
        what += f"; pooled: {words.row_numbers(in_use)})" if in_use else ")"
        what += ", but sources.csv names first-hand sources."
        severity: Severity = "medium" if in_use else "low"
        noted = finding(severity, SECOND_HAND, rows, ("verification",), what)
        yield replace(noted, look_at="; ".join(available))


def without_locator(sheet: Sheet) -> Iterator[Finding]:
    """Verified rows without a place in the source: one finding per trial and table."""
    seen = [row for row in current_rows(sheet) if row["verification"] != UNSEEN]
    found = [row for row in seen if not row["locator"]]
    yield from _by_trial(found, NO_LOCATOR, "locator", "without a place in the source")


def _by_trial(found: Sequence[Record], check: str, column: str, what: str) -> Iterator[Finding]:
    for rows in grouped(found, "trial_id").values():
        text = f"{_results(rows)} {what} ({words.row_numbers(rows)})."
        yield finding("low", check, rows, (column,), text)


def is_first_hand(source: Record, trial: Record) -> bool:
    """Whether a source with an author is of a type in which trials report, and names the trial."""
    if not source["first_author"] or source["type"] not in FIRST_HAND:
        return False
    return _is_about(f"{source['title_short']} {source['source_id']}".lower(), _names(trial))


def _names(trial: Record) -> tuple[str, ...]:
    """Return the names by which a source may refer to a trial, in lower case."""
    label = trial["name"].partition(" (")[0]
    return tuple(word.lower() for word in (label, trial["trial_id"], trial["nct"]) if word)


def _is_about(title: str, names: Sequence[str]) -> bool:
    # Every trial is compared with every source: the substring test is fast and rules out most
    # titles.
    return any(
        name in title and re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9-])", title)
        for name in names
    )


def _results(rows: Sequence[Record]) -> str:
    """Return the number and kind of results: ``3 hazard ratios (one and another endpoint)``."""
    kind = KINDS[rows[0]["kind"]]
    own = rows[0]["kind"] == "counts" and rows[0]["outcome"] == rows[0]["table"]
    named = (row["definition"] if own else row["outcome"].replace("_", " ") for row in rows)
    return f"{len(rows)} {kind}{'s' if len(rows) > 1 else ''} ({words.listed(named)})"
