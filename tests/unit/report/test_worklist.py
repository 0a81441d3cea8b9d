"""Which rows to look up first, and how a reader's answers change the sheet."""

import datetime
import math
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from invented import ROOT
from openpyxl import load_workbook
from small_project import cut_short, evidence_of, replace_text, small_project
from trial_evidence.cli import main
from trial_evidence.exchange.answers import write_answered, write_answers_book
from trial_evidence.exchange.incoming import take_answers
from trial_evidence.exchange.worklist import (
    Hangs,
    Movement,
    _listed,
    key_of,
    result_of,
    worklist,
)
from trial_evidence.files import records
from trial_evidence.report.page.sources import references
from trial_evidence.sheet import load_sheet, read_dictionary
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import SheetError
from trial_evidence.workbook.layout import WORKLIST

DICTIONARY = read_dictionary(ROOT / "workflow/dictionary")
ANSWER = {"Value seen": "", "Place": "Table 2", "Source": "The full paper", "Initials": "QQ",
          "Date": "2026-02-03"}  # fmt: skip


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """Trial A's dual arm and trial F's hazard ratio are verified only in secondary sources."""
    folder = small_project(tmp_path_factory.mktemp("worklist"))
    dual = "ypT0/is ypN0,ITT,local,all,42,105,40.0,doe_2020_trial_a,Table 2,"
    replace_text(folder, "pcr", f"{dual}primary", f"{dual}secondary")
    ratio = "all,0.80,0.67,0.95,95,0.013,two,220,2000,272,2000,,,yes,doe_2020_trial_f,Figure 2,"
    replace_text(folder, "hazard_ratios", f"{ratio}primary", f"{ratio}secondary")
    return folder / "data/raw", *evidence_of(folder)


@pytest.fixture(scope="module")
def made(pooled):
    raw, sheet, configuration, evidence = pooled
    return raw, sheet, worklist(configuration, sheet, evidence)


# Worklists and their workbooks.
_BOOKS = []


def book_of(rows):
    """The workbook of a worklist, written once."""
    for known, content in _BOOKS:
        if known is rows:
            return content
    with TemporaryDirectory() as folder:
        book = Path(folder) / "worklist.xlsx"
        write_answers_book(rows, book)
        _BOOKS.append((rows, book.read_bytes()))
    return _BOOKS[-1][1]


def answered(made, tmp_path, edit=None, **by_table):
    """The sheet after the answers, and the messages; `edit` changes the worksheet before saving."""
    raw, sheet, rows = made
    book, folder = tmp_path / "worklist.xlsx", tmp_path / "answered"
    shutil.rmtree(folder, ignore_errors=True)
    book.write_bytes(book_of(rows))
    workbook = load_workbook(book)
    page = workbook[WORKLIST]
    header = [cell.value for cell in page[1]]
    for line in page.iter_rows(min_row=2):
        cells = by_table.get(line[0].value)
        for title, text in (ANSWER | cells if cells else {}).items():
            line[header.index(title)].value = text
    if edit:
        edit(page)
    workbook.save(book)
    said = write_answered(book, raw, sheet, DICTIONARY, folder).said
    return load_sheet(folder, DICTIONARY)[0], said


def test_only_rows_that_nobody_has_seen_at_first_hand_are_listed(made):
    _, sheet, rows = made
    assert len(rows) >= 2
    for row in records(rows):
        (held,) = records(sheet[row["table"]][sheet[row["table"]]["row"] == row["row"]])
        assert held["verification"] != "primary"
    assert set(rows["value"]) >= {"42 of 105", "0.80 (0.67 to 0.95)"}
    links = rows.set_index("table")["link"].str.split(" ")
    assert links["pcr"][0] == "https://doi.org/10.1000/doe_2020_trial_a"
    assert links["hazard_ratios"][0] == "https://doi.org/10.1000/doe_2020_trial_f"


def test_what_hangs_on_a_row_is_what_pooling_without_it_gives(made):
    rows = made[2].set_index("table")
    # log(42/41) exceeds log(43/42).
    assert "one event fewer moves RR" in rows.loc["pcr", "why"]
    assert "without this trial moves RR" in rows.loc["pcr", "why"]
    # Only the other of two trials is left, with its printed result.
    assert "without this trial moves HR 0.83 to 0.86" in rows.loc["hazard_ratios", "why"]
    assert all(math.isfinite(moves) and moves > 0 for moves in rows["moves"])
    assert list(rows["moves"]) == sorted(rows["moves"], reverse=True)


