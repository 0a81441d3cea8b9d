"""Sheets with one fault each, as small changes of the valid sheet.

A fault has a name, under which `messages.txt` holds what a reader is told about it, and a function
that takes the files of the valid sheet and gives those of the faulty one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

Files = dict[str, bytes]


@dataclass(frozen=True)
class Fault:
    """A fault, and the edit that puts it into a valid sheet."""

    name: str
    apply: Callable[[Files], Files]


def rows_of(content: bytes) -> list[list[str]]:
    """Return the cells of a file."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def as_csv(rows: list[list[str]]) -> bytes:
    """Return rows of cells as a file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _with_rows(table: str, change: Callable[[list[list[str]]], None]) -> Callable[[Files], Files]:
    def apply(files: Files) -> Files:
        rows = rows_of(files[table])
        change(rows)
        return {**files, table: as_csv(rows)}

    return apply


def _with_bytes(table: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    return lambda files: {**files, table: change(files[table])}


def _cell(name: str, table: str, row: int, column: str, new: str) -> Fault:
    """Return a fault in one cell; `row` is the spreadsheet's number."""

    def change(rows: list[list[str]]) -> None:
        rows[row - 1][rows[0].index(column)] = new

    return Fault(name, _with_rows(table, change))


def _cells(name: str, table: str, row: int, **new: str) -> Fault:
    def change(rows: list[list[str]]) -> None:
        for column, text in new.items():
            rows[row - 1][rows[0].index(column)] = text

    return Fault(name, _with_rows(table, change))


def _together(name: str, *faults: Fault) -> Fault:
    """Several edits that make one fault."""
    return Fault(name, lambda files: reduce(lambda edited, one: one.apply(edited), faults, files))


def _judged(name: str, *, twice: bool = False, **new: str) -> Fault:
    """Return a sheet with a judgement of certainty that is valid except for these cells."""
    judgement = {
        "setting": "neoadjuvant",
        "analysis": "event_free_dual_v_single",
        "domain": "indirectness",
        "judgement": "not_serious",
        "reason": "Patients and regimens are those of the question.",
        "initials": "AB",
        "date": "2026-03-01",
    }

    def change(rows: list[list[str]]) -> None:
        row = [{**judgement, **new}[column] for column in rows[0]]
        rows.extend([row, row] if twice else [row])

    return Fault(name, _with_rows("certainty", change))


def _header(name: str, table: str, column: str, new: str) -> Fault:
    def change(rows: list[list[str]]) -> None:
        rows[0][rows[0].index(column)] = new

    return Fault(name, _with_rows(table, change))


def _drop_last_column(rows: list[list[str]]) -> None:
    for row in rows:
        row.pop()


def _semicolons(content: bytes) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows_of(content))
    return text.getvalue().encode()


def _without(table: str) -> Callable[[Files], Files]:
    return lambda files: {name: content for name, content in files.items() if name != table}


def _second_row(change: Callable[[list[str]], list[str]]) -> Callable[[list[list[str]]], None]:
    def apply(rows: list[list[str]]) -> None:
        rows[1] = change(rows[1])

    return apply


def _one_pubmed_number(rows: list[list[str]]) -> None:
    for row in rows[1:3]:
        row[rows[0].index("pmid")] = "12345678"


def _begun(rows: list[list[str]]) -> None:
    rows.append([*rows[1][:2], *[""] * (len(rows[0]) - 2)])


def _arm_of_two_trials(rows: list[list[str]]) -> None:
    arm, other = rows[0].index("arm_id"), next(row for row in rows[1:] if row[0] != rows[1][0])
    other[arm] = rows[1][arm]


