"""The real extraction sheet: properties that hold whatever is corrected in it or added to it."""

from __future__ import annotations

import csv

import pytest
from sheet_files import DICTIONARY, FROZEN, REAL
from trial_evidence.sheet import Sheet, load_sheet
from trial_evidence.words.problems import Problem


@pytest.fixture(scope="module")
def loaded() -> tuple[Sheet, tuple[Problem, ...]]:
    return load_sheet(REAL, DICTIONARY)


@pytest.mark.parametrize("table", DICTIONARY.tables)
def test_all_of_it_is_read(loaded: tuple[Sheet, tuple[Problem, ...]], table: str) -> None:
    with (REAL / DICTIONARY.tables[table].file).open(encoding="utf-8-sig", newline="") as file:
        _, *rows = (row for row in csv.reader(file) if any(cell.strip() for cell in row))
    assert len(loaded[0][table]) == len(rows)


def test_it_has_no_errors(loaded: tuple[Sheet, tuple[Problem, ...]]) -> None:
    assert [p.line() for p in loaded[1] if p.severity == "error"] == []


@pytest.mark.parametrize(
    ("subject", "column", "words"),
    [
        ("phila", "p_value", "It fits only as one-sided."),
        ("cherlob", "events", "add up to 19 of 44, but the whole arm has 21 of 45"),
        ("neoaltto", "reported_percent", "46.8% is printed, but 68 of 145 is 46.90%."),
        ("cleopatra", "", "the same result of the same source is also in row 39"),
        ("nsabp_b41", "p_value", "p = 0.37 does not agree with 0.7 (95% 0.37 to 1.32)"),
    ],
)
def test_known_doubts_of_the_frozen_sheet_are_found(subject: str, column: str, words: str) -> None:
    found = [
        p for p in load_sheet(FROZEN, DICTIONARY)[1] if (p.subject, p.column) == (subject, column)
    ]
    assert any(words in problem.message for problem in found)


def test_decisions_to_leave_out_have_a_reason_of_one_sentence(
    loaded: tuple[Sheet, tuple[Problem, ...]],
) -> None:
    assert all(
        reason[0].isupper() and len(reason) > 10 for reason in loaded[0]["exclusions"]["reason"]
    )


def test_populations_quote_the_trial(loaded: tuple[Sheet, tuple[Problem, ...]]) -> None:
    trials = loaded[0]["trials"].set_index("trial_id")
    words = trials["population"] + " " + trials["note"]
    populations = loaded[0]["populations"]
    quotes = zip(populations["trial_id"], populations["basis"], strict=True)
    assert [trial for trial, basis in quotes if basis not in words[trial]] == []


def test_row_numbers_are_those_of_the_spreadsheet(
    loaded: tuple[Sheet, tuple[Problem, ...]],
) -> None:
    with (REAL / "pcr.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.reader(file))
    frame = loaded[0]["pcr"]
    for row, arm in zip(frame["row"], frame["arm_id"], strict=True):
        assert records[row - 1][1] == arm