def test_a_row_is_described_as_its_paper_has_it(made):
    """Arms, place and links: what to look for, and where."""
    rows = made[2].set_index("table")
    names = ["row", "trial", "result", "value", "place", "link"]
    assert rows.loc["pcr", names].to_list() == [
        2, "TRIAL-A", "T+P+docetaxel, ypT0/is ypN0, ITT", "42 of 105", "Table 2",
        "https://doi.org/10.1000/doe_2020_trial_a https://clinicaltrials.gov/study/NCT00000001",
    ]  # fmt: skip
    assert rows.loc["hazard_ratios", names].to_list() == [
        9, "TRIAL-F", "P+T v placebo+T, iDFS, final analysis, investigator",
        "0.80 (0.67 to 0.95)", "Figure 2",
        "https://doi.org/10.1000/doe_2020_trial_f https://clinicaltrials.gov/study/NCT00000007",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def unseen(pooled):
    """The worklist of responses, if nobody had seen any of them; by row."""
    _, sheet, configuration, evidence = pooled
    pcr = sheet["pcr"].assign(verification="secondary")
    changed = replace(sheet, tables={**sheet.tables, "pcr": pcr})
    rows = worklist(configuration, changed, evidence)
    return rows[rows["table"] == "pcr"].set_index("row")["why"]


def test_a_row_behind_a_patient_subgroup_is_listed_with_what_it_moves(unseen):
    """Without trial A, the subgroup holds only trial C: 27 of 48 v 18 of 49."""
    said = "hormone receptor negative: "
    (of_ratio,) = (part for part in unseen[7].splitlines() if said in part and "RR" in part)
    assert re.search(rf"{said}.*without this trial moves RR \d\.\d\d to 1\.53", of_ratio)


def test_a_row_behind_a_rate_is_listed_in_percent_and_crosses_no_line(unseen):
    """Without trial A, only trial C's 18 of 49 are left: 36.7%."""
    said = "Trastuzumab with chemotherapy, hormone receptor negative: "
    of_rate = unseen[7].partition(said)[2].partition("\n")[0]
    assert re.search(r"without this trial moves rate \d\d\.\d% to 36\.7%$", of_rate)


def test_the_result_that_decides_the_place_of_a_row_is_named_first(pooled):
    """A reader who stops after the first line has to see why the row comes so early."""
    sheet = pooled[1]
    little, much, across = (
        Hangs(title, movement, (movement,))
        for title, movement in (
            ("Little", Movement(0.1, "moves RR 1.40 to 1.41", crosses=False)),
            ("Much", Movement(0.9, "moves RR 1.40 to 1.60", crosses=False)),
            ("Across", Movement(0.2, "moves RR 1.20 to 1.10", crosses=True)),
        )
    )
    line = _listed(sheet, references(sheet["sources"]), "pcr", 7, [little, across, much])
    assert [why.partition(":")[0] for why in line["why"].splitlines()] == [
        "Across", "Much", "Little",
    ]  # fmt: skip
    assert (line["moves"], line["crosses"]) == (0.2, True)


def test_a_rate_of_several_arms_moves_by_one_event_of_all_their_patients(pooled):
    """65 of 210 in two arms: one event is half a point, not the whole point of 105 patients."""
    _, sheet, configuration, evidence = pooled
    rates = evidence.rates
    name = "Trastuzumab with chemotherapy"
    mine = (rates["arm_ids"] == "trial_a_single") & (rates["subgroup"] == "all")
    held = {"rows": "5;2", "events": 65.0, "n": 210.0, "yi": math.log(65 / 145),
            "vi": 1 / 65 + 1 / 145, "regimen_label": name}  # fmt: skip
    leads = evidence.estimates[evidence.estimates["role"] == "lead"]
    leads = leads[(leads["experimental"] == name) & (leads["subgroup"] == "all")]
    small = replace(
        evidence,
        rates=rates.assign(**{c: rates[c].mask(mine, value) for c, value in held.items()}),
        estimates=leads.assign(trials="trial_a;trial_c", k=2),
    )
    unread = replace(
        sheet, tables={**sheet.tables, "pcr": sheet["pcr"].assign(verification="secondary")}
    )
    why = worklist(configuration, unread, small).set_index("row")["why"]
    for row in (2, 5):
        (moved,) = re.findall(r"one event \w+ moves rate ([\d.]+)% to ([\d.]+)%", why[row])
        before, after = map(float, moved)
        assert 0 < abs(after - before) < 0.5


def test_groups_that_are_pooled_apart_are_listed_by_group(pooled):
    """As harms are, by the agent added: nothing is pooled in all trials."""
    _, sheet, configuration, evidence = pooled
    mine = evidence.estimates["analysis"] == "pcr_dual_v_trastuzumab"
    groups = evidence.estimates[mine & evidence.estimates["subgroup"].str.startswith("added_")]
    apart = replace(
        configuration,
        analyses=tuple(
            replace(a, pool="within_subgroups") if a.id == "pcr_dual_v_trastuzumab" else a
            for a in configuration.analyses
        ),
    )
    (why,) = worklist(apart, sheet, replace(evidence, estimates=groups))["why"]
    # Without trial A: trial B's 84 of 220 v 25 of 110.
    said = "versus trastuzumab, Pertuzumab added: .*without this trial moves RR .* to 1.68"
    assert re.search(said, why)


def test_a_result_of_some_patients_says_of_which(made):
    sheet = made[1]
    row = sheet.row("pcr", 3)
    assert row["subgroup"] == "hormone_receptor=positive"
    said = "T+P+docetaxel, ypT0/is ypN0, ITT, hormone receptor positive"
    assert result_of(sheet, "pcr", row) == said


def test_a_paper_in_pubmed_central_is_linked(pooled):
    """It is free to read, which the publisher's page may not be."""
    _, sheet, configuration, evidence = pooled
    sources = sheet["sources"].assign(pmcid="PMC7654321")
    changed = replace(sheet, tables={**sheet.tables, "sources": sources})
    links = worklist(configuration, changed, evidence)["link"]
    assert len(links)
    assert all("PMC7654321" in link for link in links)


def test_a_movement_is_told_in_half_widths_of_the_interval(pooled, made):
    """Without trial F, only trial G (0.86) is left; its distance from the pooled estimate."""
    estimates = pooled[3].estimates
    (lead,) = records(
        estimates[
            (estimates["setting"] == "adjuvant")
            & (estimates["analysis"] == "event_free_dual_v_single")
            & (estimates["subgroup"] == "all")
            & (estimates["role"] == "lead")
        ]
    )
    half = math.log(lead["ci_high"] / lead["ci_low"]) / 2
    moves = made[2].set_index("table").loc["hazard_ratios", "moves"]
    assert moves == pytest.approx(abs(math.log(0.86 / lead["estimate"])) / half, rel=0.01)


def test_a_ratio_printed_lower_moves_the_result_down(made):
    why = made[2].set_index("table").loc["hazard_ratios", "why"]
    assert "hr one unit lower moves HR 0.83 to 0.82" in why


@pytest.fixture(scope="module")
def doubted(tmp_path_factory):
    """Trial F's ratio is printed in the opposite direction; two readers differ on a trial A arm."""
    folder = small_project(tmp_path_factory.mktemp("doubtful"))
    replace_text(
        folder,
        "hazard_ratios",
        "trial_f_dual,trial_f_single,iDFS,final,72,investigator,all,0.80,0.67,0.95,95,0.013,two,"
        "220,2000,272,2000,,,yes,doe_2020_trial_f,Figure 2,primary",
        "trial_f_single,trial_f_dual,iDFS,final,72,investigator,all,1.7,1.5,1.9,95,,,"
        "272,2000,220,2000,,,yes,doe_2020_trial_f,Figure 2,secondary",
    )
    replace_text(
        folder, "hazard_ratios", "all,0.86,0.71,1.04,97.5,0.076,two", "all,0.62,0.37,1.03,95,,"
    )
    path = folder / "data/raw/second_reading.csv"
    key = "arm_id=trial_a_single;definition=ypT0/is ypN0"
    line = f"pcr,trial_a,{key},events|n,23|105,42|105,differ,primary,Doe 2020,Table 2\n"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    return evidence_of(folder)


@pytest.fixture(scope="module")
def doubtful(doubted):
    """The worklist of `doubted`."""
    sheet, configuration, evidence = doubted
    return worklist(configuration, sheet, evidence)


def test_a_result_that_changes_sides_comes_before_one_that_moves_further(doubted):
    sheet, configuration, evidence = doubted
    second = sheet["second_reading"].replace({"second_value": {"42|105": "30|105"}})
    changed = replace(sheet, tables={**sheet.tables, "second_reading": second})
    first, other = records(worklist(configuration, changed, evidence))
    assert ["crosses" in row["why"] for row in (first, other)] == [True, False]
    assert first["moves"] < other["moves"]


def test_an_interval_that_comes_to_include_no_effect_is_said(doubtful):
    # Trial G alone is 0.62 (0.37 to 1.03).
    line = r"without this trial moves HR 0\.\d\d to 0\.62, and the interval crosses the line"
    assert re.search(line, doubtful.set_index("table").loc["hazard_ratios", "why"])


def test_a_ratio_that_is_printed_the_other_way_round_is_wrong_the_other_way_round(doubtful):
    """Within 1/1.8, 1/1.6 and the other trial's 0.62; moved by a unit of the only decimal."""
    why = doubtful.set_index("table").loc["hazard_ratios", "why"]
    (moved,) = re.findall(r"hr one unit (?:higher|lower) moves HR (\S+) to (\S+);", why)
    before, after = map(float, moved)
    assert 0.55 < after < 0.63
    assert abs(after - before) >= 0.02


def test_a_row_on_which_two_readers_differ_is_listed_though_it_was_seen_at_first_hand(doubtful):
    (line,) = records(doubtful[doubtful["table"] == "pcr"])
    assert (line["row"], line["value"]) == (5, "23 of 105")
    # 42 of 105 in both arms: the trial's ratio falls to 1, and the pooled ratio falls too.
    (moved,) = re.findall(r"the second reader's value moves RR (\S+) to ([0-9.]+)", line["why"])
    assert 1 < float(moved[1]) < float(moved[0])


def test_what_was_read_of_another_row_is_not_told_of_this_one(doubted):
    """The dual arm's row would be said to move to what a reader found for the single arm."""
    sheet, configuration, evidence = doubted
    first = sheet["pcr"]["row"] == 2
    unseen = sheet["pcr"].assign(verification=sheet["pcr"]["verification"].mask(first, "secondary"))
    second = sheet["second_reading"].replace({"second_value": {"42|105": "60|105"}})
    tables = {**sheet.tables, "pcr": unseen, "second_reading": second}
    changed = replace(sheet, tables=tables)
    rows = worklist(configuration, changed, evidence)
    why = rows[rows["table"] == "pcr"].set_index("row")["why"]
    assert ["the second reader's value" in why[row] for row in (2, 5)] == [False, True]


def test_the_same_list_gives_the_same_bytes(made, tmp_path):
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    write_answers_book(made[2], first)
    # openpyxl records the time of creation, to the second
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


def test_an_answer_on_a_harm_is_taken_like_any_other(made, tmp_path):
    """A harm was listed, and its answer refused: the reader had looked it up for nothing."""
    raw, sheet, rows = made
    folder = tmp_path / "raw"
    shutil.copytree(raw, folder)
    path = folder / "harms.csv"
    seen = "safety,50,107,46.7,doe_2020_trial_a,Table 3,"
    text = path.read_text(encoding="utf-8")
    assert f"{seen}primary" in text
    path.write_text(text.replace(f"{seen}primary", f"{seen}secondary"), encoding="utf-8")
    (row,) = records(sheet["harms"][sheet["harms"]["row"] == 2])
    line = {"table": "harms", "row": 2, "trial": "TRIAL-A", "value": "50 of 107", "moves": 0.1}
    listed = pd.concat([rows, pd.DataFrame([line | {"result": result_of(sheet, "harms", row)}])])
    found, said = answered(
        (folder, sheet, listed.fillna("")), tmp_path, harms={"Value seen": "50 of 107"}
    )
    assert said[0].endswith("50 of 107 agrees.")
    assert found["harms"]["verification"].iloc[0] == "primary"
    reading = found["second_reading"].iloc[-1]
    assert (reading["table"], reading["row_key"]) == (
        "harms", "arm_id=trial_a_dual;outcome=diarrhoea_any;definition=diarrhoea, any grade",
    )  # fmt: skip


@pytest.mark.parametrize(
    "source",
    ["doe_2020_trial_b", "https://doi.org/10.1000/doe_2020_trial_b", "Front Oncol 2023 review"],
)
def test_the_second_hand_source_of_a_row_does_not_make_it_first_hand(pooled, tmp_path, source):
    """A review that is read again is still a review, under whatever name."""
    raw, sheet, configuration, evidence = pooled
    cited = sheet["pcr"]["source_id"].mask(sheet["pcr"]["row"] == 2, "doe_2020_trial_b")
    again = replace(sheet, tables={**sheet.tables, "pcr": sheet["pcr"].assign(source_id=cited)})
    folder = tmp_path / "raw"
    shutil.copytree(raw, folder)
    old = "ypT0/is ypN0,ITT,local,all,42,105,40.0,doe_2020_trial_a"
    text = (folder / "pcr.csv").read_text(encoding="utf-8")
    (folder / "pcr.csv").write_text(text.replace(old, old[:-1] + "b"), encoding="utf-8")
    rows = worklist(configuration, again, evidence)
    answer = {"Value seen": "42/105", "Source": source}
    found, said = answered((folder, again, rows), tmp_path, pcr=answer)
    assert found["pcr"]["verification"].iloc[0] == "secondary"
    assert found["second_reading"].iloc[-1]["second_verification"] == "secondary"
    assert f"agrees, but {source} is second-hand" in said[0]


def test_the_paper_of_a_row_seen_first_hand_is_no_second_hand_source(made, tmp_path):
    """Its short title need not name the trial: only a row taken second-hand makes it doubtful."""
    raw, sheet, rows = made
    cited = sheet["pcr"]["source_id"].mask(sheet["pcr"]["row"] == 2, "doe_2020_trial_b")
    pcr = sheet["pcr"].assign(source_id=cited, verification="primary")
    again = replace(sheet, tables={**sheet.tables, "pcr": pcr})
    answer = {"Value seen": "42/105", "Source": "doe_2020_trial_b"}
    found, said = answered((raw, again, rows), tmp_path, pcr=answer)
    assert found["second_reading"].iloc[-1]["second_verification"] == "primary"
    assert said[0].endswith("42/105 agrees.")


@pytest.mark.parametrize(
    ("source", "verified"), [("PMID 2345678", "secondary"), ("PMID 12345678", "primary")]
)
def test_a_pubmed_number_is_that_of_a_review_only_as_a_whole(made, tmp_path, source, verified):
    raw, sheet, rows = made
    review = sheet["sources"]["source_id"] == "doe_2020_trial_b"
    sources = sheet["sources"].assign(
        pmid=sheet["sources"]["pmid"].mask(review, "2345678"),
        type=sheet["sources"]["type"].mask(review, "review"),
    )
    again = replace(sheet, tables={**sheet.tables, "sources": sources})
    answer = {"Value seen": "42/105", "Source": source}
    found, _ = answered((raw, again, rows), tmp_path, pcr=answer)
    assert found["second_reading"].iloc[-1]["second_verification"] == verified


def test_a_remark_in_a_column_without_a_name_is_not_lost(made, tmp_path):
    """ "But in the supplement 66 of 118" would be dropped, and the answer taken."""

    def remark(page):
        page.cell(2, page.max_column + 1).value = "but in the supplement 66"

    with pytest.raises(SheetError, match='holds "but in the supplement 66", but its column has no'):
        answered(made, tmp_path, remark, pcr={"Value seen": "42/105"})


def test_a_value_that_differs_waits_for_adjudication_and_changes_no_number(made, tmp_path):
    answer = {"Value seen": "0.82 (0.69-0.97)"}
    sheet, said = answered(made, tmp_path, hazard_ratios=answer)
    row = sheet["hazard_ratios"][sheet["hazard_ratios"]["row"] == 9].iloc[0]
    assert (row["verification"], row["hr"]) == ("secondary", 0.80)
    reading = sheet["second_reading"].iloc[-1]
    assert (reading["verdict"], reading["second_value"]) == ("differ", "0.82|0.69|0.97")
    assert said[0].endswith("waits for adjudication.")


def test_a_reading_says_whose_value_is_whose(made, tmp_path):
    """If one of three numbers differs, the whole reading differs."""
    answer = {"Value seen": "0.82 (0.67-0.95)", "Place": "Table 2 (page 3, left)"}
    sheet, _ = answered(made, tmp_path, hazard_ratios=answer)
    reading = sheet["second_reading"].iloc[-1].drop("row").to_dict()
    assert reading == {
        "table": "hazard_ratios", "trial_id": "trial_f",
        "row_key": "experimental_arm_id=trial_f_dual;control_arm_id=trial_f_single;endpoint=iDFS;"
        "subgroup=all",
        "field": "hr|ci_low|ci_high", "first_value": "0.80|0.67|0.95",
        "second_value": "0.82|0.67|0.95", "verdict": "differ", "second_verification": "primary",
        "second_source": "The full paper", "locator": "Table 2 (page 3, left) (QQ, 2026-02-03)",
    }  # fmt: skip


@pytest.mark.parametrize(
    "other", [{"Value seen": "44/105"}, {"Initials": "RR"}, {"Value seen": "42/105"}]
)
def test_another_reading_of_a_row_is_kept(made, tmp_path, other):
    """A reading by another reader, or with another value."""
    answer = {"Value seen": "43/105", "Place": "Table 2 (page 3, left)"}
    first, _ = answered(made, tmp_path, pcr=answer)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "answered", kept)
    again, _ = answered((kept, first, made[2]), tmp_path, pcr=answer | other)
    assert len(again["second_reading"]) == len(first["second_reading"]) + 1