FILE_FAULTS = (
    Fault("the file is missing", _without("search_log")),
    Fault("the file is empty", _with_bytes("pcr", lambda _: b"")),
    Fault("only a byte order mark is left", _with_bytes("pcr", lambda _: b"\xef\xbb\xbf\n")),
    Fault(
        "no row below the header",
        _with_bytes("hazard_ratios", lambda content: content.split(b"\n")[0] + b"\n"),
    ),
    Fault("cells separated by semicolons", _with_bytes("pcr", _semicolons)),
    Fault("cells separated by tabs", _with_bytes("agents", lambda c: c.replace(b",", b"\t"))),
    Fault("first line names the separator", _with_bytes("pcr", lambda c: b"sep=,\n" + c)),
    Fault("a title above the header", _with_bytes("pcr", lambda c: b"pCR results 2025\n" + c)),
    Fault(
        "Windows characters",
        _with_bytes("sources", lambda c: c.replace(b"Doe,2020", "Müller,2020".encode("cp1252"), 1)),
    ),
    Fault(
        "UTF-16",
        _with_bytes("trials", lambda content: content.decode().encode("utf-16")),
    ),
    Fault("a workbook renamed", _with_bytes("trials", lambda _: b"PK\x03\x04\x14\x00\x06\x00")),
    Fault("a NUL byte", _with_bytes("arms", lambda c: c.replace(b"T+docetaxel", b"T\0", 1))),
    Fault(
        "a quotation mark never closed",
        _with_bytes("exclusions", lambda c: c.replace(b"Interim", b'"Interim', 1)),
    ),
    _cell("a cell that is far too long", "exclusions", 2, "reason", "x" * 100_001),
    Fault(
        "a quotation mark inside a cell",
        _with_bytes("exclusions", lambda c: c.replace(b"Interim report", b'"Interim" report', 1)),
    ),
)

SHAPE_FAULTS = (
    _header("column name with a space", "pcr", "events", "events "),
    _header("a column name with a slip", "pcr", "reported_percent", "reported_precent"),
    _header("a column name twice", "hazard_ratios", "ci_high", "ci_low"),
    _header("a column without a name", "search_log", "note", ""),
    Fault("a column missing", _with_rows("risk_of_bias", _drop_last_column)),
    Fault("a comma too many", _with_rows("pcr", _second_row(lambda r: [*r[:6], "", *r[6:]]))),
    Fault("two versions merged", _with_rows("pcr", lambda rows: rows.insert(2, ["<<<<<<< HEAD"]))),
    Fault("a comma too few", _with_rows("pcr", _second_row(lambda r: [*r[:6], *r[7:]]))),
    Fault(
        "typographic quotation marks",
        _with_rows("pcr", _second_row(lambda r: [*r[:-1], "“first", " second”"])),
    ),
    Fault("the header again", _with_rows("pcr", lambda rows: rows.insert(3, rows[0]))),
    Fault("many empty rows", _with_bytes("pcr", lambda c: c.replace(b"\n", b"\n" * 5, 2))),
    Fault("a row hardly begun", _with_rows("pcr", _begun)),
    Fault("no arm below the header", _with_bytes("arms", lambda c: c.split(b"\n")[0] + b"\n")),
    Fault("an empty row in the middle", _with_rows("pcr", lambda rows: rows.insert(2, [""]))),
)

