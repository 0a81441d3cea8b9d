"""The worklist as a workbook, and the answers that a reader enters in it as edits of the sheet."""

import csv
import datetime
import math
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook

from trial_evidence.audit.sources import FIRST_HAND, is_first_hand
from trial_evidence.exchange.taken import Taken, rebuilt
from trial_evidence.exchange.worklist import (
    FIELDS,
    WORDS,
    fields_of,
    key_of,
    printed,
    result_of,
    value_of,
)
from trial_evidence.files import Record, records, where, write_whole
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import JOINT, same_value
from trial_evidence.sheet.dictionary import Column, Dictionary
from trial_evidence.sheet.values import (
    MISSING_MARKS,
    NO_BREAK_SPACES,
    NO_NUMBER,
    PRIMARY,
    SECONDARY,
    read_cell,
)
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import (
    Problem,
    SheetError,
    about,
    counted,
    errors_of,
    quoted,
    refuse,
)
from trial_evidence.workbook.cells import cell_of_book
from trial_evidence.workbook.layout import PRIVATE, WORKLIST, as_csv
from trial_evidence.workbook.package import TO_FILL, put_table, refuse_book, workbook_bytes
from trial_evidence.workbook.read import hidden_among, open_book, sheet_names

ASKED = {
    "table": "Table", "row": "Row", "trial": "Trial", "result": "Result", "value": "In the sheet",
    "link": "Link", "place": "Where it should be", "why": "Why it matters",
}  # fmt: skip
ANSWERS = {
    "seen": "Value seen", "at": "Place", "source": "Source", "initials": "Initials", "date": "Date",
}  # fmt: skip
TITLES = ASKED | ANSWERS
_WIDTHS = (15, 6, 16, 46, 22, 34, 34, 60, 22, 22, 30, 9, 12)
# A number as typed; whether the column accepts it is checked with the rules of the sheet.
_TYPED = r"(-?(?:[^\s()\[\],;/|–—-]|(?<=[0-9]),(?=[0-9]))+)"
_LIMITS = rf"{_TYPED}(?:\s*(?:to|[-–—])\s*|,\s+|;\s*){_TYPED}"
# The fields that a line asks for -> how the answer may be written.
_FORMS = {
    ("events", "n"): rf"{_TYPED}\s*(?:of|out of|/)\s*{_TYPED}",
    ("hr",): _TYPED,
    ("hr", "ci_low", "ci_high"):
        rf"{_TYPED}(?:\s*\(\s*{_LIMITS}\s*\)|\s*\[\s*{_LIMITS}\s*\]|[,;]?\s+{_LIMITS})",
    ("hr", "ci_low"): rf"{_TYPED}\s*\(\s*from\s*{_TYPED}\s*\)",
    ("hr", "ci_high"): rf"{_TYPED}\s*\(\s*up to\s*{_TYPED}\s*\)",
}  # fmt: skip
_PLAIN = re.compile(r"[0-9]*\.?[0-9]+")
# A source that reports what others found, if the sheet does not know it.
_SECOND_HAND = re.compile(r"\b(?:reviews?|meta-?analys[ei]s|guidelines?)\b", re.IGNORECASE)
_ROW = re.compile(r"[0-9]{1,7}")
# Words that people write instead of initials.
_NO_INITIALS = {"yes", "no", "ok", "true", "false", "none", "x"}


def write_answers_book(rows: pd.DataFrame, book: Path) -> None:
    """Write the worklist as a workbook with empty cells for the values that a reader finds.

    Parameters
    ----------
    rows : DataFrame
        Output of `trial_evidence.exchange.worklist.worklist`.

    Raises
    ------
    RequestError
        If the file exists and is not a worklist, or is one with answers, which would be lost; or
        if the name is not that of a workbook, or the file is open in a spreadsheet program.
    """
    refuse_book(book)
    if book.exists() and WORKLIST not in sheet_names(book):
        raise RequestError(
            f"{book} is no worklist and would be overwritten. Name another: BOOK=..."
        )
    if book.exists() and _is_answered(book):
        message = "holds answers that would be lost. Import it, then move or delete it."
        raise RequestError(f"{book} {message}")
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = WORKLIST
    lines = [[str(row.get(name, "")) for name in TITLES] for row in records(rows)]
    put_table(sheet, [[*TITLES.values()], *lines], _WIDTHS)
    for row in sheet.iter_rows(min_col=len(ASKED) + 1):
        for cell in row:
            cell.fill = TO_FILL
    sheet.freeze_panes = "C2"
    write_whole(book, workbook_bytes(made, "What to look up"))


