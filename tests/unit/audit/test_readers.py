"""Two readers: agreement, disagreements, and the adjudicated value."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from audit_sheets import DICTIONARY, FROZEN, REAL, Row, row_of, sheet_with, valid_sheet
from trial_evidence.audit.readers import (
    disagreements,
    reading_agreement,
    unmatched_readings,
    write_readings,
)
from trial_evidence.files import records
from trial_evidence.sheet import Sheet, load_sheet
from trial_evidence.sheet.adjudication import (
    adjudication_problems,
    apply_adjudications,
    read_by_two,
    same_value,
    unadjudicated,
)
from trial_evidence.words.problems import SheetError

KEY = "arm_id=trial_a_dual;definition=ypT0/is ypN0"
DIFFERS = ("second_reading", 2, {"second_value": "43|105", "verdict": "differ"})
WHOLE = {"field": "events|n|reported_percent", "adjudicated_value": "43|105|41.0"}
HAZARD_RATIO = {
    "table": "hazard_ratios",
    "trial_id": "trial_f",
    "row_key": "trial_f_dual v trial_f_single;endpoint=iDFS;subgroup=all/all",
    "field": "hr|p_value",
    "first_value": "0.80|0.013",
    "second_value": "0.82|<0.05",
    "verdict": "differ",
}


def _decision(**cells: str) -> tuple[str, Row]:
    return "adjudication", {
        "table": "pcr",
        "trial_id": "trial_a",
        "row_key": KEY,
        "field": "events|n",
        "adjudicated_value": "43|105",
        "chosen": "second",
        "reason": "The paper corrects it.",
        "initials": "AB",
        "date": "2026-11-22",
        **cells,
    }


def _events(sheet: Sheet) -> float:
    rows = sheet["pcr"]
    return float(rows.loc[rows["row"] == 2, "events"].iloc[0])


@cache
def _frozen() -> Sheet:
    return load_sheet(FROZEN, DICTIONARY)[0]


def test_agreement_of_the_frozen_readings() -> None:
    rows = records(reading_agreement(_frozen()))[0]
    assert (rows["table"], rows["field"]) == ("all tables", "row as a whole")
    # Of 37 readings, 30 agree; six that agree are for rows that are not in the sheet.
    assert (rows["n"], rows["agree"]) == (31, 24)
    assert rows["percent"] == pytest.approx(100 * 24 / 31)
    # Wilson, z = 1.96: (0.77419 + 0.06196 +- 1.96 * sqrt(0.0056393 + 0.0009993)) / 1.12392
    assert (rows["low"], rows["high"]) == pytest.approx((60.19, 88.60), abs=0.01)


def test_agreement_is_told_field_by_field() -> None:
    found = reading_agreement(sheet_with([DIFFERS])).set_index(["table", "field"])
    assert found.loc[("pcr", "events"), ["n", "agree"]].tolist() == [1, 0]
    assert found.loc[("pcr", "n"), ["n", "agree"]].tolist() == [1, 1]


def test_values_that_cannot_be_told_apart_count_for_the_row_and_for_no_field() -> None:
    together = ("second_reading", 2, {"second_value": "43 of 105", "verdict": "differ"})
    found = reading_agreement(sheet_with([together]))
    assert found[["table", "field", "n", "agree"]].values.tolist() == [
        ["all tables", "row as a whole", 1, 0],
        ["pcr", "row as a whole", 1, 0],
    ]


def test_all_seven_differences_of_the_frozen_readings_are_listed() -> None:
    listed = disagreements(_frozen())[["trial_id", "rows", "first", "second", "sheet_holds"]]
    assert sorted(listed.itertuples(index=False, name=None)) == [
        ("adapt_her2pos_hrneg", "54", "33|91|36.3", "31|90|34.4", "second|second|second"),
        ("calgb40601", "21", "57", "51", "first"),
        ("calgb40601", "22", "45", "40", "first"),
        ("calgb40601", "23", "30", "32", "first"),
        ("calgb40601", "23", "30", "32", "first"),
        ("kristine", "2", "55.7|123", "56.1|124", "first|first"),
        ("phergain", "7", "35.4", "38", "first"),
    ]


def test_both_sources_of_a_difference_are_named() -> None:
    listed = disagreements(_frozen())
    kristine = listed[listed["trial_id"] == "kristine"].iloc[0]
    assert kristine["first_source"] == "hurvitz_2019_kristine, Abstract, Purpose"
    assert kristine["second_source"] == ("ClinicalTrials.gov NCT02131064, Results, primary outcome")


def test_readings_without_a_row_of_their_own_are_reported() -> None:
    lost = unmatched_readings(_frozen())
    # B-41 was renamed to RFI, CLEOPATRA to oestrogen receptor; altto and marianne have no such row.
    assert sorted(lost.loc[lost["problem"] == "no row", "trial_id"]) == [
        "altto", "cleopatra", "cleopatra", "marianne", "nsabp_b41", "nsabp_b41",
    ]  # fmt: skip
    assert list(lost.loc[lost["problem"] == "several rows", "rows"]) == ["38;47", "38;47"]


def test_every_real_reading_of_a_row_is_counted_once() -> None:
    sheet = load_sheet(REAL, DICTIONARY)[0]
    whole = records(reading_agreement(sheet))[0]
    lost = unmatched_readings(sheet)
    without_a_row = lost.loc[lost["problem"] == "no row", "number"]
    readings = sheet["second_reading"]
    counted = readings[~readings["row"].isin(without_a_row)]
    assert whole["n"] == len(counted)
    assert whole["agree"] == (counted["verdict"] == "agree").sum()
    assert len(disagreements(sheet)) == (readings["verdict"] == "differ").sum()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("52.5", "53", True),
        ("53.2", "53", True),
        ("0.7", "0.70", True),
        ("123", "124", False),
        ("0.022 (one-sided)", "0.022", True),
        ("ypT0/is ypN0", "ypT0/is", False),
    ],
)
def test_same_value(one: str, other: str, same: bool) -> None:
    assert same_value(one, other) is same


def test_an_unsettled_difference_is_listed_by_column() -> None:
    found = unadjudicated(sheet_with([DIFFERS]))
    assert list(found.itertuples(index=False, name=None)) == [
        ("trial_a", "pcr", 2, "events", "42", "43", "first")
    ]


def test_a_difference_says_whether_and_how_it_was_settled() -> None:
    (open_,) = records(disagreements(sheet_with([DIFFERS])))
    assert (open_["adjudicated"], open_["adjudicated_value"]) == ("no", "")
    (settled,) = records(disagreements(sheet_with([DIFFERS], [_decision(**WHOLE)])))
    assert (settled["adjudicated"], settled["chosen"]) == ("yes", "second")
    assert settled["adjudicated_value"] == "43|105|41.0"


def test_a_settled_difference_is_not() -> None:
    assert unadjudicated(sheet_with([DIFFERS], [_decision()])).empty


def test_a_difference_that_is_pooled_says_where() -> None:
    used = pd.DataFrame(
        [
            {"setting": "s", "analysis": "a", "table": "pcr", "rows": "2;5",
             "pooled": "yes"},
            {"setting": "s", "analysis": "b", "table": "hazard_ratios", "rows": "2",
             "pooled": "yes"},
            {"setting": "s", "analysis": "c", "table": "pcr", "rows": "2", "pooled": "no"},
        ]
    )  # fmt: skip
    assert list(disagreements(sheet_with([DIFFERS]), used)["used_in"]) == ["s, a"]


def test_the_settled_value_takes_the_place_and_the_note_says_so() -> None:
    sheet = apply_adjudications(sheet_with([DIFFERS], [_decision(**WHOLE)]), DICTIONARY)
    assert _events(sheet) == 43
    note = sheet["pcr"].loc[sheet["pcr"]["row"] == 2, "public_note"].iloc[0]
    assert note == (
        "events settled between two readers: 43, not 42 (AB, 2026-11-22: The paper corrects it.); "
        "reported_percent settled between two readers: 41.0, not 40.0 "
        "(AB, 2026-11-22: The paper corrects it.)"
    )


def test_nothing_changes_without_a_decision() -> None:
    before = sheet_with([DIFFERS])
    after = apply_adjudications(before, DICTIONARY)
    for name, table in before.tables.items():
        pd.testing.assert_frame_equal(after[name], table)


def test_the_sheet_given_is_left_as_it_was() -> None:
    before = sheet_with([DIFFERS], [_decision(**WHOLE)])
    apply_adjudications(before, DICTIONARY)
    assert _events(before) == 42


def test_other_columns_may_change_with_the_settled_one() -> None:
    sheet = apply_adjudications(sheet_with([DIFFERS], [_decision(**WHOLE)]), DICTIONARY)
    row = sheet["pcr"][sheet["pcr"]["row"] == 2].iloc[0]
    assert (row["events"], row["reported_percent"]) == (43, 41.0)


def test_a_settled_hazard_ratio_keeps_its_printed_form_and_the_sign_of_p() -> None:
    decision = _decision(
        table="hazard_ratios", trial_id="trial_f", row_key=HAZARD_RATIO["row_key"],
        field="hr|ci_low|ci_high|ci_level|p_value", adjudicated_value="0.82|0.69|0.97|95|<0.05",
    )  # fmt: skip
    sheet = sheet_with([], [("second_reading", HAZARD_RATIO), decision])
    rows = apply_adjudications(sheet, DICTIONARY)["hazard_ratios"]
    row = rows[rows["row"] == 9].iloc[0]
    assert (row["hr"], row["hr_printed"]) == (0.82, "0.82")
    assert (row["p_value"], row["p_value_operator"], row["p_value_printed"]) == (0.05, "<", "<0.05")


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"row_key": "arm_id=trial_a_single"}, "row_key", "no such reading"),
        ({"field": "events"}, "row_key", "no such reading"),
        ({"adjudicated_value": "43"}, "adjudicated_value", "2 columns are settled (events, n)"),
        ({"adjudicated_value": "4,3|105", "chosen": "other"}, "adjudicated_value",
             "events: \"4,3\" is not a whole"),
        ({"adjudicated_value": "200|105", "chosen": "other"}, "adjudicated_value",
         "pcr.csv, row 2: 200 events in 105 patients are impossible."),
        ({"adjudicated_value": "44|105"}, "adjudicated_value",
         "the second reader's value is \"43|105\""),
        ({"chosen": "first"}, "adjudicated_value", "the first reader's value is \"42|105\""),
        ({"field": "events|n|responders", "adjudicated_value": "43|105|1"}, "field",
         "\"responders\" is not a column that can be settled."),
        ({"field": "events|n|arm_id", "adjudicated_value": "43|105|trial_b_dual"}, "field",
         "\"arm_id\" is not a column that can be settled."),
    ],
)  # fmt: skip
def test_a_decision_that_cannot_be_is_located(
    cells: dict[str, str], column: str, words: str
) -> None:
    sheet = sheet_with([DIFFERS], [_decision(**cells)])
    (problem,) = adjudication_problems(sheet, DICTIONARY)
    place = (problem.severity, problem.file, problem.row, problem.column)
    assert place == ("error", "adjudication.csv", 2, column)
    assert words in problem.message
    with pytest.raises(SheetError):
        apply_adjudications(sheet, DICTIONARY)


def test_a_decision_goes_to_the_trial_that_it_names() -> None:
    """Two trials have a row with that key: a decision for the second must not change the first."""
    reading = {
        "table": "hazard_ratios", "row_key": "endpoint=OS", "field": "median_followup_months",
        "verdict": "differ",
    }  # fmt: skip
    of_f = {**reading, "trial_id": "trial_f", "first_value": "72", "second_value": "55"}
    of_g = {**reading, "trial_id": "trial_g", "first_value": "54", "second_value": "55"}
    decision = _decision(
        table="hazard_ratios", trial_id="trial_g", row_key="endpoint=OS",
        field="median_followup_months", adjudicated_value="55",
    )  # fmt: skip
    sheet = sheet_with([], [("second_reading", of_f), ("second_reading", of_g), decision])
    assert list(unadjudicated(sheet)["trial_id"]) == ["trial_f"]
    rows = apply_adjudications(sheet, DICTIONARY)["hazard_ratios"].set_index("row")
    assert rows.loc[[12, 14], "median_followup_months"].tolist() == [72, 55]


def test_of_two_rows_a_reading_is_of_the_one_with_the_first_readers_values() -> None:
    """Row 5, the other arm, has what the second reader found."""
    key = "definition=ypT0/is ypN0;subgroup=all"
    edit = ("second_reading", 2, {"row_key": key, "second_value": "23|105", "verdict": "differ"})
    found = unadjudicated(sheet_with([edit]))
    assert found[["row", "sheet_holds"]].values.tolist() == [[2, "first"]]


def test_a_row_is_read_by_two_once_no_difference_is_left() -> None:
    row = {("pcr", 2)}
    assert read_by_two(valid_sheet()) == row
    assert read_by_two(sheet_with([DIFFERS])) == set()
    assert read_by_two(sheet_with([DIFFERS], [_decision(**WHOLE)])) == row
    # A third reader differs in one cell of a row on which the second agreed.
    third = {"field": "n", "first_value": "105", "second_value": "104", "verdict": "differ"}
    place = {"table": "pcr", "trial_id": "trial_a", "row_key": KEY}
    assert read_by_two(sheet_with([], [("second_reading", {**place, **third})])) == set()


def test_a_decision_is_not_blamed_for_what_did_not_add_up_before() -> None:
    """A warning names the place in the source: adjudicating that place changes only its wording."""
    percent = ("pcr", 2, {"reported_percent": "45.0"})
    reading = ("second_reading", 2, {
        "field": "locator", "first_value": "Table 2", "second_value": "Table 3",
        "row_key": f"{KEY};subgroup=all", "verdict": "differ",
    })  # fmt: skip
    decision = _decision(
        row_key=f"{KEY};subgroup=all", field="locator", adjudicated_value="Table 3"
    )
    assert adjudication_problems(sheet_with([percent, reading], [decision]), DICTIONARY) == []


def test_a_decision_on_several_rows_is_located() -> None:
    key = "definition=ypT0/is ypN0"
    edit = ("second_reading", 2, {"row_key": key, "first_value": "1|2", "second_value": "3|4",
                                  "verdict": "differ"})  # fmt: skip
    decision = _decision(row_key=key, adjudicated_value="3|4")
    (problem,) = adjudication_problems(sheet_with([edit], [decision]), DICTIONARY)
    assert problem.message == "fits several rows (2, 3, 4, 5, 6, 7) of pcr.csv."


def test_a_count_settled_without_its_percentage_is_refused_and_says_what_to_add() -> None:
    sheet = sheet_with([DIFFERS], [_decision()])
    (problem,) = adjudication_problems(sheet, DICTIONARY)
    # 43 of 105 is 40.95%
    assert (problem.severity, problem.column) == ("error", "field")
    assert "40.0% is printed, but 43 of 105" in problem.message
    assert "write events|n|reported_percent here, and 3 values" in problem.message


def test_a_percentage_settled_without_its_count_is_refused_and_says_what_to_add() -> None:
    """The pool counts events: with the percentage alone it would continue with the old count."""
    edit = ("second_reading", 2, {
        "field": "reported_percent", "first_value": "40", "second_value": "47", "verdict": "differ",
    })  # fmt: skip
    decision = _decision(field="reported_percent", adjudicated_value="47")
    (problem,) = adjudication_problems(sheet_with([edit], [decision]), DICTIONARY)
    assert (problem.severity, problem.column) == ("error", "field")
    assert "write reported_percent|events|n here, and 3 values" in problem.message


SETTLED = {
    "pcr": {
        "definition": "ypT0/is", "population": "mITT", "assessor": "central",
        "subgroup": "hormone_receptor=negative", "events": "43", "n": "106",
        "reported_percent": "39.9", "locator": "Table 3", "verification": "secondary",
        "derivation": "from_percent", "status": "superseded", "outcome": "pcr",
    },
    "hazard_ratios": {
        "endpoint": "DFS", "analysis": "interim", "median_followup_months": "47.1",
        "assessor": "BICR", "subgroup": "nodal=positive", "hr": "0.84", "ci_low": "0.69",
        "ci_high": "1.02", "ci_level": "90", "p_value": "<0.08", "p_sided": "one",
        "events_experimental": "101", "n_experimental": "1199", "events_control": "120",
        "n_control": "1198", "median_experimental_months": "40.5", "median_control_months": "30.1",
        "stratified": "no", "locator": "Table 3", "verification": "secondary",
        "derivation": "reconstructed", "status": "superseded",
    },
}  # fmt: skip
ROWS = {
    "pcr": (2, {"table": "pcr", "trial_id": "trial_a", "row_key": KEY}),
    "hazard_ratios": (9, {name: HAZARD_RATIO[name] for name in ("table", "trial_id", "row_key")}),
}


def test_every_column_that_can_be_settled_is_tried() -> None:
    for table, fields in SETTLED.items():
        columns = DICTIONARY.tables[table].columns.values()
        free = {c.name for c in columns if c.type != "id" and not c.references} - {
            "note",
            "public_note",
        }
        assert set(fields) == free


@pytest.mark.parametrize(
    ("table", "field"), [(table, field) for table, fields in SETTLED.items() for field in fields]
)
def test_a_settled_value_is_used_as_if_it_had_been_typed_in_the_table(
    table: str, field: str
) -> None:
    """Everything the pool takes from a row must be the settled value."""
    number, place = ROWS[table]
    value = SETTLED[table][field]
    typed = sheet_with([(table, number, {field: value})] if field != "outcome" else [])
    before = valid_sheet()[table]
    (first,) = before.loc[before["row"] == number, field]
    reading = {**place, "field": field, "first_value": str(first), "second_value": value}
    together = "|".join(name for name in SETTLED[table] if name != field)
    cells = before[before["row"] == number].iloc[0]
    restated = [cells.get(f"{name}_printed", cells[name]) for name in together.split("|")]
    decision = _decision(
        **place, field=f"{field}|{together}",
        adjudicated_value="|".join([value, *map(_text, restated)]),
    )  # fmt: skip
    sheet = sheet_with([], [("second_reading", {**reading, "verdict": "differ"}), decision])
    settled = apply_adjudications(sheet, DICTIONARY)[table]
    if field != "outcome" and value not in ("", _text(first)):
        assert (
            "settled between two readers"
            in settled.loc[settled["row"] == number, "public_note"].item()
        )
    pd.testing.assert_frame_equal(
        settled.drop(columns="public_note"),
        typed[table].drop(columns="public_note"),
        check_dtype=False,
    )


def _text(cell: object) -> str:
    return "" if cell != cell else f"{cell:g}" if isinstance(cell, float) else str(cell)


def test_what_the_source_prints_may_not_add_up_when_all_of_it_is_settled() -> None:
    decision = _decision(field="events|n|reported_percent", adjudicated_value="43|105|40")
    (problem,) = adjudication_problems(sheet_with([DIFFERS], [decision]), DICTIONARY)
    assert problem.severity == "warning"


def test_both_files_are_written(tmp_path: Path) -> None:
    sheet = sheet_with([DIFFERS])
    used = pd.DataFrame(columns=["setting", "analysis", "table", "rows", "pooled"])
    write_readings(sheet, used, tmp_path)
    page = (tmp_path / "checks" / "readers.md").read_text(encoding="utf-8")
    assert "first reader 42|105 (doe_2020_trial_a, Table 2), second reader 43|105" in page
    assert "43|105" in (tmp_path / "checks" / "readers.csv").read_text(encoding="utf-8")


def test_agreement_is_rounded_as_in_the_methods(tmp_path: Path) -> None:
    readings = [row_of("second_reading", 2, verdict="agree") for _ in range(5)]
    readings += [row_of("second_reading", 2, **DIFFERS[2]) for _ in range(2)]
    used = pd.DataFrame(columns=["setting", "analysis", "table", "rows", "pooled"])
    write_readings(sheet_with([DIFFERS], readings), used, tmp_path)
    page = (tmp_path / "checks" / "readers.md").read_text(encoding="utf-8")
    # 5 of 8 are 62.5%; the Wilson interval is 30.6 to 86.3.
    assert "| all tables | row as a whole | 8 | 5 | 63% (31 to 86) |" in page
