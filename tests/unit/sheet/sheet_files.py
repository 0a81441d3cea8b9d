"""The sheets of the tests and how to read them."""

from __future__ import annotations

from pathlib import Path

from trial_evidence.sheet import Dictionary, read_dictionary
from trial_evidence.sheet.check import check_sheet, read_tables
from trial_evidence.sheet.checked import CheckedTable
from trial_evidence.words.problems import Problem

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT / "data" / "raw"
VALID = ROOT / "tests" / "sheets" / "valid"
# Thirteen trials of an earlier real sheet, for exact expectations about real results.
FROZEN = ROOT / "tests" / "reference" / "frozen_sheet"
DICTIONARY: Dictionary = read_dictionary(ROOT / "workflow" / "dictionary")


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a sheet, table name to content."""
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def check(files: dict[str, bytes]) -> tuple[dict[str, CheckedTable], list[Problem]]:
    """Check files against the project's dictionary."""
    tables, problems = check_sheet(*read_tables(files, DICTIONARY), DICTIONARY)
    return tables, list(problems)


def lines(files: dict[str, bytes]) -> list[str]:
    """Return the messages about a sheet."""
    return [problem.line() for problem in check(files)[1]]