def write_answered(
    book: Path, raw: Path, sheet: Sheet, dictionary: Dictionary, folder: Path
) -> Taken:
    """Write a copy of the sheet that includes the answers of a worklist.

    A value that agrees marks its row as verified in the primary source and becomes a second
    reading that agrees. A value that differs becomes a second reading that differs and awaits
    adjudication. Rows without a value, and readings that already exist, change nothing.

    Returns
    -------
    Taken
        The answers taken.

    Raises
    ------
    SheetError
        With every answer that cannot be taken: rows that have changed in the sheet since, values
        that cannot be read, answers without place, source, initials or date.
    """
    lines, found = _lines(book, dictionary)
    answers = [line for line in lines if line["seen"]]
    unread = {(problem.row, problem.column) for problem in errors_of(found)}
    faults = [fault for one in answers for fault in _faults(one, sheet, dictionary, book)]
    problems = [*found, *(p for p in faults if (p.row, p.column) not in unread)]
    wrong = {problem.row for problem in errors_of(problems)}
    sound = [answer for answer in answers if int(answer["line"]) not in wrong]
    problems += _contradictions(sound, sheet, book)
    refuse(problems)
    shutil.copytree(raw, folder, dirs_exist_ok=True)
    said = [problem.line() for problem in problems]
    said += [_without_value(line, book) for line in lines if not line["seen"] and _filled(line)]
    places: dict[tuple[str, int], str] = {}
    for answer in answers:
        reading, number = _reading(answer, sheet), int(answer["row"])
        agrees = reading["verdict"] == "agree"
        if agrees and reading["second_verification"] == PRIMARY:
            put_cells(folder / f"{answer['table']}.csv", {number: {"verification": PRIMARY}})
        place = f"{book.name}, row {answer['line']}"
        places[answer["table"], number] = place
        path = folder / "second_reading.csv"
        header, *rows = read_lines(path)
        there = any(_is_the_same(reading, dict(zip(header, cells, strict=False))) for cells in rows)
        if not there:
            put_cells(path, {len(rows) + 2: reading})
            places["second_reading", len(rows) + 2] = place
        verb = "agrees" if agrees else "differs, and waits for adjudication"
        if agrees and reading["second_verification"] != PRIMARY:
            verb = f"agrees, but {answer['source']} is second-hand"
        if there:
            verb = f"is there already, as read by {answer['initials']}"
        said.append(f"{answer['trial']}, {answer['result']}: {answer['seen']} {verb}.")
    return Taken(said, places)


def initials_fault(text: str, dictionary: Dictionary) -> str:
    """Why a text is not the initials of a reader, as in adjudication.csv; ``""`` if it is."""
    column = dictionary.tables["adjudication"].columns["initials"]
    if text.lower() not in _NO_INITIALS and not read_cell(column, text).error:
        return ""
    return f"{quoted(text)} is not the initials of a reader: up to five letters, such as AB."


def _is_answered(book: Path) -> bool:
    made, _ = open_book(book)
    # Any sheet counts: a copy of the worklist, or notes, would be lost as well.
    return any(
        title not in ASKED.values() and any(map(_text, cells))
        for sheet in made.worksheets
        for title, *cells in sheet.iter_cols(values_only=True)
    )