def test_every_patient_may_have_had_the_event(made, tmp_path):
    sheet, _ = answered(made, tmp_path, pcr={"Value seen": "105 of 105"})
    assert sheet["second_reading"].iloc[-1]["second_value"] == "105|105"


def test_what_is_wrong_with_a_reading_is_told_with_the_line_it_was_taken_from(made, tmp_path):
    """By table and row: the next row would send the reader to a line that nobody filled in."""
    raw, sheet, rows = made
    book = tmp_path / "worklist.xlsx"
    book.write_bytes(book_of(rows))
    workbook = load_workbook(book)
    page = workbook[WORKLIST]
    header = [cell.value for cell in page[1]]
    (line,) = (cells for cells in page.iter_rows(min_row=2) if cells[0].value == "pcr")
    for title, text in (ANSWER | {"Value seen": "41/105"}).items():
        line[header.index(title)].value = text
    workbook.save(book)
    places = write_answered(book, raw, sheet, DICTIONARY, tmp_path / "answered").places
    there = load_sheet(tmp_path / "answered", DICTIONARY)[0]["second_reading"]["row"].iloc[-1]
    place = f"worklist.xlsx, row {line[0].row}"
    assert places == {("pcr", 2): place, ("second_reading", there): place}


def test_rounding_is_no_difference(made, tmp_path):
    sheet, _ = answered(made, tmp_path, hazard_ratios={"Value seen": "0.8 (0.67-0.95)"})
    assert sheet["second_reading"].iloc[-1]["verdict"] == "agree"


