"""Trials pooled without a risk-of-bias judgement are named, and no others."""

import pandas as pd
import pytest
from invented import ROOT
from small_project import (
    append_like,
    edited_yaml,
    judge_every_trial,
    replace_text,
    small_project,
)
from trial_evidence.extract.judged import judged_risk
from trial_evidence.loaded import load, with_unjudged
from trial_evidence.sensitivity.properties import risk_of_bias
from trial_evidence.sheet import load_sheet, read_dictionary


@pytest.fixture
def project(tmp_path):
    """The made-up sheet with a judgement for every outcome of every trial."""
    folder = small_project(tmp_path)
    judge_every_trial(folder)
    return folder


def unjudged(project):
    """The trials named, with the messages."""
    found = with_unjudged(load(project / "data/raw", project / "config"))
    return {warning.subject: warning.message for warning in found}


def take_judgements(project, start):
    path = project / "data/raw/risk_of_bias.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept), encoding="utf-8")


def test_nobody_is_named_where_every_trial_is_judged(project):
    assert unjudged(project) == {}


def test_the_outcome_and_the_answers_are_named(project):
    # Trial C is pooled against both of its control arms.
    take_judgements(project, "trial_c,pCR")
    assert unjudged(project) == {
        "trial_c": "nobody has judged the risk of bias of pCR, which counts against the certainty "
        "of pcr_dual_v_trastuzumab, pcr_dual_v_lapatinib. Add a row for it to risk_of_bias.csv."
    }


def test_the_place_is_the_row_of_the_trial(project):
    take_judgements(project, "trial_c,pCR")
    (warning,) = with_unjudged(load(project / "data/raw", project / "config"))
    assert warning.line().startswith("trials.csv, row 4 (trial_c): nobody has judged")
    assert warning.severity == "warning"


def test_a_judgement_of_the_same_family_of_outcomes_counts(project):
    # Trial A reports event-free survival; its judgements of similar outcomes, such as
    # recurrence-free survival, remain.
    take_judgements(project, "trial_a,EFS")
    assert unjudged(project) == {}
    for outcome in ("iDFS", "DFS", "RFS", "PFS"):
        take_judgements(project, f"trial_a,{outcome}")
    assert list(unjudged(project)) == ["trial_a"]


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param("trial_d", id="excluded from pooling by a decision"),
        pytest.param("cohort_e", id="not randomised"),
        pytest.param("trial_l", id="in no answer"),
    ],
)
def test_a_trial_that_no_answer_rests_on_needs_no_judgement(project, trial):
    take_judgements(project, f"{trial},")
    assert unjudged(project) == {}


def test_a_new_trial_is_named(project):
    append_like(project, "sources", "doe_2020_trial_a", "doe_2020_trial_a", "doe_2020_trial_z")
    append_like(project, "trials", "trial_a", "trial_a,TRIAL-A,NCT00000001", "trial_z,TRIAL-Z,")
    for arm in ("dual", "single"):
        append_like(project, "arms", f"trial_a,trial_a_{arm}", "trial_a", "trial_z")
        append_like(project, "pcr", f"trial_a,trial_a_{arm}", "trial_a", "trial_z")
    assert list(unjudged(project)) == ["trial_z"]


def test_only_the_trials_asked_about_are_looked_at(project):
    take_judgements(project, "trial_c,pCR")
    folders = (project / "data/raw", project / "config")
    assert with_unjudged(load(*folders), {"trial_a"}) == ()
    assert len(with_unjudged(load(*folders), {"trial_c"})) == 1


def test_a_trial_whose_result_is_not_admitted_is_not_named(project):
    take_judgements(project, "trial_k,OS")
    assert list(unjudged(project)) == ["trial_k"]
    replace_text(project, "hazard_ratios", "0.71,0.57,0.88,95,0.002,two", "0.71,,,,,")
    # Without an interval the result is no longer pooled.
    assert "trial_k" not in unjudged(project)


@pytest.mark.parametrize(
    ("dual", "single"), [("0,220,0.0", "0,110,0.0"), ("220,220,100.0", "110,110,100.0")]
)
def test_a_trial_with_no_response_or_only_responses_is_not_named(project, dual, single):
    """It has no information about a ratio and is not pooled, so a judgement has no effect."""
    take_judgements(project, "trial_b,pCR")
    assert list(unjudged(project)) == ["trial_b"]
    for old, new in (("84,220,38.2", dual), ("25,110,22.7", single)):
        replace_text(project, "pcr", old, new)
    assert "trial_b" not in unjudged(project)


def test_the_judgement_of_the_outcome_itself_comes_first(project):
    replace_text(project, "risk_of_bias", "trial_a,iDFS,low,low,low,low,low,low", "trial_a,iDFS,"
                 + "low,low,low,low,low,high")  # fmt: skip
    sheet, _ = load_sheet(project / "data/raw", read_dictionary(ROOT / "workflow/dictionary"))
    family = ("EFS", "iDFS")
    assert judged_risk(sheet, family, "trial_a", "iDFS") == "high"
    assert judged_risk(sheet, family, "trial_a", "EFS") == "low"


@pytest.mark.parametrize("rule", [{"years": [1990, 1995]}, {"where": {"phase": ["1"]}}])
def test_an_analysis_whose_rule_no_trial_fits_is_named(project, rule):
    """A mistyped year would otherwise empty a forest plot without a word."""
    with edited_yaml(project / "config/analyses.yaml") as content:
        entry = content["analyses"][0]
        entry["trials"] = rule
    (warning,) = with_unjudged(load(project / "data/raw", project / "config"))
    name = f"{entry['setting']}/{entry['id']}"
    assert warning.line().startswith(f"analyses.yaml, analyses.trials: {name}: none of the ")


def test_sensitivity_analyses_take_the_judgement_that_counts_for_the_certainty(project):
    """Otherwise a trial shown as high would stay where trials at high risk are left out."""
    for outcome in ("EFS", "DFS", "RFS", "PFS"):
        take_judgements(project, f"trial_a,{outcome}")
    replace_text(project, "risk_of_bias", "trial_a,iDFS,low,low,low,low,low,low", "trial_a,iDFS,"
                 + "low,low,low,low,low,high")  # fmt: skip
    configuration, sheet, _ = load(project / "data/raw", project / "config")
    of = next(a for a in configuration.analyses if {"EFS", "iDFS"} <= {*a.endpoints})
    rows = pd.DataFrame({"trial_id": ["trial_a", "unknown"], "outcome": ["EFS", "EFS"]})
    assert list(risk_of_bias(sheet, of, rows)) == ["high", "not stated"]
