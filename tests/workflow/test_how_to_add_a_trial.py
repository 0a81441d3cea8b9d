"""docs/how-to-add-a-trial.md carried out: its trial is added to a copy of the sheet.

The trial of the page is in the sheet already, so the copy begins without it. What is tested holds
whatever else is corrected in the sheet, or added to it.
"""

import csv
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from figures.svg_reading import check_svg, read_svg
from openpyxl import load_workbook
from project_copy import ROOT, Project
from small_project import drawn_once, edited_yaml

PAGE = (ROOT / "docs/how-to-add-a-trial.md").read_text(encoding="utf-8")
TRIAL, SETTING, ANALYSIS = "phedra", "neoadjuvant", "pcr_dual_v_trastuzumab"


def tables_of_the_page() -> dict[str, list[dict[str, str]]]:
    """Rows of the tables below `**name**:`; the column "..." is dropped."""
    found = {}
    for name, block in re.findall(r"^\*\*(\w+)\*\*:.*?\n\n(\|.*?)\n\n", PAGE, re.M | re.S):
        header, _, *rows = (
            [cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()
        )
        found[name] = [
            {n: cell for n, cell in zip(header, row, strict=True) if n != "..."} for row in rows
        ]
    return found


def rows_of(raw: Path, table: str) -> list[list[str]]:
    with (raw / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def shorten(config: Path) -> None:
    """Plots of one measure in one format; no rates and no network, as the page describes none."""
    drawn_once(config)
    with edited_yaml(config / "analyses.yaml") as analyses:
        analyses["rates"] = []
        for entry in analyses["analyses"]:
            # Harms are listed by both of theirs.
            entry["measures"] = entry["measures"][: 2 if entry.get("harm") else 1]
    with edited_yaml(config / "networks.yaml") as networks:
        networks["networks"] = [x for x in networks["networks"] if x["outcome"] != "pcr"]
        networks |= {"synergy": [], "surrogacy": []}
    with edited_yaml(config / "report.yaml") as report:
        report["claims"] = [claim for claim in report["claims"] if "file" not in claim["rule"]]


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str]]:
    """The project after every step of the page, and the output of the commands."""
    folder = tmp_path_factory.mktemp("page") / "project"
    for part in ("data/raw", "config"):
        shutil.copytree(ROOT / part, folder / part)
    raw = folder / "data/raw"
    sources = {row["source_id"] for row in tables_of_the_page()["sources"]}
    for path in sorted(raw.glob("*.csv")):
        header, *rows = rows_of(raw, path.stem)
        own = [row for row in rows if not ({TRIAL, *sources} & {*row})]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *own])
    project = Project(folder)
    shorten(folder / "config")
    project.git("init", "--quiet")
    project.git("add", "data/raw", "config")
    project.git("commit", "--quiet", "--message", "Without the trial")
    said = {"workbook": project.command("workbook", "--book", "evidence.xlsx")}
    type_the_page(folder / "evidence.xlsx")
    said["import"] = project.command("import", "--book", "evidence.xlsx")
    said["check"] = project.command("check", "--list-warnings")
    said["changes"] = project.command("changes")
    said["explain"] = project.command("explain", "--trial", TRIAL, "--analysis", ANALYSIS)
    project.command("extract")
    project.command("pool", "--setting", SETTING)
    project.command("figures", "--setting", SETTING)
    return project, said


def type_the_page(book: Path) -> None:
    """Append the rows of the page to each table."""
    workbook = load_workbook(book)
    for table, typed in tables_of_the_page().items():
        sheet = workbook[table]
        header = [cell.value for cell in sheet[1]]
        for cells in typed:
            row = sheet.max_row + 1
            for name, value in cells.items():
                if value:
                    sheet.cell(row, header.index(name) + 1).value = value
    workbook.save(book)


def test_the_page_has_the_tables_to_type():
    assert list(tables_of_the_page()) == ["sources", "trials", "arms", "pcr", "risk_of_bias"]
    assert [row["events"] for row in tables_of_the_page()["pcr"]] == ["73", "39"]


def test_the_import_names_the_rows_that_are_new(added):
    project, said = added
    for table, typed in tables_of_the_page().items():
        assert f"{table}: {len(typed)} row" in said["import"], table
        assert len(rows_of(project.folder / "data/raw", table)) == len(
            {tuple(row) for row in rows_of(project.folder / "data/raw", table)}
        )
    assert said["import"].splitlines()[-1].startswith("Imported: sources.csv, trials.csv, arms.csv")


def test_the_check_finds_nothing_to_stop_for_and_counts_the_rows(added):
    assert "No errors" in added[1]["check"]
    assert "(phedra)" not in added[1]["check"]
    for table, typed in tables_of_the_page().items():
        assert f"  {table}: {len(typed)} row" in added[1]["check"]


def test_without_the_judgement_the_check_names_the_trial(added, tmp_path):
    project = added[0].copied_to(tmp_path / "project")
    path = project.folder / "data/raw/risk_of_bias.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{TRIAL},")]
    path.write_text("".join(kept), encoding="utf-8")
    assert re.search(
        rf"new: trials\.csv, row \d+ \({TRIAL}\): nobody has judged the risk of bias of pCR",
        project.command("check", "--list-warnings"),
    )


def test_the_changes_name_one_trial_more(added):
    lines = [line.split("|") for line in added[1]["changes"].splitlines() if "Risk ratio" in line]
    first = added[1]["changes"].partition("## Rows")[0]
    assert re.search(r"dual HER2 blockade versus trastuzumab: risk ratio .* → ", first)
    (before, after) = next(
        (one, other) for one, other in pairwise(lines)
        if "dual HER2 blockade versus trastuzumab" in one[1] and one[2].strip() == "all"
    )  # fmt: skip
    assert (before[3].strip(), after[3].strip()) == ("before", "after")
    assert int(after[4]) == int(before[4]) + 1
    assert f"is used by {SETTING}/{ANALYSIS}" in added[1]["changes"]


def test_the_trail_is_that_of_the_page(added):
    """Contrast, effect and result follow from the added cells alone."""
    shown = re.search(rf"(    {ANALYSIS} .*?risk ratio\n.*?)\n\n", PAGE, re.S)
    assert shown
    for line in shown[1].splitlines():
        step = line.strip().split()[0]
        if step in {"contrast", "effect", "result", "bias"}:
            assert " ".join(line.split()) in " ".join(added[1]["explain"].split()), line


def test_the_trial_stands_in_the_forest_plot(added):
    figure = added[0].folder / f"results/{SETTING}/{ANALYSIS}/forest.svg"
    assert check_svg(figure) == []
    drawn = [word.text.strip() for word in read_svg(figure).words]
    for text in ("PHEDRA (2022)", "73/178", "39/177", "1.86 (1.34–2.58)"):
        assert text in drawn, text


def test_the_sheet_holds_what_was_typed_and_the_rest_as_it_was(added):
    raw = added[0].folder / "data/raw"
    for table, typed in tables_of_the_page().items():
        header, *rows = rows_of(raw, table)
        new = [dict(zip(header, row, strict=True)) for row in rows[-len(typed) :]]
        for cells, row in zip(typed, new, strict=True):
            assert {name: row[name] for name in cells} == cells, table
