"""Sheets and workbooks of the tests, edited as an analyst would."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from trial_evidence.sheet import Dictionary, find_problems, read_dictionary
from trial_evidence.words.problems import Problem
from trial_evidence.workbook.layout import as_csv
from trial_evidence.workbook.transfer import ImportPlan, ImportResult, import_book
from trial_evidence.workbook.write import write_workbook

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT / "data" / "raw"
REAL_DICTIONARY: Dictionary = read_dictionary(ROOT / "workflow" / "dictionary")
# A separate sheet with its own dictionary: the workbooks saved by LibreOffice
# contain exactly this sheet, which must not change with the project's.
HERE = Path(__file__).resolve().parent / "made_up"
VALID = HERE / "sheet"
DICTIONARY: Dictionary = read_dictionary(HERE / "dictionary")
SAVED_BY_LIBREOFFICE = HERE / "saved_by_libreoffice.xlsx"
WITH_A_FORMULA = HERE / "formula_saved_by_libreoffice.xlsx"


def check(folder: Path) -> tuple[Problem, ...]:
    """Check a made-up sheet as the pipeline checks the real one."""
    return find_problems(folder, DICTIONARY)


def copy_of(sheet: Path, folder: Path) -> Path:
    """Return a copy of a sheet that a test may change."""
    raw = folder / "raw"
    shutil.copytree(sheet, raw)
    return raw


def some_of_the_real(folder: Path) -> Path:
    """Return the real sheet with only the trials at the top of each table, and their sources."""
    raw = copy_of(REAL, folder)
    tables = [path.stem for path in raw.glob("*.csv")]
    _keep(
        raw, tables, "trial_id", {t for name in tables for t in _column(raw, name, "trial_id")[:1]}
    )
    cited = {s for name in tables if name != "sources" for s in _column(raw, name, "source_id")}
    _keep(raw, ["sources"], "source_id", cited)
    return raw


def _column(raw: Path, table: str, name: str) -> list[str]:
    header, *rows = cells_of(raw, table)
    return [row[header.index(name)] for row in rows] if name in header else []


def _keep(raw: Path, tables: Iterable[str], column: str, words: Collection[str]) -> None:
    """Remove the rows of these tables with other words in a column."""
    for table in tables:
        header, *rows = cells_of(raw, table)
        if column in header:
            at = header.index(column)
            left = as_csv([header, *(row for row in rows if row[at] in words)])
            (raw / f"{table}.csv").write_text(left, encoding="utf-8")


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a sheet, file name to content."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def cells_of(folder: Path, table: str) -> list[list[str]]:
    """Return the cells of a table, with the header first."""
    text = (folder / f"{table}.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def column_of(table: str, column: str) -> int:
    """Return the position of a column in a workbook, from 1."""
    return list(DICTIONARY.tables[table].columns).index(column) + 1


def edited(raw: Path, edit: Callable[[Any], object], dictionary: Dictionary = DICTIONARY) -> Path:
    """Return a workbook of the sheet after an edit."""
    book = raw.parent / "book.xlsx"
    if files_of(raw) == files_of(VALID):
        book.write_bytes(_valid_workbook())
    else:
        write_workbook(raw, dictionary, book)
    return edit_again(book, edit)


@cache
def _valid_workbook() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.xlsx"
        write_workbook(VALID, DICTIONARY, book)
        return book.read_bytes()


def edit_again(book: Path, edit: Callable[[Any], object]) -> Path:
    """Edit an existing workbook."""
    workbook = load_workbook(book)
    edit(workbook)
    workbook.save(book)
    return book


def append(workbook: Any, table: str, **cells: object) -> None:
    """Type a row below the last one of a table."""
    sheet = workbook[table]
    row = sheet.max_row + 1
    heads = [cell.value for cell in sheet[1]]
    for column, value in cells.items():
        sheet.cell(row, heads.index(column) + 1).value = value


def imported(
    book: Path, raw: Path, dictionary: Dictionary = DICTIONARY, *, confirmed: bool = False
) -> ImportResult:
    """Import a workbook without reviewing the plan."""
    return import_book(book, raw, dictionary, show=_nothing, confirmed=confirmed)


def errors(result: ImportResult) -> list[str]:
    """Return the errors of an import as the user sees them."""
    return [p.line() for p in result.plan.problems if p.severity == "error"]


def _nothing(plan: ImportPlan) -> None:
    """Show nothing."""