def _lines(book: Path, dictionary: Dictionary) -> tuple[list[dict[str, str]], list[Problem]]:
    """The lines of a worklist, and problems with answers that cannot be read or are hidden."""
    made, values = open_book(book)
    sheet = made[WORKLIST]
    header, *rows = [*sheet.iter_rows()] or [()]
    named = {_text(cell.value): at for at, cell in enumerate(header)}
    if missing := [title for title in TITLES.values() if title not in named]:
        message = f"the sheet {WORKLIST} has no column {', '.join(missing)}. Make a new worklist."
        if len(missing) == len(TITLES):
            message = f"row 1 of the sheet {WORKLIST} no longer has the names of the columns. "
            message += "Put them back, or make a new worklist."
        raise SheetError([about(book.name, message, 1)])
    columns = {"date": dictionary.tables["adjudication"].columns["date"]}
    messages = rebuilt(sheet, TITLES.values())
    problems = [about(book.name, f"sheet {WORKLIST}: {message}") for message in messages]
    problems += _elsewhere(made, book)
    lines = []
    for cells in rows:
        line = {name: _text(cells[named[ASKED[name]]].value) for name in ASKED}
        line["line"] = str(cells[0].row)
        for name, title in ANSWERS.items():
            read = cell_of_book(cells[named[title]], values[WORKLIST], columns.get(name))
            line[name] = read.text.translate(NO_BREAK_SPACES).strip()
            place = book.name, cells[0].row, line["trial"], title, read.text
            problems += [Problem(kind, *place, message) for kind, message in read.findings]
        lines.append(line)
    if hidden := hidden_among(sheet, [int(line["line"]) for line in lines if _filled(line)]):
        problems.insert(0, about(book.name, hidden))
    return lines, problems


def _elsewhere(made: Any, book: Path) -> Iterator[Problem]:
    """Problems with answers on a copy of the worklist, which would be lost."""
    for sheet in made.worksheets:
        header, *rows = [*sheet.iter_rows(values_only=True)] or [()]
        names = [_text(value) for value in header]
        seen = names.index(ANSWERS["seen"]) if ANSWERS["seen"] in names else None
        if sheet.title == WORKLIST or sheet.title.startswith(PRIVATE) or seen is None:
            continue
        if any(_text(row[seen]) for row in rows):
            message = f"it holds answers, which are taken from the sheet {WORKLIST} alone. Move "
            message += "them there, or let its name begin with _ if it is yours alone."
            yield about(f"{book.name}, sheet {sheet.title}", message)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _filled(line: Mapping[str, str]) -> list[str]:
    """The answer columns that are filled in."""
    return [title for name, title in ANSWERS.items() if line[name]]


def _without_value(line: Mapping[str, str], book: Path) -> str:
    filled = f"the column {ANSWERS['seen']} is empty ({', '.join(_filled(line))} filled in)"
    place = book.name, int(line["line"]), line["trial"], "", ""
    return Problem("warning", *place, f"nothing is taken of this line: {filled}.").line()


def _row_of(answer: Mapping[str, str], sheet: Sheet) -> dict[str, Any]:
    """The row of the sheet with the number in a line; empty if it does not exist."""
    return sheet.row(answer["table"], int(answer["row"]))


def _faults(
    answer: Mapping[str, str], sheet: Sheet, dictionary: Dictionary, book: Path
) -> Iterator[Problem]:
    """The problems of an answer, each with its cell in the workbook."""
    columns = dictionary.tables["second_reading"].columns
    dates = dictionary.tables["adjudication"].columns["date"]
    found = [
        *(_misplaced(answer, sheet, dictionary) or _misread(answer, sheet, dictionary)),
        *((name, "the cell is empty, but an answer needs it.") for name in ANSWERS
          if not answer[name]),
        ("initials", answer["initials"] and initials_fault(answer["initials"], dictionary)),
        ("date", answer["date"] and _date_fault(dates, answer["date"])),
        ("at", _text_fault(columns["locator"], answer["at"])),
        ("source", _text_fault(columns["second_source"], answer["source"])),
    ]  # fmt: skip
    yield from (_fault(answer, book, name, message) for name, message in found if message)


def _text_fault(column: Column, text: str) -> str:
    if text.lower() in MISSING_MARKS:
        return f"{quoted(text)} denotes a missing value, but an answer needs one."
    return read_cell(column, text).error


def _fault(answer: Mapping[str, str], book: Path, name: str, message: str) -> Problem:
    place = book.name, int(answer["line"]), answer["trial"]
    return Problem("error", *place, TITLES[name], answer[name], message)


