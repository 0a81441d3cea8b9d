"""What to look up first, and what a reader's answers do to the sheet."""

import math
import shutil
import time

import pandas as pd
import pytest
from invented import ROOT
from openpyxl import load_workbook
from small_project import evidence_of, replace_text, small_project
from trial_evidence.exchange.answers import write_answered, write_answers_book
from trial_evidence.exchange.worklist import worklist
from trial_evidence.files import records
from trial_evidence.sheet import SheetError, load_sheet, read_dictionary
from trial_evidence.words.errors import RequestError
from trial_evidence.workbook.layout import WORKLIST

DICTIONARY = read_dictionary(ROOT / "workflow/dictionary")
ANSWER = {"Value seen": "", "Place": "Table 2", "Source": "The full paper", "Initials": "QQ",
          "Date": "2026-02-03"}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Trial A's dual arm and trial F's hazard ratio have been seen at second hand only."""
    folder = small_project(tmp_path_factory.mktemp("worklist"))
    dual = "ypT0/is ypN0,ITT,local,all,42,105,40.0,doe_2020_trial_a,Table 2,"
    replace_text(folder, "pcr", f"{dual}primary", f"{dual}secondary")
    ratio = "all,0.80,0.67,0.95,95,0.013,two,220,2000,272,2000,,,yes,doe_2020_trial_f,Figure 2,"
    replace_text(folder, "hazard_ratios", f"{ratio}primary", f"{ratio}secondary")
    sheet, configuration, evidence = evidence_of(folder)
    return folder / "data/raw", sheet, worklist(configuration, sheet, evidence.trials)


def answered(made, tmp_path, **by_table):
    """The sheet after the answers, what was said, and the folder."""
    raw, sheet, rows = made
    book, folder = tmp_path / "worklist.xlsx", tmp_path / "answered"
    book.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    write_answers_book(rows, book)
    workbook = load_workbook(book)
    page = workbook[WORKLIST]
    header = [cell.value for cell in page[1]]
    for line in page.iter_rows(min_row=2):
        cells = by_table.get(line[0].value)
        for title, text in (ANSWER | cells if cells else {}).items():
            line[header.index(title)].value = text
    workbook.save(book)
    said = write_answered(book, raw, sheet, folder)

    return load_sheet(folder, DICTIONARY)[0], said


def test_only_rows_that_nobody_has_seen_at_first_hand_are_listed(made):
    _, sheet, rows = made
    assert len(rows) >= 2
    for row in records(rows):
        (held,) = records(sheet[row["table"]][sheet[row["table"]]["row"] == row["row"]])
        assert held["verification"] != "primary"
    assert set(rows["value"]) >= {"42 of 105", "0.80 (0.67 to 0.95)"}


def test_what_hangs_on_a_row_is_what_pooling_without_it_gives(made):
    rows = made[2].set_index("table")
    assert "one event" in rows.loc["pcr", "why"]
    assert "without this trial moves RR" in rows.loc["pcr", "why"]
    assert all(math.isfinite(moves) and moves > 0 for moves in rows["moves"])


def test_the_same_list_gives_the_same_bytes(made, tmp_path):
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    write_answers_book(made[2], first)
    # openpyxl notes when a workbook was begun, to the second
    time.sleep(1.1)
    write_answers_book(made[2], second)
    assert first.read_bytes() == second.read_bytes()


def test_a_value_that_agrees_is_verified_and_noted(made, tmp_path):
    sheet, said = answered(made, tmp_path, pcr={"Value seen": "42/105"})
    row = sheet["pcr"][sheet["pcr"]["row"] == 2].iloc[0]
    assert (row["verification"], row["events"], row["n"]) == ("primary", 42, 105)
    reading = sheet["second_reading"].iloc[-1]
    assert (reading["verdict"], reading["second_value"]) == ("agree", "42|105")
    assert reading["locator"] == "Table 2 (QQ, 2026-02-03)"
    assert said[0].endswith("42/105 agrees.")


def test_a_value_that_differs_waits_for_adjudication_and_changes_no_number(made, tmp_path):
    answer = {"Value seen": "0.82 (0.69-0.97)"}
    sheet, said = answered(made, tmp_path, hazard_ratios=answer)
    row = sheet["hazard_ratios"][sheet["hazard_ratios"]["row"] == 9].iloc[0]
    assert (row["verification"], row["hr"]) == ("secondary", 0.80)
    reading = sheet["second_reading"].iloc[-1]
    assert (reading["verdict"], reading["second_value"]) == ("differ", "0.82|0.69|0.97")
    assert said[0].endswith("waits for adjudication.")


def test_rounding_is_no_difference(made, tmp_path):
    sheet, _ = answered(made, tmp_path, hazard_ratios={"Value seen": "0.8 (0.67-0.95)"})
    assert sheet["second_reading"].iloc[-1]["verdict"] == "agree"


def test_an_empty_answer_changes_nothing(made, tmp_path):
    _, before, _ = made
    sheet, said = answered(made, tmp_path, pcr={"Value seen": ""})
    assert said == []
    for name, table in before.tables.items():
        pd.testing.assert_frame_equal(sheet[name], table)


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"Value seen": "40%"}, "Value seen", 'is not 2 numbers (events, n)'),
        ({"Value seen": "42/105", "Initials": ""}, "Initials", "the cell is empty"),
        ({"Value seen": "42/105", "In the sheet": "41 of 105"}, "In the sheet",
         "pcr.csv, row 2 no longer holds 41 of 105"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_taken_is_located(made, tmp_path, cells, column, words):
    with pytest.raises(SheetError) as refused:
        answered(made, tmp_path, pcr=cells)
    (problem,) = refused.value.problems
    assert (problem.file, problem.column) == ("worklist.xlsx", column)
    assert words in problem.message
    assert not (tmp_path / "answered").exists()


def test_a_ratio_without_an_interval_is_asked_for_and_compared_as_it_is(made, tmp_path):
    """Compared with the first of three numbers alone, another interval would count as agreement."""
    raw, _, rows = made
    folder = tmp_path / "bare"
    shutil.copytree(raw, folder)
    path = folder / "hazard_ratios.csv"
    text = path.read_text(encoding="utf-8")
    row = "all,0.80,0.67,0.95,95,0.013,two,"
    assert row in text
    path.write_text(text.replace(row, "all,0.80,,,,0.013,two,"), encoding="utf-8")
    bare = load_sheet(folder, DICTIONARY)[0]
    listed = rows.assign(value=rows["value"].replace("0.80 (0.67 to 0.95)", "0.80"))
    sheet, said = answered((folder, bare, listed), tmp_path, hazard_ratios={"Value seen": "0.80"})
    assert said[0].endswith("0.80 agrees.")
    assert sheet["second_reading"].iloc[-1]["field"] == "hr"
    with pytest.raises(SheetError, match="is not 1 number "):
        answered((folder, bare, listed), tmp_path, hazard_ratios={"Value seen": "0.80 (0.67-0.95)"})


def test_a_blank_line_in_a_table_moves_no_answer_to_another_row(made, tmp_path):
    raw, _, rows = made
    folder = tmp_path / "blank"
    shutil.copytree(raw, folder)
    path = folder / "pcr.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, "\n", *lines]), encoding="utf-8")
    below = load_sheet(folder, DICTIONARY)[0]
    listed = rows.assign(row=rows["row"].where(rows["table"] != "pcr", rows["row"] + 1))
    sheet, _ = answered((folder, below, listed), tmp_path, pcr={"Value seen": "42/105"})
    verified = sheet["pcr"].set_index("row")["verification"]
    assert verified[3] == "primary"
    changed = verified != below["pcr"].set_index("row")["verification"]
    assert list(changed[changed].index) == [3]


def test_answers_and_other_files_are_not_overwritten(made, tmp_path):
    _, _, rows = made
    book = tmp_path / "worklist.xlsx"
    book.write_text("mine", encoding="utf-8")
    with pytest.raises(RequestError, match="is no worklist and would be overwritten"):
        write_answers_book(rows, book)
    book.unlink()
    answered(made, tmp_path, pcr={"Value seen": "42/105"})
    with pytest.raises(RequestError, match="holds answers"):
        write_answers_book(rows, book)