def test_an_empty_answer_changes_nothing(made, tmp_path):
    _, before, _ = made
    sheet, said = answered(made, tmp_path, pcr={"Value seen": ""})
    (line,) = said
    assert line.startswith("worklist.xlsx, row 3 (TRIAL-A): nothing is taken of this line: ")
    assert "Value seen is empty (Place, Source, Initials, Date filled in)" in line
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


COUNTS = [
    # An example of the form, not the value of the sheet, which nobody should be led to copy.
    ("40,0%", "is not 2 numbers (events, n). Write them in this form: 49 of 107"),
    ("n/a", '"n/a" is no value. Leave the line empty where you see none.'),
    ("1e3", "is not 2 numbers"),
    ("42 of 105 of 3", "is not 2 numbers"),
    ("106 of 105", "there are more events than patients (n)"),
    ("0 of 0", 'n: "0" is outside the allowed range: above 0.'),
    ("-42 of 105", 'events: "-42" is outside the allowed range'),
    ("<42 of 105", 'events: "<42" is not a whole number.'),
    ("42 of 105%", 'n: "105%" is not a whole number.'),
    ("\uff14\uff12 of 105", "is not a whole number."),
    ("+42 of 105", "is not a number as a paper prints it"),
    (datetime.datetime(2026, 9, 12), "turned what was typed into a date: 12 September 2026"),
    ("=A1", "the cell holds a formula without a value"),
]
RATIOS = [
    ("0.99 (0.98 to 0.97)", "has to lie between the lower and the upper limit."),
    ("0.50 (0.67 to 0.95)", "has to lie between the lower and the upper limit."),
    ("0.80 (0.80 to 0.80)", "has to lie between the lower and the upper limit."),
    ("0.80 (0 to 0.95)", 'ci_low: "0" is outside the allowed range: above 0.'),
    ("0,80 (0.67 to 0.95)", 'hr: "0,80" is not a number. Use a point as decimal mark: 0.80'),
    ("8e-1 (0.67 to 0.95)", "in this form: 0.81 (0.66 to 1.00)"),
    ("0.80 (0.67 to 0.95", "is not 3 numbers"),
    ("0.80 (95% CI 0.67 to 0.95)", "is not 3 numbers"),
]


