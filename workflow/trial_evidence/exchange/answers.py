"""The worklist as a workbook, and what a reader has written into it as edits of the sheet."""

import csv
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill

from trial_evidence.exchange.worklist import FIELDS, fields_of, key_of, value_of
from trial_evidence.files import records, write_whole
from trial_evidence.report.words.printed import counted
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.adjudication import JOINT, same_value
from trial_evidence.sheet.values import PRIMARY
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import Problem, SheetError
from trial_evidence.workbook.layout import WORKLIST, as_csv
from trial_evidence.workbook.package import put_text, workbook_bytes
from trial_evidence.workbook.read import sheet_names

ASKED = {
    "table": "Table", "row": "Row", "trial": "Trial", "result": "Result", "value": "In the sheet",
    "link": "Link", "place": "Where it should be", "why": "Why it matters",
}  # fmt: skip
ANSWERS = {
    "seen": "Value seen", "at": "Place", "source": "Source", "initials": "Initials", "date": "Date",
}  # fmt: skip
HEADER = [*ASKED.values(), *ANSWERS.values()]
_WIDTHS = (15, 6, 16, 46, 22, 34, 34, 60, 22, 22, 30, 9, 12)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_TO_FILL = PatternFill("solid", fgColor="FFF6D6")


def write_answers_book(rows: pd.DataFrame, book: Path) -> None:
    """Write the worklist as a workbook with empty cells for what a reader sees.

    Parameters
    ----------
    rows : DataFrame
        As `trial_evidence.exchange.worklist.worklist` gives it.

    Raises
    ------
    RequestError
        If there is another file of this name, or a worklist with answers: they would be lost.
    """
    if book.exists() and WORKLIST not in sheet_names(book):
        raise RequestError(
            f"{book} is no worklist and would be overwritten. Name another: BOOK=..."
        )
    if book.exists() and any(answer[name] for answer in _answers(book) for name in ANSWERS):
        message = "holds answers that would be lost. Import it, then move or delete it."
        raise RequestError(f"{book} {message}")
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = WORKLIST
    lines = [[str(row[name]) for name in ASKED] for row in records(rows)]
    for down, line in enumerate([HEADER, *lines], start=1):
        for across, text in enumerate([*line, *[""] * (len(HEADER) - len(line))], start=1):
            cell = sheet.cell(down, across)
            put_text(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=down == 1)
            if across > len(ASKED):
                cell.fill = _TO_FILL
    for across, width in enumerate(_WIDTHS):
        sheet.column_dimensions[chr(ord("A") + across)].width = width
    sheet.freeze_panes = "C2"
    write_whole(book, workbook_bytes(made, "What to look up"))


def write_answered(book: Path, raw: Path, sheet: Sheet, folder: Path) -> list[str]:
    """Write the sheet into a folder as it is with the answers of a worklist.

    A value that agrees makes its row verified at first hand and is a second reading that agrees;
    one that does not is a second reading that differs, and waits for adjudication. A row without a
    value seen changes nothing.

    Returns
    -------
    list of str
        What was answered, in words.

    Raises
    ------
    SheetError
        With every answer that cannot be taken: rows that the sheet no longer has as the worklist
        has them, values that cannot be read, answers without place, source, initials or date.
    """
    answers = [answer for answer in _answers(book) if answer["seen"]]
    problems = [problem for answer in answers for problem in _faults(answer, sheet, book)]
    if problems:
        raise SheetError(problems)
    shutil.copytree(raw, folder, dirs_exist_ok=True)
    said = []
    for answer in answers:
        row = _row_of(answer, sheet)
        assert row is not None
        agrees = all(map(same_value, _held(answer), _seen(answer)))
        if agrees:
            path = folder / f"{answer['table']}.csv"
            header, *lines = read_lines(path)
            lines[int(answer["row"]) - 2][header.index("verification")] = PRIMARY
            write_lines(path, [header, *lines])
        path = folder / "second_reading.csv"
        reading = _reading(answer, sheet, row, agrees=agrees)
        header, *lines = read_lines(path)
        write_lines(path, [header, *lines, [reading.get(name, "") for name in header]])
        verb = "agrees" if agrees else "differs, and waits for adjudication"
        said.append(f"{answer['trial']}, {answer['result']}: {answer['seen']} {verb}.")
    return said


