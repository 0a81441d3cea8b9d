"""The wording of findings and of the closing line."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest
from sheet_files import DICTIONARY, REAL, ROOT
from trial_evidence.sheet import find_problems
from trial_evidence.words.problems import (
    PROBLEM_COLUMNS,
    Problem,
    did_you_mean,
    new_among,
    problems_as_rows,
    summary,
    told_briefly,
)

ERROR = Problem(
    "error",
    "hazard_ratios.csv",
    14,
    "trial_a",
    "hr",
    "0,81",
    '"0,81" is not a number. Use a point as decimal mark: 0.81',
)
WARNING = Problem("warning", "pcr.csv", None, "", "", "", "something looks odd.")


def test_a_line_says_file_row_trial_and_column() -> None:
    assert ERROR.line() == (
        'hazard_ratios.csv, row 14 (trial_a), column hr: "0,81" is not a number. '
        "Use a point as decimal mark: 0.81"
    )


def test_a_line_about_a_file_names_no_row() -> None:
    assert WARNING.line() == "pcr.csv: something looks odd."


def test_a_warning_is_not_new_because_a_row_was_inserted_above() -> None:
    """Neither its own row nor a row that it names is where it was."""
    alike = replace(WARNING, row=6, message="the same as row 4 of this table")
    moved = replace(alike, row=7, message="the same as row 5 of this table")
    assert new_among([moved], [alike]) == ()
    other = replace(moved, value="41")
    assert new_among([moved, other], [alike]) == (other,)


def test_of_more_mistakes_than_fit_the_first_are_told_and_the_others_counted() -> None:
    mistakes = [replace(ERROR, column=f"column_{n}") for n in range(9)]
    assert told_briefly(mistakes, 9) == [mistake.line() for mistake in mistakes]
    lines = told_briefly(mistakes, 7)
    assert lines == [*(mistake.line() for mistake in mistakes[:7]), "... and 2 more lines"]


@pytest.mark.parametrize(
    ("problems", "words"),
    [
        (
            [ERROR, ERROR, ERROR, WARNING, WARNING],
            "3 errors, 2 warnings. Nothing was computed. Full list: list.csv",
        ),
        ([ERROR, WARNING], "1 error, 1 warning. Nothing was computed. Full list: list.csv"),
        ([ERROR], "1 error, no warnings. Nothing was computed. Full list: list.csv"),
        ([WARNING, WARNING], "No errors, 2 warnings. Full list: list.csv"),
        ([], "No errors, no warnings."),
    ],
)
def test_summary(problems: list[Problem], words: str) -> None:
    assert summary(problems, "list.csv") == words


def test_the_list_for_a_file_has_a_cell_for_every_column() -> None:
    rows = problems_as_rows([ERROR, WARNING])
    assert [len(row) for row in rows] == [len(PROBLEM_COLUMNS)] * 2
    assert rows[0][:6] == ("error", "hazard_ratios.csv", "14", "trial_a", "hr", "0,81")
    assert rows[1][2] == ""


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("neo-adjuvant", ' Did you mean "neoadjuvant"?'),
        ("ADJUVANT", ' Did you mean "adjuvant"?'),
        ("palliative", ""),
        ("a" * 10_000, ""),
    ],
)
def test_nearest_word(word: str, advice: str) -> None:
    assert did_you_mean(word, ["neoadjuvant", "adjuvant", "metastatic"]) == advice


def test_checking_does_not_load_numerical_libraries() -> None:
    program = (
        "import sys, pathlib; from trial_evidence.sheet import *; "
        "find_problems(pathlib.Path(sys.argv[2]), read_dictionary(pathlib.Path(sys.argv[1]))); "
        "print(sorted({'pandas', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    arguments = [sys.executable, "-c", program, str(ROOT / "workflow" / "dictionary"), str(REAL)]
    done = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "workflow")},
    )
    assert done.stdout == "[]\n"


def test_the_real_sheet_is_checked_in_under_two_seconds() -> None:
    start = time.process_time()
    find_problems(REAL, DICTIONARY)
    assert time.process_time() - start < 2