CELL_FAULTS = (
    _cell("decimal comma", "hazard_ratios", 14, "hr", "0,84"),
    _cell("raised decimal point", "hazard_ratios", 14, "hr", "0·84"),
    _cell("typographic minus", "hazard_ratios", 14, "median_followup_months", "−54"),
    _cell("negative count", "pcr", 2, "events", "-42"),
    _cell("a number that a spreadsheet shortened", "milestones", 2, "months", "3.6E+01"),
    _cell("a count that a spreadsheet shortened", "trials", 7, "n_randomised", "4.00E+03"),
    _cell("digits of another script", "milestones", 2, "percent", "\uff19\uff14.\uff11"),
    _cell("thousands separator", "trials", 7, "n_randomised", "4,000"),
    _cell("count with a decimal", "pcr", 2, "n", "105.0"),
    _cell("half a patient", "pcr", 2, "events", "41.5"),
    _cell("percent sign", "pcr", 2, "reported_percent", "40.0%"),
    _cell("percent sign in a count", "pcr", 2, "events", "40.0 %"),
    _cell("percent sign in a ratio", "hazard_ratios", 14, "hr", "84%"),
    _cell("a proportion for a count", "pcr", 2, "events", "0.400"),
    _cell("percent sign in another whole number", "search_log", 2, "queries", "4%"),
    _cell("percent above 100", "pcr", 2, "reported_percent", "400"),
    _cell("word for a number", "pcr", 2, "events", "forty-two"),
    _cell("mark for a missing number", "hazard_ratios", 2, "ci_low", "NA"),
    _cell("mark for a missing registry number", "trials", 2, "nct", "n/a"),
    _cell("mark for a missing text", "pcr", 2, "note", "NA"),
    _cell("required cell empty", "pcr", 2, "events", ""),
    _cell("blank at the end of a number", "pcr", 2, "events", "42 "),
    _cell("blank at the end of a text", "pcr", 2, "note", "first row "),
    _cell("no-break space", "trials", 2, "name", "TRIAL\u00a0A"),
    _cell("no-break space before a number", "pcr", 2, "events", "\u00a042"),
    _cell("zero-width space in an id", "pcr", 2, "source_id", "doe_2020_\u200btrial_a"),
    _cell("line break in a number", "pcr", 2, "events", "42\n"),
    _cell("lost character", "sources", 2, "first_author", "M\ufffdller"),
    _cell("garbled character", "sources", 2, "first_author", "MÃ¼ller"),
    _cell("date for a number", "pcr", 2, "events", "9. Dez"),
    _cell("date with time for a number", "pcr", 2, "events", "2012-09-12 00:00:00"),
    _cell("date for a p value", "hazard_ratios", 3, "p_value", "Sep-12"),
    _cell("date for an id", "pcr", 2, "arm_id", "2-Mar"),
    _cell("date for pages", "sources", 2, "pages", "12. Jul"),
    _cell("failed formula", "pcr", 2, "reported_percent", "#REF!"),
    _cell("column too narrow", "sources", 2, "doi", "########"),
    _cell("full stop after a DOI", "sources", 2, "doi", "10.1000/doe_2020_trial_a."),
    _cell("nought for a PubMed number", "sources", 2, "pmid", "0"),
    _cell("formula", "pcr", 2, "events", "=G3+G4"),
    _cell("word with a slip", "trials", 4, "setting", "neo-adjuvant"),
    _cell("word in capitals", "pcr", 2, "population", "itt"),
    _cell("word far from all", "arms", 2, "partner", "radiotherapy"),
    _cell("year out of range", "trials", 2, "enrolment_start_year", "201"),
    _cell("interval level as a fraction", "hazard_ratios", 14, "ci_level", "0.95"),
    _cell("p value of nought", "hazard_ratios", 3, "p_value", "0.000"),
    _cell("p value with letter and blanks", "hazard_ratios", 3, "p_value", "p < 0,05"),
    _cell("p value of at most a bound", "hazard_ratios", 3, "p_value", "≤0.05"),
    _cell("p value not significant", "hazard_ratios", 3, "p_value", "ns"),
    _cell("registry number too short", "trials", 2, "nct", "NCT0000001"),
    _cell("number too large", "pcr", 2, "n", "105" + "0" * 30),
    _cell("number too small", "hazard_ratios", 2, "ci_low", "1e-200"),
    _cell("number too small to be told from 0", "pcr", 2, "reported_percent", "1e-99999999999"),
    _cell("nought with too many decimals", "pcr", 2, "reported_percent", "0e-99999999999"),
    _cell("capital in an id", "trials", 2, "trial_id", "Trial_A"),
    _cell("agents out of order", "arms", 2, "agents", "trastuzumab+pertuzumab"),
    _cell("agent twice", "arms", 2, "agents", "trastuzumab+trastuzumab"),
    _cell("agent in capitals", "arms", 3, "agents", "Trastuzumab"),
    _cell("agents with a comma", "arms", 2, "agents", "trastuzumab, pertuzumab"),
    _cell("id in capitals with an accent", "sources", 2, "source_id", "Doé 2020 trial_a"),
    _cell("agents with blanks", "arms", 2, "agents", "pertuzumab + trastuzumab"),
    _cell("unknown agent", "arms", 2, "agents", "pertuzumab+trastuzumap"),
    _cell("subgroup with a colon", "pcr", 3, "subgroup", "hormone_receptor: positive"),
    _cell("subgroup factors out of order", "pcr", 3, "subgroup", "nodal=yes & age=old"),
    _cell("subgroup factor twice", "pcr", 3, "subgroup", "nodal=yes & nodal=no"),
    _cell("subgroup level with a slip", "pcr", 3, "subgroup", "hormone_receptor=postive"),
    _cell("subgroup level abbreviated", "pcr", 3, "subgroup", "hormone_receptor=pos"),
    _cell("subgroup for the whole population", "populations", 2, "subgroup", "all"),
    _cell("day that is no day", "search_log", 2, "date", "31.01.2025"),
    _cell("day of a year to come", "search_log", 2, "date", "2062-11-22"),
    _cell("day that the calendar does not have", "search_log", 2, "date", "2026-02-30"),
)