def _answers(book: Path) -> list[dict[str, str]]:
    sheet = load_workbook(book)[WORKLIST]
    header, *rows = sheet.iter_rows(values_only=True)
    named = {str(title): at for at, title in enumerate(header)}
    names = {**ASKED, **ANSWERS}
    if missing := [title for title in names.values() if title not in named]:
        message = f"the sheet {WORKLIST} has no column {', '.join(missing)}. Make a new worklist."
        raise SheetError([Problem("error", book.name, 1, "", "", "", message)])
    return [
        {name: _text(row[named[title]]) for name, title in names.items()} | {"line": str(line)}
        for line, row in enumerate(rows, start=2)
    ]


def _text(value: Any) -> str:
    return "" if value is None else str(value).removesuffix(" 00:00:00").strip()


def _row_of(answer: Mapping[str, str], sheet: Sheet) -> dict[str, Any] | None:
    """The row of the sheet, where it still says what the worklist says."""
    table = answer["table"]
    if table not in sheet.kinds or sheet.kinds[table] not in FIELDS or not answer["row"].isdigit():
        return None
    rows = records(sheet[table][sheet[table]["row"] == int(answer["row"])])
    return next((row for row in rows if value_of(sheet, table, row) == answer["value"]), None)


def _faults(answer: Mapping[str, str], sheet: Sheet, book: Path) -> list[Problem]:
    def fault(column: str, value: str, message: str) -> Problem:
        line = int(answer["line"])
        return Problem("error", book.name, line, answer["trial"], column, value, message)

    row = _row_of(answer, sheet)
    if row is None:
        where = f"{answer['table']}.csv, row {answer['row']}"
        message = f"{where} no longer holds {answer['value']}. Make a new worklist."
        return [fault(ASKED["value"], answer["value"], message)]
    wanted = fields_of(sheet, answer["table"], row)
    found = []
    if len(_NUMBER.findall(answer["seen"])) != len(wanted):
        message = (
            f'"{answer["seen"]}" is not {counted(len(wanted), "number")} ({", ".join(wanted)}). '
            f"Write it as the sheet has it: {answer['value']}"
        )
        found.append(fault(ANSWERS["seen"], answer["seen"], message))
    found += [
        fault(title, "", "the cell is empty, but an answer needs it.")
        for name, title in ANSWERS.items()
        if not answer[name]
    ]
    return found


def _seen(answer: Mapping[str, str]) -> list[str]:
    return _NUMBER.findall(answer["seen"])


def _held(answer: Mapping[str, str]) -> list[str]:
    return _NUMBER.findall(answer["value"])


def _reading(
    answer: Mapping[str, str], sheet: Sheet, row: Mapping[str, Any], *, agrees: bool
) -> dict[str, str]:
    table = answer["table"]
    return {
        "table": table, "trial_id": str(row["trial_id"]), "row_key": key_of(sheet, table, row),
        "field": JOINT.join(fields_of(sheet, table, row)), "first_value": JOINT.join(_held(answer)),
        "second_value": JOINT.join(_seen(answer)), "verdict": "agree" if agrees else "differ",
        "second_verification": PRIMARY, "second_source": answer["source"],
        "locator": f"{answer['at']} ({answer['initials']}, {answer['date']})",
    }  # fmt: skip


def read_lines(path: Path) -> list[list[str]]:
    """Every record, blank ones too, so that rows keep their numbers."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def write_lines(path: Path, lines: Sequence[Sequence[str]]) -> None:
    """Write a table of the sheet."""
    path.write_text(as_csv(lines), encoding="utf-8")


def put_cells(path: Path, rows: Mapping[int, Mapping[str, str]]) -> None:
    """Fill in cells of a table, by row and column; a column that the file lacks comes last."""
    header, *lines = read_lines(path)
    named = dict.fromkeys(name for cells in rows.values() for name in cells)
    more = [name for name in named if name not in header]
    header = [*header, *more]
    lines = [line + [""] * (len(more) if line else 0) for line in lines]
    for row, cells in rows.items():
        for name, text in cells.items():
            lines[row - 2][header.index(name)] = text
    write_lines(path, [header, *lines])