@pytest.mark.parametrize(
    ("table", "seen", "words"),
    [*(("pcr", *case) for case in COUNTS), *(("hazard_ratios", *case) for case in RATIOS)],
)
def test_a_value_is_read_whole_or_refused(made, tmp_path, table, seen, words):
    with pytest.raises(SheetError) as refused:
        answered(made, tmp_path, **{table: {"Value seen": seen}})
    (problem,) = refused.value.problems
    assert (problem.file, problem.column) == ("worklist.xlsx", "Value seen")
    assert words in problem.message


@pytest.mark.parametrize(
    ("seen", "second"),
    [
        ("0.82 [0.69\u20130.97]", "0.82|0.69|0.97"),
        ("0.82, 0.69 to 0.97", "0.82|0.69|0.97"),
        ("0.82 (0.69, 0.97)", "0.82|0.69|0.97"),
        (".82 (.69 to .97)", ".82|.69|.97"),
    ],
)
def test_a_value_may_be_written_as_papers_do(made, tmp_path, seen, second):
    sheet, _ = answered(made, tmp_path, hazard_ratios={"Value seen": seen})
    assert sheet["second_reading"].iloc[-1]["second_value"] == second


NEXT_DAY = (datetime.date.today() + datetime.timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"Initials": "yes"}, "Initials", '"yes" is not the initials of a reader'),
        ({"Initials": "Q. Q."}, "Initials", "is not the initials of a reader"),
        ({"Date": "3.2.2026"}, "Date", '"3.2.2026" is not a date in the form 2026-11-22.'),
        ({"Date": "2026-02-30"}, "Date", "is a day that the calendar does not have."),
        ({"Date": NEXT_DAY}, "Date", f'"{NEXT_DAY}" is in the future.'),
        ({"Date": "1026-02-03"}, "Date", '"1026-02-03" is outside the allowed range: '),
        ({"Date": "1999-12-31"}, "Date", '"1999-12-31" is outside the allowed range: '),
        ({"Place": "=1+1"}, "Place", "the cell holds a formula without a value"),
        ({"Place": "NA"}, "Place", '"NA" denotes a missing value, but an answer needs one.'),
        ({"Source": "-"}, "Source", '"-" denotes a missing value, but an answer needs one.'),
        ({"Table": None}, "Table", "the cell is empty."),
        ({"Table": "trials"}, "Table", '"trials" is no table of results that second_reading.csv'),
        ({"Table": "medians"}, "Table", "Allowed: pcr, hazard_ratios, harms."),
        ({"Row": "\u00b2"}, "Row", '"\u00b2" is not the number of a row.'),
        ({"Result": "another arm"}, "Result", "pcr.csv, row 2 is now of "),
        ({"Trial": "another trial"}, "Trial", "pcr.csv, row 2 is now of "),
    ],
)
def test_a_cell_that_does_not_fit_is_located(made, tmp_path, cells, column, words):
    with pytest.raises(SheetError) as refused:
        answered(made, tmp_path, pcr={"Value seen": "42/105"} | cells)
    (problem,) = refused.value.problems
    assert (problem.file, problem.row, problem.column) == ("worklist.xlsx", 3, column)
    assert words in problem.message