REFERENCE_FAULTS = (
    Fault("id used twice", _with_rows("sources", lambda rows: rows.append(rows[1][:]))),
    Fault(
        "judgement given twice", _with_rows("risk_of_bias", lambda rows: rows.append(rows[1][:]))
    ),
    _cell("unknown source", "pcr", 2, "source_id", "doe_2020_trail_a"),
    _cell("unknown trial", "second_reading", 2, "trial_id", "trial_x_y"),
    _cell("reading of no row", "second_reading", 2, "row_key", "the first one"),
    _cell("reading of another column", "second_reading", 2, "field", "event|n"),
    _cell(
        "values for more columns than were read", "second_reading", 2, "second_value", "42|105|40"
    ),
    _cell("readers who agree on two numbers", "second_reading", 2, "second_value", "43|105"),
    _cell("readers who differ on one number", "second_reading", 2, "verdict", "differ"),
    _cell("arm of another trial", "pcr", 2, "arm_id", "trial_b_dual"),
    _cell("arm compared with itself", "hazard_ratios", 2, "control_arm_id", "trial_a_dual"),
    _cell("factor of an exclusion with a slip", "exclusions", 2, "subgroup", "hormone_recepter"),
    _cell("conjugate without its antibody", "agents", 7, "parent_antibody", ""),
    _cell("conjugate in capitals", "agents", 7, "agent", "T-DM1"),
    Fault("one arm of two trials", _with_rows("arms", _arm_of_two_trials)),
    _cell("parent of an antibody", "agents", 3, "parent_antibody", "trastuzumab"),
    _cell("p value without sides", "hazard_ratios", 3, "p_sided", ""),
    _cell("interval without a level", "hazard_ratios", 2, "ci_level", ""),
    _cell("enrolment ends before it starts", "trials", 2, "enrolment_end_year", "2001"),
    _cell("one trial under two ids", "trials", 3, "nct", "NCT00000001"),
    _cell("two trials of one name", "trials", 3, "name", "Trial-A"),
    _cell("letters that figures do not have", "trials", 3, "name", "TRIAL-Б β ż 試験"),
    _cell(
        "a sign that figures do not have", "exclusions", 2, "reason", "Interim report \U0001f642."
    ),
    _cell("overall risk of bias better than a domain", "risk_of_bias", 2, "d3_missing", "high"),
    _cell("one source under two ids", "sources", 3, "doi", "10.1000/DOE_2020_trial_a"),
    Fault("one PubMed number under two ids", _with_rows("sources", _one_pubmed_number)),
    Fault(
        "the same result twice", _with_rows("hazard_ratios", lambda rows: rows.append(rows[1][:]))
    ),
    Fault("the same rate twice", _with_rows("milestones", lambda rows: rows.append(rows[1][:]))),
    Fault(
        "the same reading twice", _with_rows("second_reading", lambda rows: rows.append(rows[1][:]))
    ),
    Fault(
        "the same rate twice with other numbers",
        _with_rows("milestones", lambda rows: rows.append([*rows[1][:6], "94.2", *rows[1][7:]])),
    ),
)

