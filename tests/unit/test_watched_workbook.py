"""`make watch` without the workflow: what it notices, what it reports, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import pytest
from invented import ROOT
from openpyxl import load_workbook
from small_project import git, judge_every_trial, narrow, small_project
from trial_evidence import watch as watching
from trial_evidence.cli import main
from trial_evidence.sheet import read_dictionary
from trial_evidence.workbook.write import write_workbook

DICTIONARY = read_dictionary(ROOT / "workflow/dictionary")


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """What is read from a workbook while somebody works on it, one step per tick."""

    def watched(book, *steps, load=lambda: None):
        def ticks(*_, **__):
            for step in steps:
                step()
                yield set()

        found = []
        monkeypatch.setattr(watching, "watch", ticks)
        monkeypatch.setattr(watching, "_runs", lambda _: nullcontext(lambda: None))
        folders = tmp_path / "raw", tmp_path / "config"
        for folder in folders:
            folder.mkdir()
        log = tmp_path / "watch.log"
        watching.watch_sheet(*folders, log, load, book, lambda: found.append(book.read_text()))
        return found

    return watched


def test_a_workbook_that_is_taken_away_while_it_is_saved_is_read_once_it_is_back(tmp_path, taken):
    book, new = tmp_path / "book.xlsx", tmp_path / "new"
    book.write_text("old")
    new.write_text("new")
    steps = (lambda: book.rename(tmp_path / "old"), lambda: new.rename(book), lambda: None)
    assert taken(book, *steps) == ["new"]


def test_a_workbook_that_is_not_there_is_named_and_read_once_it_is(tmp_path, taken, capsys):
    book = tmp_path / "book.xlsx"
    assert taken(book, lambda: None, lambda: book.write_text("made")) == ["made"]
    assert f"There is no {book} so far; " in capsys.readouterr().out


def test_a_save_while_the_sheet_is_read_is_answered_too(tmp_path, taken):
    """Otherwise the results would be those of an earlier sheet, without any message."""
    table, read = tmp_path / "raw/trials.csv", []

    def load():
        read.append(table.read_text() if table.exists() else "none")
        table.write_text(str(len(read)))
        os.utime(table, (len(read), len(read)))

    assert taken(None, *[lambda: None] * 2, load=load) == []
    assert read == ["none", "1", "2"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", r"results/ is up to date with the sheet of \d\d:\d\d:\d\d\.\n"),
        (
            "rule all:\n    input: 'nowhere'\n",
            r"The results could not be made; watch\.log says why\.",
        ),
    ],
    ids=["well", "badly"],
)
def test_a_run_says_how_it_ended(tmp_path, monkeypatch, capsys, rule, said):
    """Otherwise a reader would be told that outdated results are up to date."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow"))
    (tmp_path / "Snakefile").write_text(rule)
    (tmp_path / "profiles/default").mkdir(parents=True)
    (tmp_path / "profiles/default/config.yaml").write_text("cores: 1\n")
    heard = ""
    with watching._runs(Path("watch.log")) as run:
        run()
        end = time.monotonic() + 60
        while not heard and time.monotonic() < end:
            time.sleep(0.05)
            heard = "".join(capsys.readouterr())
    assert re.match(said, heard)


@pytest.mark.parametrize("closed", [signal.SIGHUP, signal.SIGTERM])
def test_closing_the_terminal_ends_it_like_ctrl_c(tmp_path, taken, closed):
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(closed, lambda *_: pytest.fail("it is not heard"))
    try:
        steps = (lambda: os.kill(os.getpid(), closed), lambda: pytest.fail("it goes on"))
        assert taken(tmp_path / "book.xlsx", *steps) == []
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


ARM = "trial_a_dual,ypT0/is ypN0,ITT,local,all,"
TOLD = "neoadjuvant/pcr_dual_v_trastuzumab, all: Risk ratio "


@pytest.fixture
def watched(tmp_path, monkeypatch, capsys):
    """The messages after each save, and the number of runs started by then."""
    monkeypatch.chdir(small_project(tmp_path))
    narrow(tmp_path)
    judge_every_trial(tmp_path)

    def saved(*saves):
        said, runs = [], []

        def ticks(*_, **__):
            said.append((capsys.readouterr().out, len(runs)))
            for save in saves:
                save()
                yield set()
                said.append((capsys.readouterr().out, len(runs)))

        monkeypatch.setattr(watching, "watch", ticks)
        monkeypatch.setattr(watching, "_runs", lambda _: nullcontext(lambda: runs.append(1)))
        assert main(["watch"]) == 0
        return said

    return saved