def test_a_day_of_the_spreadsheet_and_initials_with_an_umlaut_are_taken(made, tmp_path):
    day = {"Initials": "\u00c4B", "Date": datetime.datetime(2026, 2, 3)}
    sheet, _ = answered(made, tmp_path, pcr={"Value seen": "42/105"} | day)
    assert sheet["second_reading"].iloc[-1]["locator"] == "Table 2 (\u00c4B, 2026-02-03)"


def test_what_was_read_today_is_taken(made, tmp_path):
    today = datetime.date.today().isoformat()
    sheet, _ = answered(made, tmp_path, pcr={"Value seen": "42/105", "Date": today})
    assert sheet["second_reading"].iloc[-1]["locator"] == f"Table 2 (QQ, {today})"


def test_the_same_answer_again_changes_nothing(made, tmp_path):
    _, _, rows = made
    first, _ = answered(made, tmp_path, pcr={"Value seen": "42/105"})
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "answered", kept)
    again, said = answered((kept, first, rows), tmp_path, pcr={"Value seen": "42 of 105"})
    assert said[0].endswith("42 of 105 is there already, as read by QQ.")
    pd.testing.assert_frame_equal(again["second_reading"], first["second_reading"])
    small = {"Value seen": "42 of 105", "Initials": "qq"}
    again, _ = answered((kept, first, rows), tmp_path, pcr=small)
    assert len(again["second_reading"]) == len(first["second_reading"]), "qq is QQ"
    other = {"Value seen": "42 of 105", "Initials": "RR"}
    again, _ = answered((kept, first, rows), tmp_path, pcr=other)
    assert len(again["second_reading"]) == len(first["second_reading"]) + 1


def twice(page, seen):
    """Repeat the line of the counts below the last one."""
    (line,) = [line for line in page.iter_rows(min_row=2) if line[0].value == "pcr"]
    down = page.max_row + 1
    for cell in line:
        page.cell(down, cell.column).value = cell.value
    page.cell(down, [cell.value for cell in page[1]].index("Value seen") + 1).value = seen


def test_a_line_that_stands_twice_is_one_reading(made, tmp_path):
    sheet, _ = answered(
        made, tmp_path, lambda page: twice(page, "42 of 105"), pcr={"Value seen": "42/105"}
    )
    assert len(sheet["second_reading"]) == len(made[1]["second_reading"]) + 1