def _misplaced(
    answer: Mapping[str, str], sheet: Sheet, dictionary: Dictionary
) -> list[tuple[str, str]]:
    """Cells of a line that do not fit the sheet: name and reason."""
    table, number = answer["table"], answer["row"]
    read_twice = dictionary.tables["second_reading"].columns["table"].words
    asked = [name for name in read_twice if sheet.kinds.get(name) in FIELDS]
    if table not in asked:
        message = f"{quoted(table)} is no table of results that second_reading.csv takes."
        if not table:
            message = (
                "the cell is empty. It must name the table of the result: make a new worklist."
            )
        return [("table", f"{message} Allowed: {', '.join(asked)}.")]
    if not _ROW.fullmatch(number):
        return [("row", f"{quoted(number)} is not the number of a row. Make a new worklist.")]
    row, where = _row_of(answer, sheet), f"{table}.csv, row {number}"
    if not row or value_of(sheet, table, row) != answer["value"]:
        return [("value", f"{where} no longer holds {answer['value']}. Make a new worklist.")]
    trials = sheet["trials"].set_index("trial_id")["name"]
    now = {"trial": trials[row["trial_id"]], "result": result_of(sheet, table, row)}
    alike = [
        one
        for one in records(sheet[table][sheet[table]["trial_id"] == row["trial_id"]])
        if value_of(sheet, table, one) == answer["value"]
        and result_of(sheet, table, one) == now["result"]
    ]
    if len(alike) > 1:
        # Rows from different sources or assessors can only be told apart by their place.
        now["place"] = row["locator"]
    return [
        (name, f"{where} is now of {text}. Make a new worklist.")
        for name, text in now.items()
        if _one_line(text) != _one_line(answer[name])
    ][:1]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _misread(
    answer: Mapping[str, str], sheet: Sheet, dictionary: Dictionary
) -> Iterator[tuple[str, str]]:
    """Why a value is not what the line asks for."""
    table, row = answer["table"], _row_of(answer, sheet)
    fields = fields_of(sheet, table, row)
    columns = dictionary.tables[table].columns
    seen = [] if answer["seen"].lower() in NO_NUMBER else _seen(answer, sheet)
    if not seen:
        message = (
            f"{quoted(answer['seen'])} is not {counted(len(fields), 'number')} "
            f"({', '.join(fields)}). Write them in this form: "
            f"{WORDS[fields].format(*(columns[name].example for name in fields))}"
        )
        if answer["seen"].lower() in NO_NUMBER:
            message = (
                f"{quoted(answer['seen'])} is no value. Leave the line empty where you see none."
            )
        yield "seen", message
        return
    wrong = [_number_fault(columns[name], text) for name, text in zip(fields, seen, strict=True)]
    if not any(wrong):
        wrong = [_order_fault(dict(zip(fields, map(float, seen), strict=True)), answer["seen"])]
    yield from (("seen", message) for message in filter(None, wrong))


def _number_fault(column: Column, text: str) -> str:
    wrong = read_cell(column, text).error
    if not wrong and not _PLAIN.fullmatch(text):
        wrong = f"{quoted(text)} is not a number as a paper prints it, such as {column.example}."
    return f"{column.name}: {wrong}" if wrong else ""


def _order_fault(numbers: Mapping[str, float], seen: str) -> str:
    """Why numbers contradict each other, by the rules of the check of the sheet."""
    if "events" in numbers:
        more = numbers["events"] > numbers["n"]
        return f"{quoted(seen)}: there are more events than patients (n)." if more else ""
    low, high = numbers.get("ci_low", -math.inf), numbers.get("ci_high", math.inf)
    if low < high and low <= numbers["hr"] <= high:
        return ""
    return f"{quoted(seen)}: the estimate has to lie between the lower and the upper limit."


def _date_fault(column: Column, text: str) -> str:
    if fault := read_cell(column, text).error:
        return fault
    later = datetime.date.fromisoformat(text) > datetime.date.today()
    return f"{quoted(text)} is in the future." if later else ""


def _contradictions(
    answers: Sequence[Mapping[str, str]], sheet: Sheet, book: Path
) -> Iterator[Problem]:
    """Lines whose value for a row contradicts that of an earlier line."""
    first: dict[tuple[str, str], Mapping[str, str]] = {}
    for answer in answers:
        above = first.setdefault((answer["table"], str(int(answer["row"]))), answer)
        if all(map(same_value, _seen(above, sheet), _seen(answer, sheet))):
            continue
        other = f"row {above['line']} says {above['seen']}"
        yield _fault(answer, book, "seen", f"{other} of the same result. Keep the line that holds.")


