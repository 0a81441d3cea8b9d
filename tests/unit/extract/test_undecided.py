"""A trial of three arms is compared as the configuration says, not as its rows happen to lie."""

import csv

import pytest
from small_project import edited_yaml, judge_every_trial, small_project
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.loaded import load, with_unjudged

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