def test_lines_that_contradict_each_other_are_refused(made, tmp_path):
    with pytest.raises(SheetError) as refused:
        answered(made, tmp_path, lambda page: twice(page, "43/105"), pcr={"Value seen": "42/105"})
    (problem,) = refused.value.problems
    assert (problem.row, problem.column) == (4, "Value seen")
    assert problem.message.startswith("row 3 says 42/105 of the same result.")


def test_rows_of_one_number_in_two_tables_do_not_contradict_each_other(pooled, tmp_path):
    raw, sheet, configuration, evidence = pooled
    unseen = {
        name: sheet[name].assign(verification="secondary") for name in ("pcr", "hazard_ratios")
    }
    rows = worklist(configuration, replace(sheet, tables={**sheet.tables, **unseen}), evidence)
    both = rows.groupby("row").filter(lambda same: same["table"].nunique() == 2)
    same = both[both["row"] == both["row"].iloc[0]]
    seen = {line["table"]: {"Value seen": line["value"]} for line in records(same)}
    found, _ = answered((raw, sheet, same), tmp_path, **seen)
    assert set(found["second_reading"]["table"].iloc[-2:]) == {"pcr", "hazard_ratios"}


def test_every_answer_that_cannot_be_taken_is_said_at_once(made, tmp_path):
    with pytest.raises(SheetError) as refused:
        answered(
            made,
            tmp_path,
            lambda page: twice(page, "43/105"),
            pcr={"Value seen": "42/105"},
            hazard_ratios={"Value seen": "0.80", "Date": "today"},
        )
    found = [(problem.row, problem.column) for problem in refused.value.problems]
    assert found == [(2, "Value seen"), (2, "Date"), (4, "Value seen")]


def test_a_hidden_answer_is_not_imported_unseen(made, tmp_path):
    def hide(page):
        page.row_dimensions[3].hidden = True

    with pytest.raises(SheetError, match="row 3 is hidden or filtered out"):
        answered(made, tmp_path, hide, pcr={"Value seen": "42/105"})
    answered(made, tmp_path, hide, hazard_ratios={"Value seen": "0.80 (0.67-0.95)"})


def column_again(page):
    """Add a second column of the same name, such as one of the reader's own."""
    page.cell(1, page.max_column + 1).value = "Value seen"


def merge_answers(page):
    column = [cell.value for cell in page[1]].index("Initials") + 1
    page.merge_cells(start_row=2, end_row=3, start_column=column, end_column=column)


def answer_on_a_copy(page):
    copy = page.parent.copy_worksheet(page)
    copy.title = "worklist (2)"
    column = [cell.value for cell in page[1]].index("Value seen") + 1
    page.cell(3, column).value = None


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (column_again, "sheet worklist: 2 columns have the name Value seen."),
        (merge_answers, "sheet worklist: the cells L2:L3 are merged into one."),
        (answer_on_a_copy, r"sheet worklist \(2\): it holds answers, which are taken from the"),
    ],
)
def test_no_answer_is_passed_over(made, tmp_path, edit, words):
    """Each of these was once imported without a message, and answers were lost."""
    with pytest.raises(SheetError, match=words):
        answered(made, tmp_path, edit, pcr={"Value seen": "42/105"})


@pytest.mark.parametrize("name", ["pcr", "Arms ", "registry"])
def test_a_worklist_among_other_sheets_does_not_hide_their_edits(made, tmp_path, name):
    """The worklist alone was once read, and edits in the tables of the same workbook were lost."""
    raw, _, rows = made
    book = tmp_path / "worklist.xlsx"
    book.write_bytes(book_of(rows))
    workbook = load_workbook(book)
    workbook.create_sheet(name)
    workbook.save(book)
    with pytest.raises(SheetError, match=rf"the sheets worklist and {name} belong to different"):
        take_answers(book, raw, raw.parents[1] / "config", tmp_path / "answered")


def test_a_sheet_of_ones_own_is_no_copy_of_the_worklist(made, tmp_path):
    def own(page):
        page.parent.copy_worksheet(page).title = "_mine"
        page.parent.create_sheet("notes")["A1"] = "Ask the authors."

    sheet, _ = answered(made, tmp_path, own, pcr={"Value seen": "42/105"})
    assert len(sheet["second_reading"]) == len(made[1]["second_reading"]) + 1


def test_blanks_of_a_pdf_are_blanks(made, tmp_path):
    cells = {"Value seen": "42\u00a0of\u00a0105", "Place": "Table\u00a02"}
    sheet, _ = answered(made, tmp_path, pcr=cells)
    assert sheet["second_reading"].iloc[-1]["locator"] == "Table 2 (QQ, 2026-02-03)"


def test_an_emptied_worklist_is_said_and_may_be_made_again(made, tmp_path):
    def empty(page):
        page.delete_rows(1, page.max_row)

    with pytest.raises(SheetError, match="row 1 of the sheet worklist no longer has the names of"):
        answered(made, tmp_path, empty)
    write_answers_book(made[2], tmp_path / "worklist.xlsx")


