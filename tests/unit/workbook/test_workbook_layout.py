"""What an analyst finds in the workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from trial_evidence.workbook.write import write_workbook
from workbook_files import DICTIONARY, REAL, REAL_DICTIONARY, VALID, cells_of, column_of, copy_of


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    book = tmp_path_factory.mktemp("layout") / "book.xlsx"
    write_workbook(REAL, REAL_DICTIONARY, book)
    return load_workbook(book)


def _rules(sheet: Any, column: str) -> list[Any]:
    position = column_of(sheet.title, column)
    return [
        rule
        for rule in sheet.data_validations.dataValidation
        if any(area.min_col <= position <= area.max_col for area in rule.sqref.ranges)
    ]


def test_the_sheets_follow_the_dictionary(workbook: Any) -> None:
    assert workbook.sheetnames == ["read me", *REAL_DICTIONARY.tables, "lists", "made from"]
    hidden = [sheet.title for sheet in workbook if sheet.sheet_state != "visible"]
    assert hidden == ["lists", "made from"]


def test_the_first_sheet_tells_of_what_is_private(workbook: Any) -> None:
    said = [cell.value for cell in workbook["read me"]["B"] if cell.value]
    assert any("begins with an underscore" in line and "never" in line for line in said)
    assert any("Do not write NA, NR, - or 0 instead." in line for line in said)


@pytest.mark.parametrize("table", REAL_DICTIONARY.tables)
def test_every_column_has_its_note(workbook: Any, table: str) -> None:
    for cell, column in zip(
        workbook[table][1], REAL_DICTIONARY.tables[table].columns.values(), strict=True
    ):
        assert cell.value == column.name
        assert cell.comment.text.startswith(column.meaning.replace("`", ""))


def test_a_note_says_unit_range_and_example(workbook: Any) -> None:
    note = workbook["hazard_ratios"].cell(1, column_of("hazard_ratios", "hr")).comment.text
    assert note.split("\n") == [
        "Hazard ratio as printed, with its decimals.",
        "",
        "Allowed: above 0",
        "Must be filled in.",
        "Example: 0.81",
    ]


@pytest.mark.parametrize(
    ("table", "column", "lines"),
    [
        ("pcr", "events", ["Unit: patients", "Allowed: 0 or more", "Must be filled in."]),
        ("pcr", "definition", ["Allowed: ypT0/is ypN0, ypT0/is, ypT0 ypN0, not stated"]),
        ("pcr", "arm_id", ["Listed in: sheet arms, column arm_id", "Must be filled in."]),
        ("trials", "trial_id", ["Each value only once.", "Must be filled in."]),
        ("pcr", "locator", ["May be empty."]),
    ],
)
def test_a_note_says_all_that_the_dictionary_allows(
    workbook: Any, table: str, column: str, lines: list[str]
) -> None:
    names = {cell.value: cell for cell in workbook[table][1]}
    said = names[column].comment.text.split("\n")
    assert [line for line in said if line in lines] == lines


def _coloured(sheet: Any, kind: str) -> dict[str, str]:
    """The formula of each part of a worksheet with conditional fill or border."""
    return {
        str(part.sqref): rule.formula[0]
        for part, rules in sheet.conditional_formatting._cf_rules.items()
        for rule in rules
        if getattr(rule.dxf, kind) is not None
    }


def test_a_cell_that_has_to_be_filled_in_is_red_while_it_is_empty(workbook: Any) -> None:
    """And no other cell: an analyst might fill in what no source reports."""
    sheet = workbook["populations"]
    last = len(cells_of(REAL, "populations")) + 500
    assert _coloured(sheet, "fill") == {
        f"{letter}2:{letter}{last}": f"AND(COUNTA($A2:$C2)>0,LEN(TRIM({letter}2))=0)"
        for letter in "ABC"
    }
    assert not any(cells.startswith("K") for cells in _coloured(workbook["pcr"], "fill"))


def test_a_line_stands_above_each_new_trial(workbook: Any) -> None:
    """Elsewhere it would separate rows of the same trial."""
    (formula,) = _coloured(workbook["populations"], "border").values()
    assert formula == "AND($A2<>$A1,COUNTA($A2:$C2)>0)"


def test_what_must_be_filled_in_has_a_dark_header(workbook: Any) -> None:
    """As the first worksheet explains."""
    inks = {cell.value: cell.fill.fgColor.rgb for cell in workbook["pcr"][1]}
    assert len(set(inks.values())) == 2
    # By the sum of red, green and blue: smaller is darker.
    dark = {n for n, ink in inks.items() if sum(bytes.fromhex(ink[2:])) < 300}
    assert dark == set(inks) - {"reported_percent", "locator", "note", "outcome", "public_note"}


def test_each_table_is_linked_from_the_first_sheet(workbook: Any) -> None:
    names = {cell.value: cell.hyperlink for cell in workbook["read me"]["B"] if cell.hyperlink}
    assert {name: link.target for name, link in names.items()} == {
        name: f"#'{name}'!A1" for name in REAL_DICTIONARY.tables
    }


@pytest.mark.parametrize(
    ("table", "panes"), [("agents", "B2"), ("arms", "C2"), ("hazard_ratios", "C2")]
)
def test_header_and_ids_stay_in_sight(workbook: Any, table: str, panes: str) -> None:
    assert workbook[table].freeze_panes == panes


def test_every_table_can_be_filtered(workbook: Any) -> None:
    # The header and a row for every arm.
    assert workbook["arms"].auto_filter.ref == f"A1:I{len(cells_of(REAL, 'arms'))}"


def test_words_are_offered(workbook: Any) -> None:
    [rule] = _rules(workbook["pcr"], "definition")
    assert rule.formula1 == '"ypT0/is ypN0,ypT0/is,ypT0 ypN0,not stated"'
    assert rule.errorStyle == "stop"


def test_ids_of_other_tables_are_offered_with_room_for_new_ones(workbook: Any) -> None:
    [rule] = _rules(workbook["arms"], "trial_id")
    # The last row is the number of trials plus the header; 500 more rows may follow.
    trials, arms = len(cells_of(REAL, "trials")) + 500, len(cells_of(REAL, "arms")) + 500
    own = f"'trials'!$A$2:$A${trials}"
    assert rule.formula1 == f"OFFSET('trials'!$A$2,0,0,MAX(1,COUNTA({own})),1)"
    assert str(rule.sqref) == f"A2:A{arms}"


def test_an_id_is_offered_from_its_own_column(workbook: Any) -> None:
    """Column A of the arms holds their trials."""
    [rule] = _rules(workbook["pcr"], "arm_id")
    assert rule.formula1.startswith("OFFSET('arms'!$B$2,0,0,MAX(1,COUNTA('arms'!$B$2:$B$")


def test_combinations_of_agents_are_offered_but_not_imposed(workbook: Any) -> None:
    [rule] = _rules(workbook["arms"], "agents")
    assert not rule.showErrorMessage
    offered = [cell.value for (cell,) in workbook["lists"][rule.formula1.partition("!")[2]]]
    header, *rows = cells_of(REAL, "arms")
    assert offered == sorted({row[header.index("agents")] for row in rows} - {""})


def test_ids_and_texts_are_text_and_numbers_are_numbers(workbook: Any) -> None:
    header, *rows = cells_of(REAL, "pcr")
    at, first = next(
        (at, row)
        for at, row in enumerate((dict(zip(header, r, strict=True)) for r in rows), start=2)
        if row["reported_percent"].endswith(".0")
    )
    row = {cell.value: workbook["pcr"].cell(at, cell.column) for cell in workbook["pcr"][1]}
    assert [(row[name].value, row[name].number_format) for name in ("arm_id", "events")] == [
        (first["arm_id"], "@"),
        (int(first["events"]), "0"),
    ]
    percent = row["reported_percent"]
    assert (percent.value, percent.number_format) == (float(first["reported_percent"]), "0.0")


def test_new_rows_keep_what_is_typed(workbook: Any) -> None:
    formats = {
        name: workbook["hazard_ratios"].column_dimensions[letter].number_format
        for name, letter in (("trial_id", "A"), ("hr", "I"), ("p_value", "M"), ("n_control", "R"))
    }
    assert formats == {"trial_id": "@", "hr": "@", "p_value": "@", "n_control": "General"}


@pytest.mark.parametrize("mark", "=+-@")
def test_a_text_is_never_a_formula(mark: str, tmp_path: Path) -> None:
    raw = copy_of(VALID, tmp_path)
    file = raw / "agents.csv"
    file.write_text(file.read_text() + f"agent-x,{mark}1+cmd|A1,antibody,,\n")
    book = tmp_path / "book.xlsx"
    write_workbook(raw, DICTIONARY, book)
    cell = load_workbook(book)["agents"]["B8"]
    assert (cell.value, cell.data_type, cell.number_format) == (f"{mark}1+cmd|A1", "s", "@")
    assert cell.quotePrefix


def test_the_read_me_counts_the_rows(workbook: Any) -> None:
    rows = {row[1]: row[2] for row in workbook["read me"].iter_rows(values_only=True)}
    for table in ("trials", "arms", "pcr"):
        assert rows[table] == len(cells_of(REAL, table)) - 1
