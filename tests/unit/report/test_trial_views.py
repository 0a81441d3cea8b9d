"""A trial's view has every verified result of the sheet once, and says where it is used."""

import csv
from dataclasses import replace

import pytest
from finished_page import read_page
from report_material import material
from small_project import evidence_of, small_project
from trial_evidence.report.page.page import page
from trial_evidence.report.page.rows import trial_rows
from trial_evidence.report.page.sections import page_settings
from trial_evidence.report.trail.trace import trail_of

COUNTED = ("pcr", "hazard_ratios", "harms", "milestones", "medians")


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = small_project(tmp_path_factory.mktemp("views"))
    found = material(evidence_of(folder), folder / "results")
    trail = trail_of(found.evidence, found.configuration)
    text = page(found, page_settings(found, trail), trail, "The evidence")
    return folder, found, read_page(text)


def view_of(trial_id):
    return f"trial-{trial_id.replace('_', '-')}"


def rows_of(finished, trial_id):
    """Rows of the result tables in the view of a trial."""
    return [row for table in finished.tables if table.section == view_of(trial_id)
            for row in table.rows if "Source and location" in row]  # fmt: skip


def sheet_rows(folder, trial_id):
    paths = [folder / "data/raw" / f"{name}.csv" for name in COUNTED]
    found = [row for path in paths if path.exists() for row in read(path)]
    return [row for row in found if row["trial_id"] == trial_id]


def test_every_verified_result_is_there_once(project):
    folder, found, finished = project
    shown = 0
    for trial_id in found.trials:
        mine = sheet_rows(folder, trial_id)
        seen = [row for row in mine if row["verification"] != "unverified"]
        assert len(rows_of(finished, trial_id)) == len(seen)
        said = " ".join(finished.said(view_of(trial_id)))
        assert ("not verified in a source" in said) == (len(seen) < len(mine))
        shown += len(seen)
    assert shown > 30


def test_counts_stand_beside_their_own_arm(project):
    folder, found, finished = project
    arms = {row["arm_id"]: row["label"] for row in read(folder / "data/raw/arms.csv")}
    compared = 0
    for trial_id in found.trials:
        told = {
            (row["Arms"], row["Result"].partition(" (")[0]) for row in rows_of(finished, trial_id)
        }
        for row in read(folder / "data/raw/pcr.csv"):
            if (
                row["trial_id"] == trial_id
                and row["verification"] != "unverified"
                and row["events"]
            ):
                assert (arms[row["arm_id"]], f"{row['events']}/{row['n']}") in told
                compared += 1
    assert compared > 15


def test_an_interval_is_told_at_the_level_of_its_source(project):
    folder, _, finished = project
    levels = set()
    for row in read(folder / "data/raw/hazard_ratios.csv"):
        if row["verification"] == "unverified" or not row["ci_low"] or not row["ci_high"]:
            continue
        told = [line["Result"] for line in rows_of(finished, row["trial_id"])]
        ends = f"{float(row['ci_low']):.2f}–{float(row['ci_high']):.2f}"
        said = f"HR {float(row['hr']):.2f} ({float(row['ci_level']):g}% CI {ends})"
        assert said in told
        levels.add(row["ci_level"])
    assert len(levels) > 1


def test_what_is_used_names_the_analysis_and_what_is_not_says_why(project):
    folder, found, finished = project
    used = 0
    for path in sorted((folder / "results").glob("*/trials.csv")):
        for row in read(path):
            title = found.titles[row["setting"], row["analysis"]]
            shown = rows_of(finished, row["trial_id"])
            if found.analysis(row["setting"], row["analysis"]).harm:
                continue
            assert any(title in line.get("Used in", "") for line in shown), row
            used += 1
    assert used > 20
    aside = found.evidence.set_aside
    said = [
        line["Remarks"]
        for trial_id in set(aside["trial_id"])
        for line in rows_of(finished, trial_id)
        if "Not used:" in line.get("Remarks", "")
    ]
    assert said
    assert any(reason.rstrip(".") in text for text in said for reason in aside["reason"])


def test_a_row_that_one_analysis_uses_and_another_sets_aside_is_not_said_to_be_unused(project):
    _, found, _ = project
    trials = found.evidence.trials
    used = trials[trials["analysis"] == "pcr_dual_v_trastuzumab"].iloc[0]
    aside = found.evidence.set_aside.iloc[:1].assign(
        table="pcr", row=used["rows"].split(";")[0], trial_id=used["trial_id"], reason="Odd."
    )
    found = replace(found, evidence=replace(found.evidence, set_aside=aside))
    trail = trail_of(found.evidence, found.configuration)
    text = page(found, page_settings(found, trail), trail, "The evidence")
    lines = rows_of(read_page(text), used["trial_id"])
    assert any(line["Used in"] for line in lines)
    assert not any("Not used:" in line.get("Remarks", "") for line in lines)


def test_a_trial_without_an_event_is_not_pooled_in_the_measure_that_leads(project):
    """Its difference is pooled; the row is about the ratio, which comes first."""
    _, found, _ = project
    shown = next(s for s in trail_of(found.evidence, found.configuration).shown
                 if s.kind == "result" and s.record.get("measure") == "risk_ratio")  # fmt: skip
    measures = [
        replace(shown, record=shown.record | {"measure": measure, "pooled": pooled})
        for measure, pooled in (("risk_ratio", "no"), ("risk_difference", "yes"))
    ]
    (row,) = trial_rows(measures, {}, {})
    assert row.record["pooled"] == "no"
