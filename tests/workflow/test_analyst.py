"""A day of the analyst: a trial is added through the workbook and stands in the figure."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from openpyxl import load_workbook
from project_copy import ROOT, Project
from trial_evidence.cli import main

COLUMNS = {
    "sources": ["source_id", "first_author", "year", "journal", "title_short", "type"],
    "trials": [
        "trial_id", "name", "setting", "phase", "randomised", "blinded", "n_randomised",
        "population", "primary_endpoint",
    ],
    "arms": [
        "trial_id", "arm_id", "label", "agents", "her2_schedule", "partner", "partner_detail",
        "n_randomised",
    ],
    "pcr": [
        "trial_id", "arm_id", "definition", "population", "assessor", "subgroup", "events", "n",
        "reported_percent", "source_id", "locator", "verification", "derivation", "status",
    ],
}  # fmt: skip
# Two arms, 60 of 120 against 40 of 120.
NEW = {
    "sources": [["roe_2026_trial_q", "Roe", 2026, "Journal of Made-up Results", "Q", "article"]],
    "trials": [
        ["trial_q", "TRIAL-Q", "neoadjuvant", "3", "yes", "no", 240, "HER2+ early", "pCR"]
    ],
    "arms": [
        ["trial_q", "trial_q_dual", "T+P+docetaxel", "pertuzumab+trastuzumab", "concurrent",
         "chemotherapy", "docetaxel x4", 120],
        ["trial_q", "trial_q_single", "T+docetaxel", "trastuzumab", "concurrent", "chemotherapy",
         "docetaxel x4", 120],
    ],
    "pcr": [
        ["trial_q", arm, "ypT0/is ypN0", "ITT", "local", "all", events, 120, percent,
         "roe_2026_trial_q", "Table 2", "primary", "reported", "current"]
        for arm, events, percent in (("trial_q_dual", 60, 50.0), ("trial_q_single", 40, 33.3))
    ],
}  # fmt: skip
ANALYSIS = "pcr_dual_v_trastuzumab"


def command(project: Project, *arguments: str) -> str:
    """Run a command as `make` does; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "trial_evidence", *arguments],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def git(project: Project, *arguments: str) -> None:
    """Run git with an author of its own."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=project.folder, check=True, capture_output=True)


def type_rows(book: Path) -> None:
    """Type the new trial below the last row of each table."""
    workbook = load_workbook(book)
    for table, rows in NEW.items():
        sheet = workbook[table]
        header = [cell.value for cell in sheet[1]]
        for typed in rows:
            row = sheet.max_row + 1
            for name, value in zip(COLUMNS[table], typed, strict=True):
                sheet.cell(row, header.index(name) + 1).value = value
    workbook.save(book)


def test_a_trial_is_added_through_the_workbook(finished: Project) -> None:
    git(finished, "init", "--quiet")
    git(finished, "add", "data/raw", "config")
    git(finished, "commit", "--quiet", "--message", "The sheet")
    command(finished, "workbook", "--book", "evidence.xlsx")
    type_rows(finished.folder / "evidence.xlsx")

    started = time.perf_counter()
    told = command(finished, "import", "--book", "evidence.xlsx")
    checked = command(finished, "check", "--list-warnings")
    changed = command(finished, "changes")
    run = finished.snakemake()
    seconds = time.perf_counter() - started
    print(f"import, check, changes and figures: {seconds:.0f} s")

    assert "  added    row 16, trial_q" in told
    assert told.splitlines()[-1].startswith("Imported: sources.csv, trials.csv, arms.csv, pcr.csv")
    assert checked == "No errors, no warnings.\n"
    # Three trials before: 42/105 v 23/105, 84/220 v 25/110 and 49/100 v 30/99; four now.
    assert re.search(r"\| all \| before \| 3 \| Risk ratio 1\.69 ", changed)
    assert re.search(r"\|  \| after \| 4 \| Risk ratio 1\.", changed)
    assert "pcr.csv row 27 is used by neoadjuvant/pcr_dual_v_trastuzumab" in changed
    assert run.code == 0, run.err
    figure = finished.folder / f"results/neoadjuvant/{ANALYSIS}/forest.svg"
    drawn = figure.read_text(encoding="utf-8")
    # By hand: (60/120) / (40/120) = 1.50; 1.96 sqrt(1/60 + 1/40 - 2/120) = 0.3099 on the log scale.
    for text in ("TRIAL-Q (2026)", "60/120", "40/120", "1.50 (1.10–2.04)"):
        assert text in drawn, text
    trace = [row for row in finished.table("trace.csv") if row["trial_id"] == "trial_q"]
    assert {row["cells"] for row in trace if row["analysis"] == ANALYSIS} == {"pcr.csv rows 27, 28"}
    assert seconds < 60


def test_the_real_sheet_goes_through_a_workbook_unchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    raw = ROOT / "data/raw"
    copy = tmp_path / "data/raw"
    copy.mkdir(parents=True)
    for path in raw.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    book = str(project.folder / "evidence.xlsx")
    assert main(["workbook", f"--raw={copy}", "--book", book]) == 0
    assert main(["import", f"--raw={copy}", "--book", book]) == 0
    assert "nothing to import" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in raw.iterdir()
    }
