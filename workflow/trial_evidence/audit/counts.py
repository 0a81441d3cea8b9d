"""Checks of counts: subgroups against the whole, percentages, stricter and wider definitions."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import permutations

from trial_evidence.audit import words
from trial_evidence.audit.findings import Finding, Severity, finding
from trial_evidence.audit.rows import ARMS, COUNT, FOLLOWUP, PAIR, current_rows, grouped, known
from trial_evidence.files import Record, records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.arithmetic import printed_span
from trial_evidence.sheet.values import ALL, printed_decimals

LEVELS_V_WHOLE = "levels against the whole"
LEVEL_SIZES = "levels of two sizes"
LEVELS_INCOMPLETE = "levels missing"
PERCENT = "percent against counts"
DEFINITIONS = "stricter definition, more responses"
PARTS = "part above the whole"
ALL_RANDOMISED = "ITT without all patients"

# Words in notes that explain why levels do not add up.
_SAID = ("neither", "unknown", "missing", "not known", "not assessed")


def levels_against_whole(sheet: Sheet) -> Iterator[Finding]:
    """Levels of a factor that do not add up to the whole arm, in patients or in events.

    Rows are compared by arm, definition and population, or by pair of arms, endpoint, analysis and
    follow-up; only subgroups by one factor and with two or more levels. Patients in no level are a
    low finding unless a note explains them; more patients or events than in the whole arm, or more
    events than patients in no level, are impossible and a high finding.
    """
    for kind, same, counts in (
        ("counts", ("arm_id", "outcome", "definition", "population"), (COUNT,)),
        ("contrasts", (*PAIR, "outcome", "analysis", FOLLOWUP), ARMS),
    ):
        wholes, parts = _wholes_and_parts(sheet, kind, *same)
        for (*key, factor), levels in parts.items():
            names = [row["subgroup"] for row in levels]
            whole = wholes.get(tuple(key), [])
            if len(set(names)) < 2 or len(set(names)) < len(names) or not whole:
                continue
            for events, n in counts:
                # Several rows may describe the whole arm: one that fits is enough.
                found = [_sum_against(levels, one, factor, events, n) for one in whole]
                if None not in found:
                    yield from filter(None, found[:1])


Groups = dict[tuple[str, ...], list[Record]]


def _wholes_and_parts(sheet: Sheet, kind: str, *same: str) -> tuple[Groups, Groups]:
    """Current results for all patients, and for levels of one factor (the last part of the key)."""
    rows = [
        {**row, "factor": row["subgroup"].partition("=")[0]} for row in current_rows(sheet, kind)
    ]
    single = (row for row in rows if "=" in row["subgroup"] and "&" not in row["subgroup"])
    return (
        grouped((row for row in rows if row["subgroup"] == ALL), *same),
        grouped(single, *same, "factor"),
    )


def _sum_against(
    levels: Sequence[Record], whole: Record, factor: str, events: str, n: str
) -> Finding | None:
    rest_n = whole[n] - sum(row[n] for row in levels)
    rest_events = whole[events] - sum(row[events] for row in levels)
    impossible = rest_n < 0 or rest_events < 0 or rest_events > rest_n
    said = any(word in row["note"] for row in levels for word in _SAID)
    # Either nothing is left over, or the numbers are unknown, or a note explains the rest.
    fits = (rest_n == 0 and not rest_events > 0) or not known(rest_n) or said
    if fits and not impossible:
        return None
    where = whole["arm_id"] if whole["kind"] == "counts" else words.pair(whole)
    side = {"events_experimental": ", experimental arm", "events_control": ", control arm"}
    end = ". This is impossible if both describe the same patients"
    if not impossible:
        end = f": {words.patients(rest_n)} in none of the levels, and no note says why"
    what = (
        f"{where}{side.get(events, '')}: the levels of {factor} ({words.row_numbers(levels)}) add "
        f"up to {_counts(levels, events, n)}, but the whole arm (row {whole['row']}) has "
        f"{_counts([whole], events, n)}{end}."
    )
    severity: Severity = "high" if impossible else "low"
    return finding(severity, LEVELS_V_WHOLE, [*levels, whole], (events, n), what, about=factor)


def _counts(rows: Sequence[Record], events: str, n: str) -> str:
    totals = [sum(row[column] for row in rows) for column in (events, n)]
    said = [f"{total:.0f}" if known(total) else "?" for total in totals]
    return f"{said[0]} events in {said[1]} patients" if known(totals[0]) else f"{said[1]} patients"


def level_sizes(sheet: Sheet) -> Iterator[Finding]:
    """A level of an arm whose number of patients depends on the definition: levels exchanged?"""
    rows = [row for row in current_rows(sheet, "counts") if row["subgroup"] != ALL]
    same = ("arm_id", "outcome", "population", "subgroup", "source_id")
    for alike in grouped(rows, *same).values():
        definitions = {row["definition"] for row in alike}
        if len(definitions) > 1 and len({row["n"] for row in alike}) > 1:
            given = "; ".join(
                f"{row['definition']} {row['n']:.0f} (row {row['row']})" for row in alike
            )
            what = (
                f"{alike[0]['arm_id']}{words.subgroup(alike[0])}, patients by definition: {given}."
            )
            yield finding("medium", LEVEL_SIZES, alike, ("n",), what)


def missing_levels(sheet: Sheet) -> Iterator[Finding]:
    """Factors with only one reported level: one finding per trial, table and factor.

    Excluded are trials that enrolled this level only (populations), arms that consist of the level,
    and subgroups by two factors.
    """
    restricted = {(row["trial_id"], row["subgroup"]) for row in records(sheet["populations"])}
    for kind, same in (
        ("counts", ("trial_id", "arm_id", "outcome", "definition", "population")),
        ("contrasts", ("trial_id", *PAIR, "outcome")),
    ):
        wholes, parts = _wholes_and_parts(sheet, kind, *same)
        sizes = {(row["arm_id"], row["n"]) for rows in wholes.values() for row in rows
                 if kind == "counts"}  # fmt: skip
        lonely: list[Record] = []
        for rows in parts.values():
            first = rows[0]
            whole_arm = kind == "counts" and (first["arm_id"], first["n"]) in sizes
            alone = all(row["subgroup"] == first["subgroup"] for row in rows)
            if alone and not whole_arm and (first["trial_id"], first["subgroup"]) not in restricted:
                lonely += rows
        for rows in grouped(lonely, "trial_id", "subgroup").values():
            factor, _, level_name = rows[0]["subgroup"].partition("=")
            column = "arm_id" if kind == "counts" else "outcome"
            reported = f"{words.listed(row[column] for row in rows)}; {words.row_numbers(rows)}"
            what = f"of the levels of {factor}, only {level_name} is in the sheet ({reported}): "
            what += "the other level is not reported, or was left out."
            yield finding("low", LEVELS_INCOMPLETE, rows, ("subgroup",), what)


def percent_against_counts(sheet: Sheet) -> Iterator[Finding]:
    """Printed percentages that do not match the counts, and counts that would match them.

    The question is that of the GRIM test (Brown and Heathers 2017): a printed percentage of n
    patients corresponds to few whole numbers of events, or to none. A percentage that only matches
    if its last digit was truncated instead of rounded is a low finding. If the count was computed
    from the percentage and other whole numbers match as well, they are listed in one low finding
    per trial.
    """
    ambiguous = defaultdict(list)
    for row in current_rows(sheet, "counts"):
        if not known(row.get("reported_percent", math.nan)) or row["events"] > row["n"]:
            continue
        digits = printed_decimals(row["reported_percent_printed"])
        possible = integers_for_percent(row["reported_percent"], row["n"], digits)
        if row["events"] not in possible:
            yield _does_not_give(row, possible, digits)
        elif len(possible) > 1 and row["derivation"] == "from_percent":
            ambiguous[row["trial_id"]].append((row, possible))
    for found in ambiguous.values():
        what = "; ".join(
            f"{row['arm_id']}, {row['reported_percent']:g}% of {row['n']:.0f}: "
            f"{words.listed(str(i) for i in possible)} would give it; {row['events']:.0f} is in "
            "the sheet"
            for row, possible in found
        )
        rows = [row for row, _ in found]
        yield finding("low", PERCENT, rows, (*COUNT, "reported_percent"), what + ".")


def integers_for_percent(percent: float, n: float, decimals: int) -> list[int]:
    """Return the whole numbers of events that print as `percent` of `n` patients."""
    span = printed_span(percent, decimals)
    lowest, highest = math.ceil(span.low * n / 100), math.floor(span.high * n / 100)
    return list(range(max(lowest, 0), min(highest, int(n)) + 1))


def _does_not_give(row: Record, possible: Sequence[int], decimals: int) -> Finding:
    percent, n = row["reported_percent"], row["n"]
    own = 100 * row["events"] / n
    if possible:
        would = f"{words.listed(map(str, possible))} of {n:.0f} would give it"
    else:
        lower = math.floor(percent * n / 100)
        near = ", ".join(f"{i} gives {100 * i / n:.{decimals + 1}f}%" for i in (lower, lower + 1))
        would = f"No number of {n:.0f} patients gives it ({near})"
        sizes = (size for size in range(max(int(n) - 3, 1), int(n) + 4) if size != n)
        found = [(integers_for_percent(percent, size, decimals), size) for size in sizes]
        others = [f"{integers[0]} of {size}" for integers, size in found if integers]
        would += f"; {words.listed(others)} would" if others else ""
    cut = math.isclose(math.floor(own * 10**decimals + 1e-9) / 10**decimals, percent, abs_tol=1e-9)
    would += ". It fits if the last digit was truncated instead of rounded" if cut else ""
    what = (
        f"{row['arm_id']}, {row['definition']}{words.subgroup(row)}: {percent:.{decimals}f}% is "
        f"printed, but {words.count(row)} is {own:.{decimals + 2}f}%. {would}."
    )
    return finding("low" if cut else "medium", PERCENT, [row], (*COUNT, "reported_percent"), what)


def part_above_whole(sheet: Sheet, nested: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """More patients with an event than with one that includes it, in the same arm.

    High if one source gives both of the same number of patients, otherwise medium: a later report
    counts more events.

    Parameters
    ----------
    nested : mapping
        Outcome -> those that count all its patients as well.
    """
    for rows in grouped(current_rows(sheet, "counts"), "arm_id", "population", "subgroup").values():
        for part, whole in permutations(rows, 2):
            includes = whole["outcome"] in nested.get(part["outcome"], ())
            if includes and part["events"] > whole["events"]:
                what = (
                    f"{part['arm_id']}{words.subgroup(part)}: {words.count(part)} had "
                    f"{_of(part)}, but only {words.count(whole)} {_of(whole)}, which includes it."
                )
                same = all(part[column] == whole[column] for column in ("source_id", "n"))
                yield finding("high" if same else "medium", PARTS, [part, whole], COUNT, what)


def _of(row: Record) -> str:
    return f"{row['outcome'].replace('_', ' ')} (row {row['row']})"


def stricter_definitions(sheet: Sheet) -> Iterator[Finding]:
    """Arms with more responses by a stricter definition than by a wider one."""
    same = ("arm_id", "outcome", "population", "subgroup", "n")
    for rows in grouped(current_rows(sheet, "counts"), *same).values():
        for wide, strict in permutations(rows, 2):
            within = implies(strict["definition"], wide["definition"])
            if within and strict["events"] > wide["events"]:
                more, fewer = (
                    f"{words.count(row)} by {row['definition']} (row {row['row']})"
                    for row in (strict, wide)
                )
                about = f"{wide['arm_id']}, {wide['subgroup']}"
                what = f"{about}: {more}, but {fewer}, which is the wider definition."
                yield finding("high", DEFINITIONS, [wide, strict], COUNT, what)


def implies(strict: str, wide: str) -> bool:
    """Whether a response by one definition is always one by another, judging by how they are
    written.

    A definition consists of conditions separated by blanks, a condition of alternatives separated
    by slashes: for each condition of the wider definition the stricter one must have one that
    allows no more.
    """
    stricter, wider = ([set(one.split("/")) for one in name.split()] for name in (strict, wide))
    return strict != wide and all(any(one <= condition for one in stricter) for condition in wider)


def itt_without_all(sheet: Sheet) -> Iterator[Finding]:
    """Intention-to-treat results with fewer patients than were randomised to the arm."""
    sizes = {row["arm_id"]: row["n_randomised"] for row in records(sheet["arms"])}
    for row in current_rows(sheet, "counts"):
        size = sizes.get(row["arm_id"], math.nan)
        if row["population"] == "ITT" and row["subgroup"] == ALL and row["n"] < size:
            what = (
                f"{row['arm_id']}, {row['definition']}: the analysis is called intention-to-treat "
                f"but has {row['n']:.0f} patients; {size:.0f} were randomised."
            )
            yield finding("medium", ALL_RANDOMISED, [row], ("n", "population"), what)
