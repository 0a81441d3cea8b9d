"""Numbers of the sheet converted to spreadsheet numbers, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.workbook.shown import as_number, hidden_date, in_percent, shortest, shown


@pytest.mark.parametrize(
    ("text", "number", "number_format"),
    [("1.00", 1.0, "0.00"), ("0.6", 0.6, "0.0"), ("107", 107, "0"), ("0.00001", 1e-5, "0.00000")],
)
def test_a_number_keeps_its_decimals_as_a_format(
    text: str, number: float, number_format: str
) -> None:
    assert as_number(text) == (number, number_format)


@pytest.mark.parametrize(
    "text",
    ["", "<0.001", "007", "1e-3", "0,81", ".5", "+1", "-", "1.", "1234567890123456", "45912"],
)
def test_what_a_spreadsheet_would_show_otherwise_stays_text(text: str) -> None:
    assert as_number(text) is None


@pytest.mark.parametrize(
    ("number", "number_format", "text"),
    [
        (42.0, "General", "42"),
        (0.1 + 0.2, "General", "0.3"),
        (0.815, "0.00", "0.815"),
        (0.7, "0.00", "0.70"),
        (1234.5, "#,##0.00", "1234.50"),
        (0.458, "0.0%", "45.8%"),
        (0.4579, "0%", "45.79%"),
        (0.00001, "General", "0.00001"),
        (2.34e-20, "General", "0.0000000000000000000234"),
        (1.2e16, "General", "12000000000000000"),
        (-3.0, "0;[Red]-0", "-3"),
        (107, "000", "107"),
        # Built-in Excel formats: negative numbers in brackets, in colour, accounting.
        (1.0, "0.00_);(0.00)", "1.00"),
        (0.8, "[Blue]0.00", "0.80"),
        (1200.5, '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)', "1200.50"),
    ],
)
def test_a_cell_gives_what_it_shows(number: float, number_format: str, text: str) -> None:
    assert shown(number, number_format) == text


@pytest.mark.parametrize("number_format", ["# ?/?", "0.0E+00", '"n = "0', "d-mmm"])
def test_other_formats_show_no_plain_number(number_format: str) -> None:
    assert shown(0.5, number_format) is None


@pytest.mark.parametrize("number", [7, 7.5, -7])
def test_leading_zeros_are_not_lost_silently(number: float) -> None:
    assert shown(number, "000.0" if number == 7.5 else "000") is None


@given(st.decimals(0, 10**8, places=4), st.integers(0, 4))
def test_every_number_comes_back(value: object, decimals: int) -> None:
    text = f"{value:.{decimals}f}"
    number = as_number(text)
    assert number is None or shown(*number) == text


@pytest.mark.parametrize("number_format", ["General", "0.00", "0%"])
def test_a_number_that_no_computer_holds_is_shown_as_such(number_format: str) -> None:
    assert shown(float("inf"), number_format) in ("inf", "inf%")
    assert shortest(float("-inf")) == "-inf"


@pytest.mark.parametrize(
    ("number_format", "scaled"),
    [("0\\ %", True), ("[Red]0.0%", True), ('0.0" %"', False), ("0.0\\%", False), ("0_%", False)],
)
def test_a_literal_percent_sign_does_not_multiply(number_format: str, scaled: object) -> None:
    """40 shown as ``40.0 %`` with a literal sign is 40; 0.4 shown as ``40 %`` is not 0.4."""
    assert in_percent(number_format) is scaled


@pytest.mark.parametrize(("year", "number"), [(2020, 44086), (2026, 46277), (2040, 51391)])
def test_12_september_is_recognised_as_a_date_from_2020_to_2040(year: int, number: int) -> None:
    """9/12 typed into a numeric cell; days are counted from 30 December 1899."""
    day = hidden_date(number, "0")
    assert day is not None
    assert (day.year, day.month, day.day) == (year, 9, 12)
