"""The valid sheet of the tests, with changed cells and rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from trial_evidence.audit.findings import Finding
from trial_evidence.sheet import Dictionary, Sheet, read_dictionary
from trial_evidence.sheet.check import check_sheet, read_tables
from trial_evidence.sheet.tables import typed_sheet

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT / "data" / "raw"
FROZEN = ROOT / "tests" / "reference" / "frozen_sheet"
VALID = ROOT / "tests" / "sheets" / "valid"
DICTIONARY: Dictionary = read_dictionary(ROOT / "workflow" / "dictionary")

Row = Mapping[str, str]


def sheet_with(
    edits: Iterable[tuple[str, int, Row]] = (), added: Iterable[tuple[str, Row]] = ()
) -> Sheet:
    """Return the valid sheet after some edits.

    Parameters
    ----------
    edits : iterable of (table, row of the spreadsheet, column -> text)
    added : iterable of (table, column -> text)
        Rows appended at the end; columns left out are empty.
    """
    tables = {path.stem: _read(path.read_text(encoding="utf-8")) for path in VALID.glob("*.csv")}
    for table, number, cells in edits:
        header, rows = tables[table]
        for column, text in cells.items():
            rows[number - 2][header.index(column)] = text
    for table, cells in added:
        header, rows = tables[table]
        assert set(cells) <= set(header)
        rows.append([cells.get(column, "") for column in header])
    files = {name: _write(header, rows) for name, (header, rows) in tables.items()}
    checked, problems = check_sheet(*read_tables(files, DICTIONARY), DICTIONARY)
    assert [problem.line() for problem in problems if problem.severity == "error"] == []
    return typed_sheet(checked)


def row_of(table: str, number: int, **changes: str) -> tuple[str, Row]:
    """Return a row of the valid sheet with some cells changed, for adding."""
    header, rows = _read((VALID / f"{table}.csv").read_text(encoding="utf-8"))
    return table, {**dict(zip(header, rows[number - 2], strict=True)), **changes}


def found_by(check: Callable[[Sheet], Iterable[Finding]], sheet: Sheet) -> list[Finding]:
    """Return what a check finds in a sheet but not in the valid one."""
    usual = _usual(check)
    return [finding for finding in check(sheet) if finding.id not in usual]


@cache
def valid_sheet() -> Sheet:
    """Return the valid sheet. Do not modify it."""
    return sheet_with()


@cache
def _usual(check: Callable[[Sheet], Iterable[Finding]]) -> frozenset[str]:
    return frozenset(finding.id for finding in check(valid_sheet()))


def _read(text: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return header, rows


def _write(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode("utf-8")
