"""Notes for extractors are never shown to readers; public notes are."""

import csv

import pytest
from report_material import material
from small_project import evidence_of, small_project
from trial_evidence.report.page.page import page
from trial_evidence.report.page.sections import page_settings
from trial_evidence.report.tables.every import tables_of
from trial_evidence.report.trail.trace import trail_of

WORKING, PUBLIC = "remembered, look it up", "Operated patients only."
NOTED = ("trials", "pcr", "hazard_ratios", "risk_of_bias", "biomarker_effects")


@pytest.fixture(scope="module")
def noted(tmp_path_factory):
    """A project with both kinds of notes in every row of the sheet, and its trail."""
    folder = small_project(tmp_path_factory.mktemp("noted"))
    for table in NOTED:
        path = folder / "data/raw" / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{**row, "note": WORKING, "public_note": PUBLIC} for row in csv.DictReader(file)]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    found = material(evidence_of(folder), folder / "results")
    return found, trail_of(found.evidence, found.configuration)


def test_the_page_prints_public_notes_alone(noted):
    found, trail = noted
    text = page(found, page_settings(found, trail), trail, "The evidence")
    assert WORKING not in text
    assert PUBLIC in text


def test_the_tables_hold_public_notes_alone(noted):
    found, trail = noted
    told = [f"{table.frame.to_csv()}{table.data.to_csv()}" for table in tables_of(found)]
    told.append(trail.table().to_csv())
    assert not any(WORKING in text for text in told)
    assert sum(PUBLIC in text for text in told) >= 3