def replaced(file, old, new):
    def save():
        with open(file, encoding="utf-8") as there:
            text = there.read()
        assert text.count(old) == 1
        with open(file, "w", encoding="utf-8") as there:
            there.write(text.replace(old, new))

    return save


def test_each_save_is_compared_with_the_sound_state_before_it(watched):
    """By hand: one trial of three with 42, then 63, then 43 of 105 moves the pooled ratio."""
    cells = ["42,105,40.0", "63,105,60.0", "x,105,60.0", "43,105,41.0"]
    steps = [
        replaced("data/raw/pcr.csv", f"{ARM}{old}", f"{ARM}{new}") for old, new in pairwise(cells)
    ]
    (_, first), (higher, second), (broken, third), (lower, fourth) = watched(*steps)
    assert [first, second, third, fourth] == [1, 2, 2, 3]
    assert "The results remain those of the last sheet without errors." in broken
    up, down = (said.partition(TOLD)[2].splitlines()[0] for said in (higher, lower))
    high = up.partition(" -> ")[2].split(";")[0]
    assert up.startswith("1.70 (")
    assert down.startswith(high.split(" (")[0] + " (")
    assert float(down.partition(" -> ")[2].split()[0]) == pytest.approx(1.72, abs=0.03)


def test_a_table_that_was_cut_in_half_is_said_loudly_at_that_save(watched):
    """The table has no errors: only the changed estimates would show that half of it is gone."""
    git(Path(), "init", "--quiet")
    git(Path(), "add", ".")
    git(Path(), "commit", "--quiet", "--message", "The sheet")

    def cut():
        path = Path("data/raw/hazard_ratios.csv")
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join([header, *rows[: len(rows) // 2]]), encoding="utf-8")

    (before, _), (after, _) = watched(cut)
    assert "LOST" not in before
    assert "  LOST: hazard_ratios.csv has lost " in after


def test_a_workbook_that_cannot_be_taken_ends_nothing(tmp_path, monkeypatch, capsys):
    """Leftovers of an interrupted import need attention; watching continues meanwhile."""
    monkeypatch.chdir(small_project(tmp_path))
    narrow(tmp_path)
    judge_every_trial(tmp_path)
    said = []

    def ticks(*_, **__):
        write_workbook(Path("data/raw"), DICTIONARY, Path("book.xlsx"))
        book = load_workbook("book.xlsx")
        book["pcr"]["G2"], book["pcr"]["I2"] = 43, 41.0
        book.save("book.xlsx")
        Path("data/.raw.before-import").mkdir()
        yield set()
        said.append(capsys.readouterr().err)
        yield set()

    monkeypatch.setattr(watching, "watch", ticks)
    monkeypatch.setattr(watching, "_runs", lambda _: nullcontext(lambda: None))
    assert main(["watch", "--book", "book.xlsx"]) == 0
    assert len(said) == 1
    assert "is left from an interrupted import. Compare it with " in said[0]


# A program that repeatedly saves and deletes a file.
SAVING = """
import sys
from pathlib import Path
table = Path(sys.argv[1])
print("begun", flush=True)
while True:
    table.write_text("saved")
    table.unlink()
"""


def test_a_table_that_vanishes_while_it_is_saved_does_not_end_the_watch(tmp_path):
    """A file may vanish between two reads; watching must not end without a message."""
    table = tmp_path / "trials.csv"
    with subprocess.Popen(
        [sys.executable, "-c", SAVING, str(table)], stdout=subprocess.PIPE, text=True
    ) as saving:
        try:
            assert saving.stdout.readline() == "begun\n"
            times = {bool(watching._time_of(table)) for _ in range(100_000)}
        finally:
            saving.kill()
    assert times == {False, True}


@pytest.mark.parametrize("file", ["config/report.yaml", "config/labels/de.yaml"])
def test_a_save_of_the_configuration_is_answered(watched, file):
    """Including a file in a subfolder; no estimate changes, and the message says so."""
    said = watched(lambda: os.utime(file, (1, 1)), lambda: None)
    assert "No pooled estimate changes." in said[1][0]
    assert [runs for _, runs in said] == [1, 2, 2]


def test_a_warning_that_came_with_a_save_is_told_at_that_save(watched):
    (before, _), (after, _) = watched(
        replaced("data/raw/pcr.csv", f"{ARM}42,105,40.0", f"{ARM}42,105,41.0")
    )
    assert "new: " not in before
    assert "new: pcr.csv, row 2 (trial_a), column reported_percent: 41.0% is printed" in after
