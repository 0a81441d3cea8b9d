"""The typed data frames."""

from __future__ import annotations

import math

import pytest
from sheet_files import DICTIONARY, VALID
from trial_evidence.sheet import Sheet, load_sheet
from trial_evidence.sheet.dictionary import NUMBER_TYPES


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return load_sheet(VALID, DICTIONARY)[0]


def test_every_table_and_column_of_the_dictionary_is_there(sheet: Sheet) -> None:
    for name, table in DICTIONARY.tables.items():
        assert set(table.columns) <= set(sheet[name].columns)


def test_numbers_are_numbers_and_all_else_is_text(sheet: Sheet) -> None:
    for name, table in DICTIONARY.tables.items():
        for column in table.columns.values():
            values = sheet[name][column.name]
            if column.type in NUMBER_TYPES or column.type == "p_value":
                assert values.dtype == "float64"
            else:
                assert all(isinstance(value, str) for value in values)


def test_a_row_is_read_as_it_stands(sheet: Sheet) -> None:
    # hazard_ratios.csv, row 13: 0.86 (0.71 to 1.04), 97.5%, p = 0.076, no number of events.
    rows = sheet["hazard_ratios"]
    row = rows[rows["row"] == 13].iloc[0]
    assert row["trial_id"] == "trial_g"
    assert (row["hr"], row["ci_low"], row["ci_high"]) == (0.86, 0.71, 1.04)
    assert (row["ci_level"], row["p_value"], row["p_value_operator"]) == (97.5, 0.076, "=")
    assert math.isnan(row["events_experimental"])


def test_a_p_value_below_a_bound_keeps_its_sign(sheet: Sheet) -> None:
    rows = sheet["hazard_ratios"]
    row = rows[rows["p_value_printed"] == "<0.001"].iloc[0]
    assert (row["p_value"], row["p_value_operator"]) == (0.001, "<")


def test_an_empty_p_value_has_no_sign(sheet: Sheet) -> None:
    rows = sheet["hazard_ratios"]
    row = rows[rows["p_value_printed"] == ""].iloc[0]
    assert math.isnan(row["p_value"])
    assert row["p_value_operator"] == ""


def test_printed_decimals_are_kept(sheet: Sheet) -> None:
    rows = sheet["hazard_ratios"]
    row = rows[(rows["trial_id"] == "trial_c") & (rows["analysis"] == "final")].iloc[0]
    assert (row["hr_printed"], row["ci_low_printed"]) == ("0.80", "0.50")


def test_an_empty_cell_is_not_a_number_and_an_empty_text(sheet: Sheet) -> None:
    rows = sheet["hazard_ratios"]
    one_limit = rows[rows["trial_id"] == "trial_m"].iloc[0]
    assert math.isnan(one_limit["ci_low"])
    assert sheet["exclusions"]["arm_id"].iloc[0] == ""
