"""Anything that cannot be read with certainty is refused, and the message names the cell."""

from __future__ import annotations

import datetime
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from trial_evidence.workbook.read import read_book
from workbook_files import (
    DICTIONARY,
    SAVED_BY_LIBREOFFICE,
    VALID,
    cells_of,
    column_of,
    copy_of,
    edited,
    errors,
    files_of,
    imported,
)


@dataclass(frozen=True)
class Fault:
    """An edit of the made-up sheet's workbook, and all messages to the reader."""

    edit: Callable[[Any], None]
    told: tuple[str, ...]


def _put(table: str, column: str, row: int, value: object, number_format: str = "General") -> Any:
    def edit(workbook: Any) -> None:
        cell = workbook[table].cell(row, column_of(table, column))
        cell.value, cell.number_format = value, number_format

    return edit


def _with(table: str, change: Callable[[Any], object]) -> Callable[[Any], None]:
    return lambda workbook: (change(workbook[table]), None)[1]


PCR_2 = "book.xlsx, sheet pcr, row 2 (trial_a), column"

FAULTS = {
    "a date where a number stood": Fault(
        _put("pcr", "events", 2, datetime.datetime(2026, 9, 12), "d-mmm"),
        (
            f"{PCR_2} events (G2): the spreadsheet turned what was typed into a date: 12 September "
            "2026 (perhaps from 12/9 or 9/12). Format the cell as text and type it again.",
        ),
    ),
    "a date where a phase stood": Fault(
        _put("trials", "phase", 3, datetime.datetime(2026, 3, 2), "d-mmm"),
        (
            "book.xlsx, sheet trials, row 3 (trial_b), column phase (E3): the spreadsheet "
            "turned what was typed into a date: 2 March 2026 (perhaps from 2/3 or 3/2). Format "
            "the cell as text and type it again.",
        ),
    ),
    "a date shown as its day number": Fault(
        _put("pcr", "n", 2, 45912, "0"),
        (
            f"{PCR_2} n (H2): 45912 is probably the date 12 September 2025, which the spreadsheet "
            "made from what was typed (12/9?). Format the cell as text and type it again.",
        ),
    ),
    "a time": Fault(
        _put("pcr", "reported_percent", 2, datetime.time(4, 30), "h:mm"),
        (
            f"{PCR_2} reported_percent (I2): the spreadsheet turned what was typed into a time: "
            "04:30:00. Format the cell as text and type it again.",
        ),
    ),
    "a decimal comma": Fault(
        _put("hazard_ratios", "hr", 2, "0,68"),
        (
            "book.xlsx, sheet hazard_ratios, row 2 (trial_a), column hr (I2): "
            '"0,68" is not a number. Use a point as decimal mark: 0.68',
        ),
    ),
    "a thousand with a point": Fault(
        _put("trials", "n_randomised", 2, "1.000"),
        (
            "book.xlsx, sheet trials, row 2 (trial_a), column n_randomised (H2): "
            '"1.000" is not a whole number. Write it without thousands separators: 1000',
        ),
    ),
    "a percent sign": Fault(
        _put("pcr", "reported_percent", 2, 0.4, "0.0%"),
        (
            f'{PCR_2} reported_percent (I2): "40.0%" is not a number. Leave out the percent sign: '
            "40.0",
        ),
    ),
    "a percent sign after a blank": Fault(
        _put("hazard_ratios", "hr", 2, 0.8, "0\\ %"),
        (
            "book.xlsx, sheet hazard_ratios, row 2 (trial_a), column hr (I2): "
            '"80%" is not a number.',
        ),
    ),
    "a percent sign in colour": Fault(
        _put("pcr", "reported_percent", 2, 0.4, "[Red]0.0%"),
        (
            f'{PCR_2} reported_percent (I2): "40.0%" is not a number. Leave out the percent sign: '
            "40.0",
        ),
    ),
    "a formula without a value": Fault(
        _put("pcr", "events", 2, "=40+2"),
        (
            f'{PCR_2} events (G2): the cell holds a formula without a value: "=40+2". Type the '
            "value.",
        ),
    ),
    "more digits than are printed": Fault(
        _put("pcr", "reported_percent", 2, 40.0952380952),
        (
            f"{PCR_2} reported_percent (I2): 40.0952380952 has more digits than a source prints. "
            "Format the cell as text and type the number as the source prints it.",
        ),
    ),
    "an error value": Fault(
        _put("pcr", "n", 2, "#DIV/0!"),
        (f"{PCR_2} n (H2): the cell holds the error value #DIV/0!. Type the value.",),
    ),
    "a logical value": Fault(
        _put("trials", "randomised", 2, True),
        (
            "book.xlsx, sheet trials, row 2 (trial_a), column randomised (F2): the spreadsheet "
            "turned what was typed into a logical value (TRUE). Format the cell as text and type "
            "it again.",
        ),
    ),
    "a number shown in another form": Fault(
        _put("sources", "pages", 2, 0.5, "# ?/?"),
        (
            "book.xlsx, sheet sources, row 2 (doe_2020_trial_a), column pages (G2): the cell holds "
            "the number 0.5 and shows it in another form. Format the cell as text and type what it "
            "should say.",
        ),
    ),
    "merged cells": Fault(
        _with("agents", lambda sheet: sheet.merge_cells("D2:E2")),
        (
            "book.xlsx, sheet agents: the cells D2:E2 are merged into one. Unmerge them and fill "
            "in each.",
        ),
    ),
    "a number struck through and another after it": Fault(
        _put("pcr", "events", 2, CellRichText(TextBlock(InlineFont(strike=True), "4"), "2")),
        (
            f"{PCR_2} events (G2): part of the text is struck through, but would be imported. "
            "Delete that part.",
        ),
    ),
    "a row struck through": Fault(
        _with("agents", lambda sheet: [setattr(c, "font", Font(strike=True)) for c in sheet[3]]),
        (
            "book.xlsx, sheet agents, row 3: 3 cells from A3 to C3 are struck through, but would "
            "be imported. Delete what no longer holds, or remove the line through them.",
        ),
    ),
    "a cell struck through": Fault(
        _with("agents", lambda sheet: setattr(sheet["A3"], "font", Font(strike=True))),
        (
            "book.xlsx, sheet agents, row 3: cell A3 is struck through, but would be imported. "
            "Delete what no longer holds, or remove the line through it.",
        ),
    ),
    "a hidden row": Fault(
        _with("arms", lambda sheet: setattr(sheet.row_dimensions[4], "hidden", True)),
        (
            "book.xlsx, sheet arms: row 4 is hidden or filtered out. Show all rows (clear the "
            "filter), so that no row is imported unseen.",
        ),
    ),
    "a hidden column": Fault(
        _with("arms", lambda sheet: setattr(sheet.column_dimensions["D"], "hidden", True)),
        (
            "book.xlsx, sheet arms: column D is hidden. Show all columns, so that no cell is "
            "imported unseen.",
        ),
    ),
    "a hidden sheet": Fault(
        _with("arms", lambda sheet: setattr(sheet, "sheet_state", "hidden")),
        (
            "book.xlsx, sheet arms: the sheet is hidden. Show it, so that no row is imported "
            "unseen.",
        ),
    ),
    "filtered rows": Fault(
        _with(
            "arms",
            lambda sheet: [setattr(sheet.row_dimensions[n], "hidden", True) for n in (3, 4, 5, 8)],
        ),
        (
            "book.xlsx, sheet arms: rows 3 to 5 and 8 are hidden or filtered out. Show all rows "
            "(clear the filter), so that no row is imported unseen.",
        ),
    ),
    "a column that is not known": Fault(
        _with("arms", lambda sheet: sheet.__setitem__("D1", "agnts")),
        (
            "book.xlsx, sheet arms, row 1, column agnts: there is no such column. Did you mean "
            '"agents"?',
            "book.xlsx, sheet arms, row 1, column agents: the column is missing.",
        ),
    ),
    "a column twice": Fault(
        _with("arms", lambda sheet: sheet.__setitem__("G1", "partner")),
        (
            "book.xlsx, sheet arms, row 1, column partner: the header names this column 2 times.",
            "book.xlsx, sheet arms, row 1, column partner_detail: the column is missing.",
        ),
    ),
    "a remark beside the table": Fault(
        _with("agents", lambda sheet: sheet.__setitem__("H3", "check this")),
        (
            'book.xlsx, sheet agents, row 3: cell H3 holds "check this", but its column has no '
            "name in row 1. Move it to the column note, or delete it.",
        ),
    ),
    "a title above the header": Fault(
        _with("exclusions", lambda sheet: (sheet.insert_rows(1), sheet.cell(1, 1, "Decisions"))),
        (
            "book.xlsx, sheet exclusions: row 1 must hold the names of the columns; missing: "
            'trial_id, arm_id, analysis, subgroup, reason. It begins with "Decisions". They are '
            "in row 2: delete the rows above.",
        ),
    ),
    "an empty row above the header": Fault(
        _with("pcr", lambda sheet: sheet.insert_rows(1)),
        (
            "book.xlsx, sheet pcr: row 1 must hold the names of the columns; missing: trial_id, "
            "arm_id, definition, population, assessor, subgroup, events, n, reported_percent, "
            "source_id, locator, verification, derivation, status, note. They are in row 2: "
            "delete the rows above.",
        ),
    ),
    "a header that was overwritten": Fault(
        _with("pcr", lambda sheet: (sheet.delete_rows(1), sheet.insert_rows(1))),
        (
            "book.xlsx, sheet pcr: row 1 must hold the names of the columns; missing: trial_id, "
            "arm_id, definition, population, assessor, subgroup, events, n, reported_percent, "
            "source_id, locator, verification, derivation, status, note.",
        ),
    ),
    "names of the columns in another row": Fault(
        _with("arms", lambda sheet: sheet.append([cell.value for cell in sheet[1]])),
        ("book.xlsx, sheet arms, row 30: the row repeats the names of the columns. Delete it.",),
    ),
    "a column that lost its name": Fault(
        _with("pcr", lambda sheet: sheet.__setitem__("G1", None)),
        (
            "book.xlsx, sheet pcr: column G has no name in row 1, but holds 25 cells, the first in "
            'row 2: "42". Type its name, or delete it.',
            "book.xlsx, sheet pcr, row 1, column events: the column is missing.",
        ),
    ),
    "a table without rows": Fault(
        _with("agents", lambda sheet: sheet.delete_rows(2, 50)),
        ("book.xlsx, sheet agents: there is a header but no row below it.",),
    ),
    "an empty sheet": Fault(
        _with("populations", lambda sheet: sheet.delete_rows(1, 50)),
        ("book.xlsx, sheet populations: the sheet is empty: even the column names are missing.",),
    ),
    "a sheet that is missing": Fault(
        lambda workbook: workbook.remove(workbook["search_log"]),
        ("book.xlsx: the sheet search_log is missing.",),
    ),
    "a sheet that is not known": Fault(
        lambda workbook: workbook.create_sheet("Sheet1").cell(1, 1, "scratch"),
        (
            "book.xlsx, sheet Sheet1: no table has this name, so nothing on it can be imported. "
            "Delete the sheet, move what it holds to its table, or let its name begin with _ if it "
            "is yours alone.",
        ),
    ),
    "two sheets of one name": Fault(
        lambda workbook: setattr(workbook.create_sheet(), "_WorkbookChild__title", "PCR"),
        ('book.xlsx: two sheets have the same name: "pcr" and "PCR". Keep one.',),
    ),
    "an id of no trial": Fault(
        _put("arms", "trial_id", 2, "trial_aa"),
        (
            'book.xlsx, sheet arms, row 2 (trial_aa), column trial_id (A2): "trial_aa" is '
            'not in trials.csv, column trial_id. Did you mean "trial_a"?',
        ),
    ),
    "an empty cell that is required, below an empty row": Fault(
        lambda workbook: workbook["search_log"].cell(4, 1, "s9"),
        (
            "book.xlsx, sheet search_log, row 4 (s9): 4 cells are empty, but a value is required "
            "in each: date, reader, where, scope. Fill them in, or delete the row.",
        ),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_located(name: str, tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    fault = FAULTS[name]
    told = errors(imported(edited(raw, fault.edit), raw, confirmed=True))
    if "header" in name or "another row" in name or "lost its name" in name:
        assert len(told) == len(fault.told)
    # An unreadable row may cause errors in rows that refer to it; these come after it.
    assert tuple(told[: len(fault.told)]) == fault.told
    assert files_of(raw) == files_of(VALID)


@pytest.mark.parametrize("column", ["n", "note"])
def test_a_number_that_no_computer_holds_is_located(column: str, tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _put("pcr", column, 2, 987654321))
    parts = {}
    with zipfile.ZipFile(book) as archive:
        for name in archive.namelist():
            parts[name] = archive.read(name).replace(b"<v>987654321</v>", b"<v>1E400</v>")
    with zipfile.ZipFile(book, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    (told,) = errors(imported(book, raw))
    assert told.startswith(f"{PCR_2} {column} (")
    assert told.endswith("): the cell holds a number that is too large. Type it again.")


@pytest.mark.parametrize("number_format", ["0.0", "0.000", "#,##0.000"])
def test_a_whole_number_shown_with_decimals_is_that_number(
    number_format: str, tmp_path: Path
) -> None:
    raw = copy_of(VALID, tmp_path)
    book = edited(raw, _put("trials", "n_randomised", 2, 210, number_format))
    result = imported(book, raw)
    assert (errors(result), result.plan.difference) == ([], ())


def test_a_day_typed_as_a_day_is_that_day(tmp_path: Path) -> None:
    """Not 2 March: a spreadsheet stores a date, in whatever order it displays it."""
    raw = copy_of(VALID, tmp_path)
    day = datetime.datetime(2026, 2, 3)
    result = imported(edited(raw, _put("search_log", "date", 2, day, "mm/dd/yyyy")), raw)
    assert errors(result) == []
    at = column_of("search_log", "date") - 1
    assert cells_of(raw, "search_log")[1][at] == "2026-02-03"


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def edit(workbook: Any) -> None:
        for name in ("a date where a number stood", "a decimal comma", "an error value"):
            FAULTS[name].edit(workbook)

    told = errors(imported(edited(raw, edit), raw))
    assert [line.split(": ")[0].rpartition(" ")[2] for line in told] == ["(G2)", "(H2)", "(I2)"]


def _archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


def _strict() -> bytes:
    """A workbook as Excel saves it as "Strict Open XML Spreadsheet": other names of elements."""
    content = io.BytesIO()
    common = b"http://schemas.openxmlformats.org"
    with zipfile.ZipFile(SAVED_BY_LIBREOFFICE) as saved, zipfile.ZipFile(content, "w") as archive:
        for name in saved.namelist():
            part = saved.read(name).replace(
                common + b"/spreadsheetml/2006/main",
                b"http://purl.oclc.org/ooxml/spreadsheetml/main",
            )
            part = part.replace(
                common + b"/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
            archive.writestr(name, part)
    return content.getvalue()


OTHER_FILES = {
    "an empty file": (b"", "the file is empty."),
    "a CSV file": (b"a,b\n1,2\n", "this is not a workbook."),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(600), "a workbook of the old kind (.xls)."),
    "a password": (
        b"\xd0\xcf\x11\xe0" + bytes(99) + "EncryptedPackage".encode("utf-16-le"),
        "the workbook is protected by a password. Save it without one.",
    ),
    "OpenDocument": (_archive("mimetype", "content.xml"), "an OpenDocument file (.ods)."),
    "Numbers": (_archive("Index/Document.iwa"), "this is a Numbers document."),
    "a binary workbook": (_archive("xl/workbook.bin"), "this is a binary workbook (.xlsb)."),
    "a strict workbook": (_strict(), "this is a strict Open XML workbook. Save it as an Excel"),
    "a text document": (_archive("word/document.xml"), "this is not a workbook."),
    "half a workbook": (SAVED_BY_LIBREOFFICE.read_bytes()[:40_000], "not copied completely."),
    "an archive without a workbook": (_archive("xl/styles.xml"), "the file is damaged"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_another_kind_of_file_is_named(name: str, tmp_path: Path) -> None:
    content, words = OTHER_FILES[name]
    book = tmp_path / "book.xlsx"
    book.write_bytes(content)
    [problem] = read_book(book, DICTIONARY).problems
    assert problem.line().startswith("book.xlsx: ")
    assert words in problem.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    [problem] = read_book(tmp_path / "book.xlsx", DICTIONARY).problems
    assert problem.line() == "book.xlsx: there is no such workbook."


def test_a_workbook_of_something_else_misses_every_table(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.active["A1"] = "shopping"
    workbook.save(tmp_path / "book.xlsx")
    problems = read_book(tmp_path / "book.xlsx", DICTIONARY).problems
    assert len(problems) == 1 + len(DICTIONARY.tables)


def test_a_folder_of_other_files_is_located(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    folder = tmp_path / "from_excel"
    folder.mkdir()
    for name, content in files_of(VALID).items():
        (folder / name).write_bytes(content.replace(b",", b";") if name == "pcr.csv" else content)
    (folder / "arms.csv").unlink()
    told = errors(imported(folder, raw))
    assert told[0] == "from_excel/arms.csv: the file is missing."
    assert told[1].startswith("from_excel/pcr.csv, row 1: the cells are separated by semicolons")


@settings(max_examples=30, database=None, derandomize=True)
@given(st.integers(0, 84_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_is_reported_or_read(position: int, damage: bytes) -> None:
    content = SAVED_BY_LIBREOFFICE.read_bytes()
    damaged = content[:position] + damage + content[position + len(damage) :]
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.xlsx"
        book.write_bytes(damaged)
        found = read_book(book, DICTIONARY)
    assert found.problems or len(found.tables) == len(DICTIONARY.tables)
