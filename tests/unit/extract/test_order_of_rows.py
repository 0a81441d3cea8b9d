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
