"""Harmless variations in the form of a file, and row numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from sheet_files import DICTIONARY, VALID, check, files_of, lines
from sheets.invalid.faults import as_csv, rows_of
from trial_evidence.sheet import Sheet, load_sheet
from trial_evidence.sheet.tables import typed_sheet
from trial_evidence.words.problems import SheetError


def _all_quoted(content: bytes) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows_of(content))
    return text.getvalue().encode()


def _columns_reversed(content: bytes) -> bytes:
    return as_csv([row[::-1] for row in rows_of(content)])


HARMLESS: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "Windows line ends": lambda content: content.replace(b"\n", b"\r\n"),
    "old Macintosh line ends": lambda content: content.replace(b"\n", b"\r"),
    "no line end at the end": lambda content: content.rstrip(b"\n"),
    "empty rows at the end": lambda content: content + b"\n\n" + b"," * 3 + b"\n",
    "every cell in quotation marks": _all_quoted,
    "columns in another order": _columns_reversed,
}


@cache
def plain() -> Sheet:
    """Return the valid sheet. Do not modify it."""
    return typed_sheet(check(files_of(VALID))[0])


@pytest.mark.parametrize("form", HARMLESS)
def test_the_form_of_a_file_does_not_change_the_sheet(form: str) -> None:
    changed = {name: HARMLESS[form](content) for name, content in files_of(VALID).items()}
    tables, problems = check(changed)
    assert problems == []
    sheet = typed_sheet(tables)
    for name, frame in plain().tables.items():
        assert frame.equals(sheet[name])


@pytest.mark.parametrize("name", ["margin-2", "junction-1", "octave-12", "decision-2024"])
def test_a_trial_named_like_a_month_and_a_number_is_no_date(name: str) -> None:
    """A spreadsheet writes months in full or short; the trial would be refused, or doubted."""
    files = files_of(VALID)
    changed = {
        table: content.replace(b"trial_a", name.encode()).replace(b"Trial A", name.upper().encode())
        for table, content in files.items()
    }
    assert changed != files
    assert check(changed)[1] == []


@pytest.mark.parametrize("day", ["2-Mar", "Mar-12", "1. März", "September 2012", "3-Dez-24"])
def test_a_date_in_place_of_a_name_is_doubted(day: str) -> None:
    files = files_of(VALID)
    rows = rows_of(files["trials"])
    rows[1][rows[0].index("name")] = day
    (problem,) = check(files | {"trials": as_csv(rows)})[1]
    assert problem.message.startswith(f'"{day}" is a date. If something else was typed')


def test_a_cell_with_line_breaks_is_one_row() -> None:
    files = files_of(VALID)
    rows = rows_of(files["pcr"])
    rows[1][-1] = "first line\nsecond line\nthird line"
    rows[4][6] = "many"
    assert lines({**files, "pcr": as_csv(rows)}) == [
        'pcr.csv, row 5 (trial_a), column events: "many" is not a whole number.'
    ]


def test_empty_rows_count_as_the_spreadsheet_counts_them() -> None:
    files = files_of(VALID)
    rows = rows_of(files["pcr"])
    rows[3][6] = "many"
    rows.insert(1, [])
    assert lines({**files, "pcr": as_csv(rows)}) == [
        'pcr.csv, row 5 (trial_a), column events: "many" is not a whole number.',
        "pcr.csv, row 2: the row is empty. Delete it.",
    ]


def test_a_bad_byte_is_found_behind_cells_with_line_breaks() -> None:
    files = files_of(VALID)
    rows = rows_of(files["pcr"])
    rows[1][-1] = "first line\nsecond line"
    rows[3][-1] = "MARK"
    content = as_csv(rows).replace(b"MARK", "naïve".encode("cp1252"))
    assert lines({**files, "pcr": content})[0].startswith(
        'pcr.csv, row 4: not saved as UTF-8: byte 0xEF (probably "ï") after "na"'
    )


def test_a_reference_into_a_row_that_was_not_read_is_not_a_second_fault() -> None:
    files = files_of(VALID)
    rows = rows_of(files["trials"])
    rows[1].append("")
    assert len(lines({**files, "trials": as_csv(rows)})) == 1


def test_files_under_another_name_are_pointed_out(tmp_path: Path) -> None:
    for name, content in files_of(VALID).items():
        new = "hazard-ratios" if name == "hazard_ratios" else name
        (tmp_path / f"{new}.csv").write_bytes(content)
    with pytest.raises(SheetError) as raised:
        load_sheet(tmp_path, DICTIONARY)
    assert [problem.line() for problem in raised.value.problems] == [
        "hazard_ratios.csv: the file is missing.",
        "hazard-ratios.csv: no table of the sheet has this name: the file was not read. "
        'Did you mean "hazard_ratios.csv"?',
    ]
    # Both are printed where only errors are.
    assert {problem.severity for problem in raised.value.problems} == {"error"}


def test_a_copy_beside_its_table_is_only_a_warning(tmp_path: Path) -> None:
    for name, content in files_of(VALID).items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    (tmp_path / "pcr (1).csv").write_bytes(b"")
    _, problems = load_sheet(tmp_path, DICTIONARY)
    assert [problem.line() for problem in problems] == [
        "pcr (1).csv: no table of the sheet has this name: the file was not read."
    ]


def test_a_folder_that_is_not_there_is_a_sheet_without_files(tmp_path: Path) -> None:
    with pytest.raises(SheetError) as raised:
        load_sheet(tmp_path / "nowhere", DICTIONARY)
    assert [p.message for p in raised.value.problems] == ["the file is missing."] * sum(
        not table.optional for table in DICTIONARY.tables.values()
    )
