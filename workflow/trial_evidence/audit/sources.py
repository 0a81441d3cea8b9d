"""Checks of sources: conflicts, dates, and rows that nobody has seen at first hand."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from trial_evidence.audit.findings import Finding, Record, Severity, finding
from trial_evidence.audit.rows import (
    WHOLE,
    count_words,
    current_rows,
    known,
    listed,
    pair_words,
    ratio_words,
    row_numbers,
)
from trial_evidence.files import records
from trial_evidence.sheet import Sheet

CONFLICT = "two sources disagree"
TOO_EARLY = "source too early"
UNVERIFIED = "not verified"
SECOND_HAND = "first-hand source not read"
NO_LOCATOR = "no place in the source"

TABLES = ("pcr", "hazard_ratios")
UNSAID = ("not reported", "not applicable")
# Kinds of source in which a trial reports itself.
FIRST_HAND = ("article", "abstract", "registry", "label")
Rows = Collection[tuple[str, int]]


def conflicts(sheet: Sheet) -> Iterator[Finding]:
    """The same current result in two sources with different numbers.

    The same: arm, definition, population and subgroup; or pair of arms, endpoint, analysis and
    subgroup, with follow-up and assessor equal or unsaid in one of the two. Low where a hazard
    ratio was read off a curve, medium where the sources are of different years and may tell of two
    points in time, high otherwise.
    """
    years = {row["source_id"]: row["year"] for row in records(sheet["sources"])}
    for table, same, values in (
        ("pcr", ("arm_id", "definition", "population", "subgroup"), ("events", "n")),
        (
            "hazard_ratios",
            ("experimental_arm_id", "control_arm_id", "endpoint", "analysis", "subgroup"),
            ("hr", "ci_low", "ci_high"),
        ),
    ):
        groups = defaultdict(list)
        for row in current_rows(sheet, table):
            groups[tuple(row[column] for column in same)].append(row)
        for rows in groups.values():
            for n, row in enumerate(rows):
                for earlier in rows[:n]:
                    if row["source_id"] == earlier["source_id"]:
                        continue
                    if _one_result(row, earlier) and _differ(row, earlier, values):
                        yield _conflict(table, earlier, row, values, years)


def _one_result(one: Record, other: Record) -> bool:
    followups = [row.get("median_followup_months", math.nan) for row in (one, other)]
    if all(map(known, followups)) and followups[0] != followups[1]:
        return False
    assessors = (one["assessor"], other["assessor"])
    return assessors[0] == assessors[1] or any(word in UNSAID for word in assessors)


def _differ(one: Record, other: Record, columns: tuple[str, ...]) -> bool:
    return any(
        known(one[column]) and known(other[column]) and one[column] != other[column]
        for column in columns
    )


def _conflict(
    table: str,
    one: Record,
    other: Record,
    columns: tuple[str, ...],
    years: Mapping[str, float],
) -> Finding:
    if table == "pcr":
        what, said = f"{one['arm_id']}, {one['definition']}, {one['population']}", count_words
    else:
        what, said = (
            f"{pair_words(one)}, {one['endpoint']}, {one['analysis']} analysis",
            ratio_words,
        )
    what += "" if one["subgroup"] == WHOLE else f", {one['subgroup']}"
    numbers = " and ".join(
        f"{said(row)} in {row['source_id']} (row {row['row']}, {row['verification']})"
        for row in (one, other)
    )
    curve = any(row["derivation"] == "digitised_curve" for row in (one, other))
    timed = known(one.get("median_followup_months", math.nan)) and known(
        other.get("median_followup_months", math.nan)
    )
    later = table == "hazard_ratios" and not timed
    later &= years.get(one["source_id"]) != years.get(other["source_id"])
    severity: Severity = "low" if curve else "medium" if later else "high"
    return finding(severity, CONFLICT, table, [one, other], columns, f"{what}: {numbers}.")


def too_early(sheet: Sheet) -> Iterator[Finding]:
    """Results from a source of a year in which they could not be known yet.

    Counts: a source older than the year in which enrolment ended. Hazard ratios: the source has to
    be as late as the middle of enrolment plus the median follow-up, because half of the patients
    were followed for longer than that; the end of enrolment stands in where the start is not
    known. One calendar year is allowed, for years are all that is known of dates.
    """
    trials = {row["trial_id"]: row for row in records(sheet["trials"])}
    years = {row["source_id"]: row["year"] for row in records(sheet["sources"])}
    for table in TABLES:
        groups = defaultdict(list)
        for row in current_rows(sheet, table):
            trial, year = trials[row["trial_id"]], years.get(row["source_id"], math.nan)
            earliest = _earliest(trial, row, table)
            if year < earliest:
                followup = row.get("median_followup_months", math.nan)
                groups[row["trial_id"], row["source_id"], _months(followup)].append(row)
        for (trial_id, source, followup), rows in groups.items():
            trial = trials[trial_id]
            start, end = trial["enrolment_start_year"], trial["enrolment_end_year"]
            enrolment = f"{start:.0f} to {end:.0f}" if known(start) else f"until {end:.0f}"
            what = f"{source} is of {years[source]:.0f}, but patients were enrolled {enrolment}"
            if followup:
                what += f" and the median follow-up is said to be {followup} months"
            columns = ("source_id", *(("median_followup_months",) if followup else ()))
            about = f"{start} {end} {years[source]}"
            text = f"{what} ({row_numbers(rows)})."
            yield finding("medium", TOO_EARLY, table, rows, columns, text, about=about)


def _months(months: float) -> str:
    """Return months as text, empty where they are not known."""
    return f"{months:g}" if known(months) else ""


def _earliest(trial: Record, row: Record, table: str) -> float:
    """Return the first year in which a result could be known; NaN where nothing says it."""
    start, end = trial["enrolment_start_year"], trial["enrolment_end_year"]
    if table == "pcr" or not known(row["median_followup_months"]):
        return float(end)
    middle = (start + end) / 2 if known(start) else end
    return (
        float(math.floor(middle + row["median_followup_months"] / 12) - 1)
        if known(middle)
        else (math.nan)
    )


def unverified(sheet: Sheet) -> Iterator[Finding]:
    """Rows that nobody has seen in any source: one finding a trial and table."""
    for table, rows in _by_trial(sheet, lambda row: row["verification"] == "unverified"):
        what = f"{_results(table, rows)} not seen yet in any source ({row_numbers(rows)})."
        yield finding("low", UNVERIFIED, table, rows, ("verification",), what)


def second_hand(sheet: Sheet, pooled: Rows) -> Iterator[Finding]:
    """Rows seen at second hand only although sources.csv names a first-hand source.

    First-hand is an article, abstract, registry record or label with a named author or organisation
    that the row itself names, or that names the trial in its title or id. One finding a trial and
    table; medium where one of the rows is pooled.
    """
    names = {row["trial_id"]: _names(row) for row in records(sheet["trials"])}
    sources = [
        row for row in records(sheet["sources"])
        if row["first_author"] and row["type"] in FIRST_HAND
    ]  # fmt: skip
    own = {
        trial: [source["source_id"] for source in sources if _is_about(source, words)]
        for trial, words in names.items()
    }
    for table, rows in _by_trial(sheet, lambda row: row["verification"] == "secondary"):
        available = own[rows[0]["trial_id"]]
        if not available:
            continue
        in_use = [row for row in rows if (table, int(row["row"])) in pooled]
        what = f"{_results(table, rows)} seen at second hand only ({row_numbers(rows)}"
        what += f"; pooled: {row_numbers(in_use)})" if in_use else ")"
        what += ", but sources.csv names first-hand sources."
        severity: Severity = "medium" if in_use else "low"
        found = finding(severity, SECOND_HAND, table, rows, ("verification",), what)
        yield replace(found, look_at="; ".join(available))


def without_locator(sheet: Sheet) -> Iterator[Finding]:
    """Verified rows that do not say where in the source they stand: one finding a trial, table."""
    for table, rows in _by_trial(
        sheet, lambda row: not row["locator"] and row["verification"] != "unverified"
    ):
        what = f"{_results(table, rows)} without a place in the source ({row_numbers(rows)})."
        yield finding("low", NO_LOCATOR, table, rows, ("locator",), what)


def _by_trial(sheet: Sheet, wanted: Callable[[Record], bool]) -> Iterator[tuple[str, list[Record]]]:
    for table in TABLES:
        groups = defaultdict(list)
        for row in current_rows(sheet, table):
            if wanted(row):
                groups[row["trial_id"]].append(row)
        for rows in groups.values():
            yield table, rows


def _names(trial: Record) -> tuple[str, ...]:
    """Return the words by which a source can be about a trial, in small letters."""
    label = trial["name"].partition(" (")[0]
    return tuple(word.lower() for word in (label, trial["trial_id"], trial["nct"]) if word)


def _is_about(source: Record, names: Sequence[str]) -> bool:
    title = f"{source['title_short']} {source['source_id']}".lower()
    return any(re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9-])", title) for name in names)


def _results(table: str, rows: Sequence[Record]) -> str:
    """Return how many results of which kind: ``3 hazard ratios (OS and PFS)``."""
    if table == "pcr":
        kind, what = "pCR count", listed(row["definition"] for row in rows)
    else:
        kind, what = "hazard ratio", listed(row["endpoint"] for row in rows)
    return f"{len(rows)} {kind}{'s' if len(rows) > 1 else ''} ({what})"
