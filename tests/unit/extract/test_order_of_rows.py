"""What is used does not depend on the order of the rows, or the check says so."""

import csv

import pandas as pd
import pytest
from invented import ROOT
from small_project import edited_yaml, judge_every_trial, small_project
from trial_evidence.config.configuration import read_configuration
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.loaded import DICTIONARY, load, with_unjudged
from trial_evidence.sheet import Sheet, load_sheet, read_dictionary

# The made-up trial with an arm of both agents, and one of each.
ANALYSIS, TRIAL = "pcr_dual_v_trastuzumab", "trial_c"


@pytest.fixture
def project(tmp_path):
    folder = small_project(tmp_path)
    judge_every_trial(folder)
    return folder


def ask_for(project, control):
    """Give the analysis these control agents; None: any."""
    with edited_yaml(project / "config/analyses.yaml") as content:
        rule = next(a for a in content["analyses"] if a["id"] == ANALYSIS)["contrast"]
        rule.pop("control")
        if control:
            rule["control"] = control


def turn_arms(project):
    path = project / "data/raw/arms.csv"
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows[::-1]])


def warnings(project):
    """Warnings on comparisons that fit equally well."""
    found = with_unjudged(load(project / "data/raw", project / "config"))
    return [warning.message for warning in found if "fit equally well" in warning.message]


def control_arm(project):
    configuration, sheet, _ = load(project / "data/raw", project / "config")
    used = extract_setting(sheet, configuration, "neoadjuvant").used
    own = used[(used["analysis"] == ANALYSIS) & (used["trial_id"] == TRIAL)]
    (arm,) = own["control_arm_id"].unique()
    return arm


def test_sorting_the_tables_changes_nothing_that_is_used():
    sheet, _ = load_sheet(ROOT / "tests/reference/frozen_sheet", read_dictionary(DICTIONARY))
    turned = {name: table[::-1].reset_index(drop=True) for name, table in sheet.tables.items()}
    configuration = read_configuration(ROOT / "config")
    for setting in configuration.settings:
        before, after = (
            extract_setting(one, configuration, setting).used.drop(columns="rows")
            for one in (sheet, Sheet(turned, sheet.kinds))
        )
        order = ["analysis", "measure", "subgroup", "trial_id"]
        before, after = (used.sort_values(order, ignore_index=True) for used in (before, after))
        assert len(before)
        pd.testing.assert_frame_equal(before, after)


def test_two_comparisons_that_fit_equally_well_are_told(project):
    ask_for(project, None)
    first, second = (f"{TRIAL}_dual v {TRIAL}_{agent}" for agent in "tl")
    before = control_arm(project)
    (told,) = warnings(project)
    assert told.startswith(f"neoadjuvant/{ANALYSIS}: two comparisons of {TRIAL} fit equally well, ")
    assert first in told
    assert second in told
    assert f"{TRIAL}_dual v {before} is used, because its arms come first" in told
    # That is why: sorting the rows in a spreadsheet would change the result.
    turn_arms(project)
    assert control_arm(project) != before


@pytest.mark.parametrize("control", [["trastuzumab", "any"], ["trastuzumab", "lapatinib"]])
def test_an_order_of_preference_decides(project, control):
    ask_for(project, control)
    assert not warnings(project)
    assert control_arm(project) == f"{TRIAL}_t"
    turn_arms(project)
    assert control_arm(project) == f"{TRIAL}_t"


def test_an_order_that_names_neither_does_not_decide(project):
    ask_for(project, ["pertuzumab", "any"])
    assert len(warnings(project)) == 1


def add_row(project, table, **cells):
    """Add a row like the first of a table, from another source."""
    path = project / "data/raw" / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    added = rows[0] | {"source_id": "doe_2020_trial_b", "reported_percent": "", **cells}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*rows, added])


def untold(project):
    """Warnings on results that no preference separates."""
    found = with_unjudged(load(project / "data/raw", project / "config"))
    return [one for one in found if one.message.startswith("no preference separates")]


@pytest.mark.parametrize(
    ("table", "cells", "here", "there"),
    [
        ("pcr", {"events": "45"}, "45 of 105", "42 of 105"),
        ("hazard_ratios", {"hr": "0.74", "ci_low": "0.42", "ci_high": "1.30"},
         "0.74 (0.42 to 1.3)", "0.68 (0.38 to 1.22)"),
    ],
)  # fmt: skip
def test_two_results_that_no_preference_separates_are_told(project, table, cells, here, there):
    add_row(project, table, **cells)
    (warning,) = untold(project)
    assert (warning.file, warning.subject) == (f"{table}.csv", "trial_a")
    assert warning.row > 2
    assert warning.message.startswith(
        f"no preference separates {here} from {there} in row 2, which comes first and is used."
    )


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"events": "45", "status": "superseded"},
        {"events": "45", "verification": "unverified"},
        {"events": "45", "verification": "secondary"},
        {"events": "45", "definition": "ypT0 ypN0"},
    ],
    ids=["the same", "superseded", "not admitted", "less preferred", "another definition"],
)
def test_results_that_do_not_compete_are_not_told(project, cells):
    add_row(project, "pcr", **cells)
    assert not untold(project)


def test_a_ratio_without_a_standard_error_does_not_compete(project):
    add_row(project, "hazard_ratios", hr="0.74", ci_low="", ci_high="", p_value="")
    assert not untold(project)