ARITHMETIC_FAULTS = (
    _cells("more events than patients", "pcr", 2, events="106", reported_percent=""),
    _cells("more events than the one patient", "pcr", 2, events="3", n="1", reported_percent=""),
    _cell("limits exchanged", "hazard_ratios", 2, "ci_low", "2.22"),
    _cell("estimate outside its interval", "hazard_ratios", 2, "hr", "6.8"),
    _cell("rate outside its interval", "milestones", 2, "percent", "49.1"),
    _cell("limits of a rate exchanged", "milestones", 2, "ci_low", "96.0"),
    _cells("rate as a fraction", "milestones", 2, percent="0.941", ci_low="", ci_high=""),
    _cell("median outside its interval", "medians", 2, "ci_low", "19"),
    _cell("decimal point of a median misplaced", "medians", 2, "ci_low", "1.5"),
    _cell("decimal point of a rate misplaced", "milestones", 2, "ci_low", "9.3"),
    _cell("more patients of a rate than randomised", "milestones", 2, "n", "20000"),
    _cell("time of three centuries", "milestones", 2, "months", "3600"),
    _cell("hazard ratio of curves outside its interval", "curves_cox", 2, "hr", "7.9"),
    _cell("more events of a curve than patients", "curves_cox", 2, "events_control", "2740"),
    _cell("more patients of a curve than randomised", "curves_cox", 2, "n_experimental", "2500"),
    _cell("restricted mean beyond its limit", "curves_rmst", 3, "rmst", "668"),
    _cell("limit is the estimate", "hazard_ratios", 2, "ci_low", "0.68"),
    _cell("interval not symmetric", "hazard_ratios", 2, "ci_high", "1.42"),
    _cell("percent does not fit the counts", "pcr", 2, "reported_percent", "41.0"),
    _cell("p value does not fit", "hazard_ratios", 3, "p_value", "0.66"),
    _cell("p value fits as one-sided only", "hazard_ratios", 3, "p_value", "0.033"),
    _cell("p value fits as two-sided only", "hazard_ratios", 3, "p_sided", "one"),
    _cell("arms do not make the trial", "trials", 2, "n_randomised", "211"),
    _cells("more analysed than randomised", "hazard_ratios", 2, n_experimental="106"),
    _cells("digit of the patients missing", "hazard_ratios", 2, n_experimental="10"),
    _together(
        "trial of fewer patients than one of its arms",
        _cell("", "trials", 2, "n_randomised", "21"),
        _cell("", "arms", 3, "n_randomised", ""),
    ),
    _cells("levels do not make the arm", "pcr", 3, events="18", reported_percent="32.7"),
)

CERTAINTY_FAULTS = (
    _judged("judgement of an unknown domain", domain="indirectnes"),
    _judged("judgement with a blank", judgement="not serious"),
    _judged("judgement without a reason", reason=""),
    _judged("judgement without initials", initials=""),
    _judged("judgement with dots in the initials", initials="A.B."),
    _judged("judgement with a German date", date="1.3.2026"),
    _judged("judgement in no setting", setting="neo-adjuvant"),
    _judged("judgement about a title", analysis="Event-free survival"),
    _judged("the same domain judged twice", twice=True),
)

FAULTS = (
    FILE_FAULTS
    + SHAPE_FAULTS
    + CELL_FAULTS
    + REFERENCE_FAULTS
    + ARITHMETIC_FAULTS
    + CERTAINTY_FAULTS
)
