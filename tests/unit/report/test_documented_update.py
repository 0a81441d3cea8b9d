"""A documented update: a search is imported and screened, two reports are included."""

import csv
import re
from dataclasses import replace

import pandas as pd
import pytest
from figures.svg_reading import check_svg, read_svg
from invented import ROOT
from report_material import material, with_table
from small_project import append_like, evidence_of, small_project
from test_report_numbers import assert_adds_up
from trial_evidence.cli import main
from trial_evidence.figures.canvas.page import save_page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.overview import flow as boxes
from trial_evidence.report.files.methods_text import methods_paragraphs
from trial_evidence.report.files.overview_figures import flow_of
from trial_evidence.report.tables.flow import flow_steps

EXPORT = ROOT / "tests/unit/workbook/made_up/search.nbib"
# Decisions of a reader on the 33 records that are neither duplicates nor known.
REASONS = ["other disease"] * 11 + ["not randomised"] * 14
NOT_ELIGIBLE = ["no results by arm"] * 3 + ["Other comparison."] * 2


def rows_of(folder, table):
    with (folder / "data/raw" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(folder, table, rows):
    path = folder / "data/raw" / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def log_the_search(folder):
    rows = [row | {"strategy": ""} for row in rows_of(folder, "search_log")]
    new = {"search_id": "s2", "date": "2026-03-01", "reader": "reader 1", "where": "PubMed",
           "queries": "1", "scope": "all settings", "note": "",
           "strategy": "(disease[mh]) AND (almab OR bemab)"}  # fmt: skip
    write_rows(folder, "search_log", [*rows, new])


def screen(folder):
    rows = rows_of(folder, "screening")
    to_do = [row for row in rows if not row["decision"]]
    decided = [("excluded", reason) for reason in REASONS] + [("not_retrieved", "")]
    decided += [("not_eligible", reason) for reason in NOT_ELIGIBLE] + [("included", "")] * 2
    for row, (decision, reason) in zip(to_do, decided, strict=True):
        row |= {"decision": decision, "reason": reason, "initials": "AB", "date": "2026-03-02"}
    # Two trials with the arms and counts of trial A.
    for row, letter in zip(to_do[-2:], "yz", strict=True):
        row["source_id"] = f"doe_2020_trial_{letter}"
        old, new = "trial_a", f"trial_{letter}"
        append_like(folder, "sources", "doe_2020_trial_a", old, new)
        append_like(folder, "trials", old, "trial_a,TRIAL-A,NCT00000001", f"{new},T-{letter},")
        for arm in ("dual", "single"):
            append_like(folder, "arms", f"trial_a,trial_a_{arm}", old, new)
            append_like(folder, "pcr", f"trial_a,trial_a_{arm}", old, new)
    write_rows(folder, "screening", rows)


def records(folder, *arguments):
    return main(["records", f"--raw={folder / 'data/raw'}", f"--config={folder / 'config'}",
                 "--file", str(EXPORT), *arguments])  # fmt: skip


@pytest.fixture(scope="module")
def updated(tmp_path_factory):
    folder = small_project(tmp_path_factory.mktemp("updated"))
    log_the_search(folder)
    assert records(folder) == 0
    screen(folder)
    return folder, material(evidence_of(folder), folder / "results")


def test_the_update_is_counted_step_by_step(updated):
    steps = {step.step: step for step in flow_steps(updated[1])}
    assert {name: step.n for name, step in steps.items() if step.stage != "Synthesis"} == {
        "Searches": 2,
        "Queries": 1,
        "Records identified": 40,
        "Records removed before screening": 4 + 3,
        "Records screened": 33,
        "Records excluded": 25,
        "Reports sought for retrieval": 8,
        "Reports not retrieved": 1,
        "Reports assessed for eligibility": 7,
        "Reports excluded": 5,
        "Reports included": 2,
        "Trials and cohorts in the sheet": 16,
        "Trials and cohorts of the review before": 14,
        "Trials and cohorts in no result": steps["Trials and cohorts in no result"].n,
    }
    assert steps["Records removed before screening"].detail == "duplicates 4; in the sheet before 3"
    assert steps["Records excluded"].detail == "not randomised 14; other disease 11"
    assert steps["Reports excluded"].detail == "no results by arm 3; Other comparison 2"
    assert steps["Reports included"].detail == "of 2 new trials and cohorts"


def test_the_flow_of_an_update_adds_up(updated):
    steps = [step for step in flow_steps(updated[1]) if step.place and step.n is not None]
    included = next(n for n, step in enumerate(steps) if step.step == "Reports included")
    assert_adds_up(steps[: included + 1])
    assert_adds_up([s for s in steps[included + 1 :] if s.place != "joins"])
    # The trials of the previous review, and the new trials.
    by_name = {step.step: step for step in steps}
    before = by_name["Trials and cohorts of the review before"]
    assert before.place == "joins"
    assert before.n + 2 == by_name["Trials and cohorts in the sheet"].n


def test_a_further_report_of_a_trial_in_the_sheet_makes_no_new_trial(updated):
    found = updated[1]
    # One arm of a trial found by the search was already in an earlier report.
    earlier = {"trial_y_dual": "doe_2020_trial_a"}
    counts = [row | {"source_id": earlier.get(row["arm_id"], row["source_id"])}
              for row in found.sheet["pcr"].to_dict("records")]  # fmt: skip
    changed = with_table(found, "pcr", counts)
    steps = {step.step: step for step in flow_steps(changed)}
    assert steps["Reports included"].detail == (
        "of 1 new trial or cohort; 1 further report of trials that were in the sheet"
    )
    assert steps["Trials and cohorts of the review before"].n == 15


def test_two_records_of_one_report_are_one_report(updated):
    """The reports of the review before are all but those that the search found."""
    found = updated[1]
    screened = found.sheet["screening"].to_dict("records")
    (first, *_) = (row for row in screened if row["decision"] == "included")
    again = next(row for row in screened if row["decision"] == "not_retrieved")
    again |= {"decision": "included", "source_id": first["source_id"]}
    steps = {step.step: step for step in flow_steps(with_table(found, "screening", screened))}
    known = len(found.sheet["sources"]) - 2
    assert steps["Trials and cohorts of the review before"].detail == f"{known} reports"


def test_the_figure_holds_the_steps_of_prisma(updated, tmp_path):
    page = boxes.layout(flow_of(updated[1]), Style())
    save_page(page, tmp_path / "flow", ("svg", "png"))
    assert check_svg(tmp_path / "flow.svg") == []
    text = " ".join(word.text.strip() for word in read_svg(tmp_path / "flow.svg").words)
    for said in (
        "Records identified: n = 40", "Records removed before screening: n = 7",
        "Records screened: n = 33", "Records excluded: n = 25", "Reports not retrieved: n = 1",
        "Reports excluded: n = 5", "Reports included: n = 2",
        "Trials and cohorts of the review before: n = 14",
    ):  # fmt: skip
        assert said in text
    # For a documented search, the figure begins with the records; the searches are in the table.
    assert "Searches" not in text
    assert "brought up to date by a documented search (PubMed, 2026-03-01)" in text
    assert "The records of the curated search were not counted." in text


def test_the_methods_tell_the_update(updated):
    text = methods_paragraphs(updated[1])[0]
    assert (
        "The documented search found 40 records. 7 were removed before screening (duplicates 4; in "
        "the sheet before 3), 33 were left to be screened, 25 were excluded by title or abstract. "
        "Of 8 reports sought, 1 could not be retrieved; of 7 assessed, 5 were not eligible (no "
        "results by arm 3; Other comparison 2), and 2 were included, of 2 new trials and cohorts."
    ) in text
    assert "were not counted" not in text


def test_records_that_wait_are_counted_as_waiting(updated, tmp_path):
    found = updated[1]
    screened = found.sheet["screening"].copy()
    waiting = screened["reason"] == "other disease"
    screened.loc[waiting, ["decision", "reason"]] = ""
    sheet = replace(found.sheet, tables={**found.sheet.tables, "screening": screened})
    steps = {step.step: step for step in flow_steps(replace(found, sheet=sheet))}
    assert steps["Records to be screened"].n == 33
    assert (steps["Records not screened yet"].n, steps["Records not screened yet"].place) == (
        11, "leaves",
    )  # fmt: skip
    assert "11 were not screened yet" in methods_paragraphs(replace(found, sheet=sheet))[0]


def test_a_new_review_has_no_review_before(updated):
    """Every trial comes from records of documented searches."""
    found = updated[1]
    screened, log = found.sheet["screening"], found.sheet["search_log"]
    one = screened[screened["decision"] == "included"].iloc[:1]
    every = [one.assign(record_id=f"r{n}", source_id=source)
             for n, source in enumerate(found.sheet["sources"]["source_id"])]  # fmt: skip
    tables = {"screening": pd.concat(every), "search_log": log[log["search_id"] == "s2"]}
    sheet = replace(found.sheet, tables={**found.sheet.tables, **tables})
    flow = flow_of(replace(found, sheet=sheet))
    steps = [box.step for _, boxes in flow.stages for box in boxes]
    assert "Trials and cohorts of the review before" not in steps
    assert "curated" not in flow.footnotes[0]
    assert re.search(r"This was a documented search \(PubMed, 2026-03-01\)", flow.footnotes[0])
