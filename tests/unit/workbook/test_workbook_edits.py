"""Anything typed into a cell gives a message with its location, or changes only that cell."""

from __future__ import annotations

import datetime
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from trial_evidence.workbook.write import write_workbook
from workbook_files import DICTIONARY, VALID, cells_of, check, copy_of, errors, imported

TYPED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.integers(40_000, 55_000),
    st.floats(-1000, 1000).map(lambda number: round(number, 3)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(datetime.date(1990, 1, 1), datetime.date(2040, 1, 1)),
    st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2040, 1, 1)),
    st.times(),
    st.sampled_from(["#N/A", "#DIV/0!", "#VALUE!", "=A1", "=1+1", "=", "+1", "-1", "@x"]),
    st.sampled_from(["0,81", "9/12", "<0.001", "42.0", "1.00", "NA", "all", "*", " ", "\u00a0"]),
    st.sampled_from(["hormone_receptor=negative", "trastuzumab", "trial_a", "yes", "2", "95"]),
    st.text(max_size=12).filter(lambda text: not ILLEGAL_CHARACTERS_RE.search(text)),
)
FORMATS = st.sampled_from(["General", "@", "0", "0.00", "0%", "#,##0", "# ?/?", "0.0E+00"])


@pytest.fixture(scope="module")
def edited_sheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("edits")
    raw = copy_of(VALID, folder)
    write_workbook(raw, DICTIONARY, folder / "made.xlsx")
    return load_workbook(folder / "made.xlsx"), raw


@settings(
    max_examples=15,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 10**6), value=TYPED, number_format=FORMATS, as_text=st.booleans())
@example(place=0, value="=1+1", number_format="@", as_text=True)
@example(place=0, value=45912, number_format="0", as_text=False)
def test_one_edited_cell_changes_that_cell_or_is_reported(
    edited_sheet: tuple[Any, Path], place: int, value: Any, number_format: str, as_text: bool
) -> None:
    workbook, raw = edited_sheet
    tables = [table for table in DICTIONARY.tables if workbook[table].max_row > 1]
    table = tables[place % len(tables)]
    columns = list(DICTIONARY.tables[table].columns)
    row = 2 + place // 7 % (workbook[table].max_row - 1)
    position = place // 11 % len(columns)
    cell = workbook[table].cell(row, position + 1)
    before = cell.value, cell.data_type, cell.number_format
    book = raw.parent / "book.xlsx"
    try:
        cell.value = value
        # openpyxl gives dates and times their own format, as a spreadsheet does.
        if not isinstance(value, datetime.date | datetime.time):
            cell.number_format = number_format
        if isinstance(value, str) and as_text:
            cell.data_type = "s"
        workbook.save(book)
    finally:
        cell.value, cell.number_format = before[0], before[2]
        cell.data_type = before[1]
    result = imported(book, raw, confirmed=True)
    try:
        _judge(raw, table, row, columns[position], value, errors(result), result.written)
    finally:
        shutil.rmtree(raw)
        shutil.copytree(VALID, raw)


def _judge(
    raw: Path,
    table: str,
    row: int,
    column: str,
    value: Any,
    told: list[str],
    written: tuple[str, ...],
) -> None:
    position = list(DICTIONARY.tables[table].columns).index(column)
    for name in DICTIONARY.tables:
        old, new = cells_of(VALID, name), cells_of(raw, name)
        if name == table and not told:
            typed = new[row - 1][position]
            assert typed == old[row - 1][position] or _means(typed, value)
            old[row - 1][position] = typed
        assert new == old
    assert not any(problem.severity == "error" for problem in check(raw))
    if told:
        assert not written
        # Located at the edited cell, or at the cell that the edit made wrong.
        assert all(re.match(r"book\.xlsx, sheet [a-z_]+, row \d+", line) for line in told)


def _means(text: str, value: Any) -> bool:
    """Return whether a cell of the sheet means what was typed."""
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        number = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
        return number == pytest.approx(value, rel=1e-12)
    if isinstance(value, datetime.date):
        return text == value.isoformat()[:10]
    if isinstance(value, str):
        plain = re.sub("[\u00a0\u2007\u202f]", " ", re.sub("\r\n?", "\n", value)).strip(" \n")
        return text == plain or f"{text}.0" == plain
    return False
