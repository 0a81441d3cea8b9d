"""An unedited workbook does not change a single byte of the sheet."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from trial_evidence.sheet import Dictionary
from trial_evidence.workbook.layout import as_csv
from trial_evidence.workbook.write import write_workbook
from workbook_files import (
    DICTIONARY,
    REAL,
    REAL_DICTIONARY,
    SAVED_BY_LIBREOFFICE,
    VALID,
    cells_of,
    copy_of,
    edit_again,
    edited,
    errors,
    files_of,
    imported,
    some_of_the_real,
)


@pytest.mark.parametrize(
    ("sheet", "dictionary"),
    [(VALID, DICTIONARY), (REAL, REAL_DICTIONARY)],
    ids=["made-up", "real"],
)
def test_an_untouched_workbook_changes_nothing(
    sheet: Path, dictionary: Dictionary, tmp_path: Path
) -> None:
    raw = copy_of(sheet, tmp_path)
    book = tmp_path / "book.xlsx"
    write_workbook(raw, dictionary, book)
    result = imported(book, raw, dictionary)
    assert (errors(result), result.plan.difference, result.written) == ([], (), ())
    assert files_of(raw) == files_of(sheet)


def test_a_workbook_saved_by_libreoffice_changes_nothing(tmp_path: Path) -> None:
    """The file was made from made_up/sheet with `write_workbook`, then opened and saved by
    LibreOffice 7.4: `soffice --headless --convert-to xlsx --outdir saved book.xlsx`.
    """
    raw = copy_of(VALID, tmp_path)
    result = imported(SAVED_BY_LIBREOFFICE, raw)
    assert (errors(result), result.plan.difference, result.plan.questions) == ([], (), ())


def test_an_edit_of_a_workbook_saved_by_libreoffice_is_seen(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    book = tmp_path / "saved.xlsx"
    book.write_bytes(SAVED_BY_LIBREOFFICE.read_bytes())
    edit_again(book, lambda workbook: workbook["pcr"].__setitem__("G2", 41))
    assert "events changed from 42 to 41" in imported(book, raw).plan.difference[1]


def _without(table: str, columns: Sequence[str]) -> Callable[[Any], None]:
    def edit(workbook: Any) -> None:
        for column in columns:
            names = [cell.value for cell in workbook[table][1]]
            workbook[table].delete_cols(names.index(column) + 1)

    return edit


def test_optional_columns_that_are_left_out_stay_as_they_are_and_that_is_said(
    tmp_path: Path,
) -> None:
    def edit(workbook: Any) -> None:
        # The sheet has no outcome, so that it is not missed; the others hold text.
        _without("pcr", ["public_note", "outcome"])(workbook)
        _without("sources", ["issue", "authors"])(workbook)

    raw = some_of_the_real(tmp_path)
    before = files_of(raw)
    result = imported(edited(raw, edit, REAL_DICTIONARY), raw, REAL_DICTIONARY)
    assert (errors(result), result.written, files_of(raw)) == ([], (), before)
    assert sorted(result.plan.difference) == [
        "pcr: without the column public_note, which stays as it is in the sheet.",
        "sources: without the columns authors, issue, which stay as they are in the sheet.",
    ]


OPTIONAL_TABLES = [name for name, table in REAL_DICTIONARY.tables.items() if table.optional]


@pytest.mark.parametrize("table", OPTIONAL_TABLES)
def test_a_table_that_a_folder_lacks_stays_as_it_is_and_that_is_said(
    table: str, tmp_path: Path
) -> None:
    raw = some_of_the_real(tmp_path)
    before = files_of(raw)
    folder = Path(shutil.copytree(raw, tmp_path / "from_elsewhere"))
    file = folder / f"{table}.csv"
    header, *rows = cells_of(folder, table)
    file.unlink()
    lacking = imported(folder, raw, REAL_DICTIONARY)
    assert (errors(lacking), lacking.plan.questions, files_of(raw)) == ([], (), before)
    counted = f"{len(rows)} row" if len(rows) == 1 else f"{len(rows)} rows"
    said = f"{table}: there is no {table}.csv in from_elsewhere; the table stays as it is in the "
    assert lacking.plan.difference == ((f"{said}sheet ({counted}).",) if rows else ())
    # A file that exists but has no rows means that all rows would be removed.
    file.write_text(",".join(header) + "\n")
    emptied = imported(folder, raw, REAL_DICTIONARY)
    assert emptied.plan.questions == (
        (f"{len(rows)} of the {counted} of {table} would be removed.",) if rows else ()
    )


def test_a_fault_in_a_table_that_a_folder_lacks_is_told_where_it_stands(tmp_path: Path) -> None:
    raw = some_of_the_real(tmp_path)
    before = files_of(raw)
    folder = Path(shutil.copytree(raw, tmp_path / "from_elsewhere"))
    (folder / "harms.csv").unlink()
    trial, arm = cells_of(raw, "harms")[1][:2]
    arms = folder / "arms.csv"
    arms.write_text(arms.read_text().replace(f"{trial},{arm},", f"{trial},another_arm,"))
    said = errors(imported(folder, raw, REAL_DICTIONARY))
    # Located in the sheet's own file, because the folder has none.
    assert any(line.startswith(f"harms.csv, row 2 ({trial}), column arm_id: ") for line in said)
    assert files_of(raw) == before


def test_a_column_that_is_left_out_stays_where_rows_change_move_come_and_go(
    tmp_path: Path,
) -> None:
    def edit(workbook: Any) -> None:
        _without("pcr", ["public_note"])(workbook)
        sheet = workbook["pcr"]
        names = [cell.value for cell in sheet[1]]
        new = dict(zip(names, [cell.value for cell in sheet[5]], strict=True))
        new["locator"] = "Supplement"
        sheet.cell(2, names.index("locator") + 1).value = "Another place"
        sheet.delete_rows(10)
        sheet.append([*new.values()])

    raw = some_of_the_real(tmp_path)
    before = cells_of(raw, "pcr")
    result = imported(edited(raw, edit, REAL_DICTIONARY), raw, REAL_DICTIONARY)
    assert (errors(result), result.written) == ([], ("pcr.csv",))
    note = before[0].index("public_note")
    left = [row[note] for number, row in enumerate(before, start=1) if number != 10]
    assert [row[note] for row in cells_of(raw, "pcr")] == [*left, ""]


def test_a_file_of_a_folder_may_leave_a_column_out(tmp_path: Path) -> None:
    raw = some_of_the_real(tmp_path)
    before = files_of(raw)
    folder = copy_of(raw, tmp_path / "other")
    cells = cells_of(raw, "sources")
    at = cells[0].index("authors")
    (folder / "sources.csv").write_text(
        as_csv([[*row[:at], *row[at + 1 :]] for row in cells]), encoding="utf-8"
    )
    result = imported(folder, raw, REAL_DICTIONARY)
    assert (errors(result), files_of(raw)) == ([], before)
    (said,) = result.plan.difference
    assert said == "sources: without the column authors, which stays as it is in the sheet."


def test_the_folder_itself_changes_nothing(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    result = imported(VALID, raw)
    assert (errors(result), result.plan.difference) == ([], ())


def test_the_same_sheet_gives_the_same_bytes(tmp_path: Path) -> None:
    books = [tmp_path / "one.xlsx", tmp_path / "two.xlsx"]
    for book in books:
        write_workbook(VALID, DICTIONARY, book)
    assert books[0].read_bytes() == books[1].read_bytes()


NOTES = {
    "an equals sign": "=> see the text",
    "a plus": "+49 of 107",
    "a minus": "-5",
    "an at sign": "@reader",
    "an apostrophe": "'quoted'",
    "like an error value": "#N/A in print",
    "a logical value": "TRUE",
    "a date": "2026-11-22",
    "a fraction": "9/12",
    "leading zeros": "007",
    "many digits": "12345678901234567890",
    "an escape": "_x000A_",
    "markup": "<b>&amp;</b>",
    "letters of all kinds": "café ≥ 5 µg – α 中 \U0001f600",
    "a line break": "one\ntwo",
    "a carriage return": "one\r\ntwo",
    "blanks at the ends": " note ",
    "a no-break space": "5\u00a0mg",
    "quotation marks": 'said "no"',
}


PERCENTS = ("40", "40.0", "40.00", "0", "0.0", "0.1", "99.999999", "04.0", "4e1", ".5")


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], bytes, list[str]]:
    """All texts and numbers after a round trip: their rows, the files, and the differences.

    Each text is the note of an agent, each number the percentage in a row of counts.
    """
    raw = copy_of(VALID, tmp_path_factory.mktemp("passed"))
    agents, pcr = raw / "agents.csv", raw / "pcr.csv"
    rows = []
    for number, note in enumerate(NOTES.values()):
        quoted = '"' + note.replace('"', '""') + '"'
        rows.append(f"agent-{number},Agent {number},antibody,,{quoted}\n".encode())
    agents.write_bytes(agents.read_bytes() + b"".join(rows))
    header, *lines = pcr.read_bytes().splitlines(keepends=True)
    at = header.split(b",").index(b"reported_percent")
    for number, percent in enumerate(PERCENTS):
        cells = lines[number].split(b",")
        cells[at] = percent.encode()
        lines[number] = b",".join(cells)
    pcr.write_bytes(b"".join([header, *lines]))
    before = files_of(raw)
    book = raw.parent / "book.xlsx"
    write_workbook(raw, DICTIONARY, book)
    result = imported(book, raw)
    after = files_of(raw)
    changed = [name for name in before if after[name] != before[name]]
    differing = [*errors(result), *result.plan.difference, *changed]
    return [*rows, *lines[: len(PERCENTS)]], after["agents.csv"] + after["pcr.csv"], differing


@pytest.mark.parametrize("place", range(len(NOTES)), ids=NOTES)
def test_a_text_comes_back_as_it_stands(
    place: int, passed: tuple[list[bytes], bytes, list[str]]
) -> None:
    rows, after, differing = passed
    assert differing == []
    assert after.count(rows[place]) == 1


@pytest.mark.parametrize("place", range(len(PERCENTS)), ids=PERCENTS)
def test_a_number_comes_back_with_its_decimals(
    place: int, passed: tuple[list[bytes], bytes, list[str]]
) -> None:
    rows, after, differing = passed
    assert differing == []
    assert after.count(rows[len(NOTES) + place]) == 1


FORMS = {
    "Windows line ends": lambda content: content.replace(b"\n", b"\r\n"),
    "a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "no end of the last line": lambda content: content.rstrip(b"\n"),
    "every cell in quotation marks": lambda content: b"\n".join(
        b",".join(b'"' + cell + b'"' for cell in line.split(b","))
        for line in content.rstrip(b"\n").split(b"\n")
    ),
    "empty lines": lambda content: content.replace(b"\n", b"\n\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_edit_leaves_the_form_of_other_rows_alone(form: str, tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    file = raw / "populations.csv"
    file.write_bytes(FORMS[form](file.read_bytes()))
    before = file.read_bytes()
    old, new = b"HER2+ HR-negative", b"HER2+ HR-neg"
    assert before.count(old) == 1
    book = edited(raw, lambda workbook: workbook["populations"].__setitem__("C2", new.decode()))
    imported(book, raw)
    # Unnecessary quotation marks disappear from a row that is written again.
    after = file.read_bytes()
    assert after.replace(b'"', b"") == before.replace(old, new).replace(b'"', b"")
    unchanged = [line for line in before.splitlines(keepends=True) if old not in line]
    assert [line for line in after.splitlines(keepends=True) if new not in line] == unchanged


def test_sorted_rows_are_no_change(tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)

    def sort(workbook: Any) -> None:
        sheet = workbook["pcr"]
        rows = [[(c.value, c.number_format) for c in row] for row in sheet.iter_rows(min_row=2)]
        for number, row in enumerate(reversed(rows), start=2):
            for position, (value, number_format) in enumerate(row, start=1):
                cell = sheet.cell(number, position)
                cell.value, cell.number_format = value, number_format

    result = imported(edited(raw, sort), raw)
    assert (errors(result), result.plan.difference) == ([], ())