def test_a_damaged_worklist_is_said_and_kept(made, tmp_path, capsys):
    raw, sheet, rows = made
    book = tmp_path / "worklist.xlsx"
    write_answers_book(rows, book)
    cut_short(book, "sheet1")
    kept = book.read_bytes()
    with pytest.raises(SheetError, match=r"worklist\.xlsx: the file is damaged"):
        write_answered(book, raw, sheet, DICTIONARY, tmp_path / "answered")
    places = [f"--{name}={raw.parents[1] / place}" for name, place in (
        ("raw", "data/raw"), ("config", "config"), ("processed", "data/processed"),
        ("results", "results"),
    )]  # fmt: skip
    assert main(["worklist", "--book", str(book), *places]) == 1
    said, last = capsys.readouterr().err.splitlines()
    assert said.startswith("worklist.xlsx: the file is damaged")
    assert last == "Nothing was written."
    assert book.read_bytes() == kept


def test_the_key_of_a_row_tells_it_from_one_of_another_source(pooled):
    _, sheet, _, _ = pooled
    other = sheet["pcr"][sheet["pcr"]["row"] == 2].assign(source_id="another", row=99)
    both = pd.concat([sheet["pcr"], other])
    changed = replace(sheet, tables={**sheet.tables, "pcr": both})
    for number, source in ((2, "doe_2020_trial_a"), (99, "another")):
        key = key_of(changed, "pcr", changed.row("pcr", number))
        assert f"source_id={source}" in key.split(";")


def test_counts_without_patients_weigh_nothing(pooled):
    """A reading of 0 of 0 once made every later worklist fail."""
    _, sheet, configuration, evidence = pooled
    (row,) = records(sheet["pcr"][sheet["pcr"]["row"] == 2])
    reading = {
        "table": "pcr", "trial_id": row["trial_id"], "row_key": key_of(sheet, "pcr", row),
        "field": "events|n", "first_value": "42|105", "second_value": "0|0", "verdict": "differ",
    }  # fmt: skip
    frame = sheet["second_reading"]
    longer = pd.concat([frame, pd.DataFrame([dict.fromkeys(frame, "") | reading | {"row": 99}])])
    changed = replace(sheet, tables={**sheet.tables, "second_reading": longer})
    listed = worklist(configuration, changed, evidence).set_index("table")
    assert "the second reader's value" not in listed.loc["pcr", "why"]


def test_a_ratio_without_an_interval_is_asked_for_and_compared_as_it_is(made, tmp_path):
    """Comparing only the first of three numbers would count another interval as agreement."""
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


def test_an_answer_goes_to_no_other_row_of_the_same_result(made, tmp_path):
    """Another source printed the same numbers, and its row now has the old number of this one."""
    raw, _, rows = made
    folder = tmp_path / "twins"
    shutil.copytree(raw, folder)
    path = folder / "pcr.csv"
    header, first, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert ",doe_2020_trial_a,Table 2,secondary" in first
    other = first.replace(",doe_2020_trial_a,Table 2,", ",doe_2020_trial_b,Abstract,")
    path.write_text("".join([header, other, first, *rest]), encoding="utf-8")
    twins = load_sheet(folder, DICTIONARY)[0]
    with pytest.raises(SheetError) as refused:
        answered((folder, twins, rows), tmp_path, pcr={"Value seen": "42/105"})
    (problem,) = refused.value.problems
    assert problem.column == "Where it should be"
    assert problem.message == "pcr.csv, row 2 is now of Abstract. Make a new worklist."
    moved = rows.assign(row=rows["row"].where(rows["table"] != "pcr", 3))
    sheet, _ = answered((folder, twins, moved), tmp_path, pcr={"Value seen": "42/105"})
    assert list(sheet["pcr"]["verification"][:2]) == ["secondary", "primary"]


def test_a_short_worklist_has_the_most_important_rows(pooled, made, tmp_path, monkeypatch):
    raw, evidence = pooled[0], pooled[3]
    monkeypatch.setattr(
        "trial_evidence.report.material.material.read_evidence", lambda *_: evidence
    )
    book, config = tmp_path / "worklist.xlsx", raw.parents[1] / "config"
    asked = {"--raw": raw, "--config": config, "--book": book, "--most": 1}
    assert main(["worklist", *(str(part) for pair in asked.items() for part in pair)]) == 0
    _, *listed = load_workbook(book)[WORKLIST].iter_rows(values_only=True, max_col=2)
    first = made[2].iloc[0]
    assert listed == [(first["table"], str(first["row"]))]


@pytest.mark.parametrize("most", ["0", "-1"])
def test_a_worklist_of_no_rows_is_refused(made, tmp_path, capsys, most):
    book = tmp_path / "worklist.xlsx"
    assert main(["worklist", "--book", str(book), "--most", most, "--raw", str(made[0])]) == 1
    assert f"A worklist of {most} rows cannot be made" in capsys.readouterr().err
    assert not book.exists()


def test_a_worklist_that_is_open_is_not_written_anew(made, tmp_path):
    """Saving it again in the spreadsheet program would restore the old list."""
    (tmp_path / "~$worklist.xlsx").write_bytes(b"\x03Roe")
    with pytest.raises(RequestError, match=r"worklist\.xlsx is open in .* \(Roe\), whose next"):
        write_answers_book(made[2], tmp_path / "worklist.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["~$worklist.xlsx"]


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
    book.unlink()
    notes = [["", "To do"], ["", "Ask the authors."]]
    answered(made, tmp_path, lambda page: [*map(page.parent.create_sheet("notes").append, notes)])
    with pytest.raises(RequestError, match="holds answers"):
        write_answers_book(rows, book)