def _seen(answer: Mapping[str, str], sheet: Sheet) -> list[str]:
    """The numbers of an answer, one per field of its line; empty if they cannot be read."""
    form = _FORMS[fields_of(sheet, answer["table"], _row_of(answer, sheet))]
    match = re.fullmatch(form, answer["seen"], re.IGNORECASE)
    return [text for text in match.groups() if text is not None] if match else []


def _is_the_same(reading: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two readings have the same row, values and reader."""
    names = ("table", "trial_id", "row_key", "field", "first_value", "second_value", "verdict")
    return all(reading[name] == other.get(name) for name in names) and (
        _reader(reading["locator"]) == _reader(other.get("locator", ""))
    )


def _reader(locator: str) -> str:
    """The initials in ``Table 2 (AB, 2026-11-22)``, ignoring case."""
    return locator.rpartition("(")[2].partition(",")[0].casefold()


def _reading(answer: Mapping[str, str], sheet: Sheet) -> dict[str, str]:
    """An answer as a row of second_reading.csv."""
    table, row = answer["table"], _row_of(answer, sheet)
    fields, seen = fields_of(sheet, table, row), _seen(answer, sheet)
    held = [printed(row, field) for field in fields]
    reader = f"{answer['initials']}, {answer['date']}"
    about = (table, row, list(zip(fields, held, seen, strict=True)))
    agrees = all(map(same_value, held, seen))
    found = second_reading(sheet, *about, agrees, answer["source"], f"{answer['at']} ({reader})")
    return found | {"second_verification": _verified_in(answer["source"], row, sheet)}


def second_reading(
    sheet: Sheet,
    table: str,
    row: Record,
    values: Sequence[tuple[str, str, str]],
    agrees: bool,
    source: str,
    locator: str,
) -> dict[str, str]:
    """A row of second_reading.csv; `values` are columns with the sheet's and the other value."""
    fields, held, seen = (JOINT.join(texts) for texts in zip(*values, strict=True))
    return {
        "table": table, "trial_id": str(row["trial_id"]), "row_key": key_of(sheet, table, row),
        "field": fields, "first_value": held, "second_value": seen,
        "verdict": "agree" if agrees else "differ", "second_verification": PRIMARY,
        "second_source": source, "locator": locator,
    }  # fmt: skip


def _verified_in(source: str, row: Record, sheet: Sheet) -> str:
    """How a source verifies a row: one that the sheet knows to be second-hand shows no more."""
    (trial,) = records(where(sheet["trials"], trial_id=row["trial_id"]))
    for cited in records(sheet["sources"]):
        if not _cites(source, cited):
            continue
        own = cited["source_id"] == row["source_id"] and row["verification"] == SECONDARY
        if cited["type"] not in FIRST_HAND or (own and not is_first_hand(cited, trial)):
            return SECONDARY
    return SECONDARY if _SECOND_HAND.search(source) else PRIMARY


def _cites(text: str, source: Record) -> bool:
    """Whether an answer names a source of the sheet: its id (a place may follow), DOI or PMID."""
    if re.match(rf"{re.escape(source['source_id'])}(?![\w-])", text, re.IGNORECASE):
        return True
    doi, pmid = source["doi"], source["pmid"]
    if doi and re.search(rf"{re.escape(doi)}(?![\w])", text, re.IGNORECASE):
        return True
    return bool(pmid and re.search(rf"(?<!\d){pmid}(?!\d)", text))


def read_lines(path: Path) -> list[list[str]]:
    """Every record of a CSV file, including blank ones, so that rows keep their numbers."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def write_lines(path: Path, lines: Sequence[Sequence[str]]) -> None:
    """Write a table of the sheet."""
    path.write_text(as_csv(lines), encoding="utf-8")


def put_cells(path: Path, rows: Mapping[int, Mapping[str, str]]) -> None:
    """Write cells by row and column into a table; missing rows and columns are appended."""
    header, *lines = read_lines(path)
    named = dict.fromkeys(name for cells in rows.values() for name in cells)
    more = [name for name in named if name not in header]
    header = [*header, *more]
    lines = [line + [""] * (len(more) if line else 0) for line in lines]
    for row, cells in rows.items():
        if row - 2 == len(lines):
            lines.append([""] * len(header))
        for name, text in cells.items():
            lines[row - 2][header.index(name)] = text
    write_lines(path, [header, *lines])
