"""Messages of ``make check`` on an edit: its rows, its warnings, and a table cut in half."""

import re

import pytest
from small_project import (
    append_like,
    edited_yaml,
    git,
    judge_every_trial,
    replace_text,
    small_project,
)
from trial_evidence.cli import main

SOUND = "No errors, no warnings.\n"


@pytest.fixture
def check(project, capsys):
    """Run the check as `make check` does; return the terminal output, with or without warnings."""

    def run(*arguments, code=0):
        assert main(["check", *(arguments or ["--list-warnings"])]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


def halve(project, table):
    path = project / "data/raw" / f"{table}.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *rows[: len(rows) // 2]]), encoding="utf-8")
    return len(rows), len(rows) - len(rows) // 2


def test_nothing_is_said_of_a_sheet_as_committed(check):
    assert check() == SOUND


def test_the_rows_of_each_table_are_counted(project, check):
    append_like(project, "sources", "doe_2020_trial_k", "doe_2020_trial_k", "doe_2020_trial_z")
    replace_text(project, "pcr", ",first report", ",a first report")
    heading, *lines, last = check().splitlines()
    assert re.fullmatch(r"Since the last commit \([0-9a-f]+ of [0-9-]+\):", heading)
    assert lines == ["  sources: 1 row added", "  pcr: 1 row changed"]
    assert last == SOUND.strip()


def test_a_setting_that_was_edited_is_told(project, check):
    """An estimator left changed by accident would change every result without any message."""
    path = project / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("tau2_estimator: REML", "tau2_estimator: DL"), encoding="utf-8")
    _, line, _ = check().splitlines()
    assert line == '  config/config.yaml, pooling, tau2_estimator: changed from "REML" to "DL"'
    assert check("--state", "state") == SOUND


def test_a_new_warning_is_told_apart_from_the_old_ones(project, check):
    replace_text(project, "pcr", "42,105,40.0", "42,105,41.0")
    git(project, "commit", "--quiet", "--all", "--message", "An old warning")
    replace_text(project, "pcr", "ITT,local,all,49,100,49.0", "ITT,local,all,49,100,48.0")
    old, *_, new, last = check().splitlines()
    assert old.startswith("pcr.csv, row 2 (trial_a), column reported_percent")
    assert new.startswith("new: pcr.csv, row 13 (trial_c), column reported_percent")
    assert last.startswith("No errors, 2 warnings (1 new).")


def test_a_warning_that_only_moved_down_is_not_new(project, check):
    replace_text(project, "pcr", "42,105,40.0", "42,105,41.0")
    git(project, "commit", "--quiet", "--all", "--message", "An old warning")
    path = project / "data/raw/pcr.csv"
    header, first, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *rows, first]), encoding="utf-8")
    assert "new" not in check()


def test_a_trial_that_nobody_has_judged_is_new_until_it_is_committed(project, check):
    path = project / "data/raw/risk_of_bias.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(x for x in lines if not x.startswith("trial_c,pCR")), encoding="utf-8")
    assert "new: trials.csv, row 4 (trial_c): nobody has judged" in check()
    git(project, "commit", "--quiet", "--all", "--message", "Without a judgement")
    said = check()
    assert said.startswith("trials.csv, row 4 (trial_c): nobody has judged")
    assert said.endswith("No errors, 1 warning. Full list: results/checks/problems.csv\n")


def test_a_warning_that_comes_of_a_setting_is_new_as_well(project, check):
    with edited_yaml(project / "config/analyses.yaml") as asked:
        asked["analyses"][0]["trials"] = {"years": [1901, 1902]}
    (new,) = [line for line in check().splitlines() if line.startswith("new: ")]
    assert "so the analysis has no result." in new


@pytest.mark.parametrize("arguments", [("--list-warnings",), ("--state", "state")])
def test_a_table_that_was_cut_in_half_is_said_loudly(project, check, arguments):
    """The table has no errors, so every stage would accept it."""
    rows, gone = halve(project, "hazard_ratios")
    said = check(*arguments)
    assert (
        f"  LOST: hazard_ratios.csv has lost {gone} of its {rows} rows. If nobody meant that, "
        "bring the file back as it was: git checkout HEAD -- data/raw/hazard_ratios.csv\n"
    ) in said
    assert "No errors" in said


def test_rows_that_were_changed_beyond_recognition_are_not_lost(project, check):
    """The advice to bring the file back would throw the edit away."""
    path = project / "data/raw/populations.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    other = [row.replace("negative", "unknown").replace("positive", "unknown") for row in rows]
    assert other != rows
    path.write_text("".join([header, *other]), encoding="utf-8")
    assert "LOST" not in check()


def test_what_was_lost_is_said_before_the_errors_that_come_of_it(project, check):
    halve(project, "arms")
    said = check(code=1)
    assert said.index("LOST: arms.csv has lost") < said.index("is not in arms.csv")


def test_a_table_that_is_gone_is_said_loudly(project, check):
    (project / "data/raw/harms.csv").unlink()
    assert "LOST: harms.csv has lost" in check()


@pytest.mark.parametrize("content", [None, b""], ids=["no file", "an empty file"])
def test_a_table_that_the_sheet_needs_and_lost_is_said_loudly(project, check, content):
    path = project / "data/raw/pcr.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert "  LOST: pcr.csv has lost every row. If nobody meant that" in check(code=1)


def test_a_table_in_another_form_is_not_called_lost(project, check):
    """The advice to bring the file back would throw away the edits saved with semicolons."""
    path = project / "data/raw/pcr.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    (said, _) = check(code=1).splitlines()
    assert said.startswith("pcr.csv, row 1: the cells are separated by semicolons, not by commas.")


def test_the_advice_brings_the_table_back(project, check):
    before = (project / "data/raw/hazard_ratios.csv").read_bytes()
    halve(project, "hazard_ratios")
    advice = re.search(r"git (checkout .*)", check())
    git(project, *advice[1].split())
    assert (project / "data/raw/hazard_ratios.csv").read_bytes() == before


def test_a_run_says_no_more_than_what_was_lost(project, check):
    replace_text(project, "pcr", ",first report", ",a first report")
    assert check("--state", "state") == SOUND


def test_the_list_of_findings_does_not_depend_on_git(project, check):
    replace_text(project, "pcr", "42,105,40.0", "42,105,41.0")
    check()
    before = (project / "results/checks/problems.csv").read_bytes()
    git(project, "commit", "--quiet", "--all", "--message", "An old warning")
    check()
    assert (project / "results/checks/problems.csv").read_bytes() == before


@pytest.mark.parametrize("git_is", ["not there", "without a repository", "without a commit"])
def test_without_a_commit_nothing_is_said_of_it(tmp_path, monkeypatch, capsys, git_is):
    folder = small_project(tmp_path / "project")
    judge_every_trial(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    if git_is == "without a commit":
        git(folder, "init", "--quiet")
    elif git_is == "not there":
        monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["check", "--list-warnings"]) == 0
    assert capsys.readouterr() == (SOUND, "")


def test_a_sheet_that_the_commit_does_not_hold_is_compared_with_nothing(project, check):
    git(project, "rm", "--quiet", "-r", "--cached", "data")
    git(project, "commit", "--quiet", "--message", "Without the sheet")
    assert check() == SOUND
