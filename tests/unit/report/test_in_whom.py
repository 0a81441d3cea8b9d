"""Who benefits: which trials are in which column, on which scale, and what is said without any."""

from dataclasses import replace

import pandas as pd
import pytest
from report_material import material, with_sensitivity, with_table
from trial_evidence.config.reports import Biomarker
from trial_evidence.report.in_whom import biomarker_reports_table, in_whom_table

PLACE = {"setting": "neoadjuvant", "analysis": "pcr_dual_v_trastuzumab"}
LEVELS = {"factor": "receptor", "level": "negative", "reference_level": "positive"}


def modifier(measure, estimate, low, high, **fields):
    return PLACE | LEVELS | {
        "measure": measure, "model": "bayesian", "role": "lead", "k": 2.0, "estimate": estimate,
        "ci_low": low, "ci_high": high, "p_value": 0.5, "trials": "trial_a;trial_b",
    } | fields  # fmt: skip


def count(trial, level, **fields):
    return {
        "trial_id": trial, "arm_id": f"{trial}_dual", "subgroup": f"receptor={level}",
        "outcome": "pcr", "verification": "primary", "status": "current", "events": 1.0, "n": 2.0,
    } | fields  # fmt: skip


def with_modifiers(made, modifiers, counts=()):
    found = with_sensitivity(material(made), "effect_modifiers", modifiers)
    trials = [
        PLACE | {"measure": "risk_ratio", "subgroup": "all", "pooled": "yes", "weight": 1.0,
                 "trial_id": f"trial_{name}"}
        for name in "abcd"
    ]  # fmt: skip
    evidence = replace(found.evidence, trials=pd.DataFrame(trials))
    return with_table(replace(found, evidence=evidence), "pcr", counts)


def test_both_scales_stand_side_by_side_by_the_leading_model(pooled):
    found = with_modifiers(
        pooled,
        [
            modifier("risk_ratio", 0.97, 0.52, 1.82),
            # Other models of the same trials are not shown.
            modifier("risk_ratio", 0.90, 0.80, 1.00, model="common", role=""),
            modifier("risk_ratio", 0.95, 0.40, 2.20, model="bayesian", role="co-primary"),
            modifier("risk_difference", 0.07, -0.05, 0.2),
        ],
    )
    (row,) = in_whom_table(found).frame.to_dict("records")
    assert row["Ratio of the ratios (interval)"] == "0.97 (0.52–1.82)"
    assert row["Difference of the differences (interval)"] == "0.07 (−0.05 to 0.20)"
    assert row["Levels"] == "negative v positive"


def test_who_reports_both_levels_one_or_none(pooled):
    counts = [count("trial_c", "negative"), count("trial_d", "negative", status="superseded")]
    # Trial L is not in this pool.
    counts.append(count("trial_l", "negative"))
    found = with_modifiers(pooled, [modifier("risk_ratio", 1.0, 0.5, 2.0)], counts)
    (row,) = in_whom_table(found).frame.to_dict("records")
    names = [found.trial_name(f"trial_{name}") for name in "abcd"]
    assert row["Trials with both levels"] == f"{names[0]}, {names[1]}"
    assert row["Reported, not compared"] == names[2]
    # A superseded result does not count as reported.
    assert row["Pooled trials that do not report it"] == names[3]


def test_a_trial_that_shows_no_ratio_is_named_for_its_difference(pooled):
    """Nobody responded at one level: the difference rests on this trial as well."""
    found = with_modifiers(
        pooled,
        [
            modifier("risk_ratio", 0.97, 0.52, 1.82, trials="trial_a", k=1.0),
            modifier("risk_difference", 0.07, -0.05, 0.2),
        ],
        [count("trial_b", "negative")],
    )
    row = in_whom_table(found).data.iloc[0]
    assert row["both"] == "TRIAL-A, TRIAL-B (difference only)"
    assert row["partly"] == ""
    assert row["silent"] == "TRIAL-C, TRIAL-D"


def test_a_trial_left_out_at_both_levels_is_not_said_to_report_one(pooled):
    counts = [count("trial_c", level) for level in ("negative", "positive")]
    found = with_modifiers(pooled, [modifier("risk_ratio", 1.0, 0.5, 2.0)], counts)
    table = in_whom_table(found)
    (row,) = table.frame.to_dict("records")
    assert row["Reported, not compared"] == found.trial_name("trial_c")
    assert any("at both but in results that the analysis leaves out" in n for n in table.notes)


def test_results_that_nobody_has_seen_are_a_gap(pooled):
    unseen = count("trial_c", "negative", verification="unverified")
    old = count("trial_d", "negative", verification="unverified", status="superseded")
    found = with_modifiers(pooled, [modifier("risk_ratio", 1.0, 0.5, 2.0)], [unseen, old])
    listed = (Biomarker("x", "X", ("receptor",)),)
    found = replace(found, report=replace(found.report, biomarkers=listed))
    (row,) = biomarker_reports_table(found).frame.to_dict("records")
    assert row["In words"].endswith("reported otherwise by none")
    name = found.trial_name("trial_c")
    gap = f"{name}, pCR: results by level in the sheet are not verified"
    assert row["What would fill the gap"] == gap


def test_a_factor_that_no_pooled_trial_reports_has_no_row(pooled):
    nothing = {"model": "", "role": "", "k": 0.0, "trials": ""}
    nan = float("nan")
    found = with_modifiers(pooled, [modifier("risk_ratio", nan, nan, nan, **nothing)])
    assert in_whom_table(found).frame.empty
    found = with_modifiers(
        pooled, [modifier("risk_ratio", nan, nan, nan, **nothing)], [count("trial_c", "positive")]
    )
    (row,) = in_whom_table(found).frame.to_dict("records")
    assert row["Ratio of the ratios (interval)"] == ""


@pytest.mark.parametrize(
    ("factor", "printed"), [("pik3ca", "PIK3CA"), ("cd8", "CD8"), ("prior_her2", "Prior her2")]
)
def test_a_gene_or_an_assay_is_printed_in_capitals(pooled, factor, printed):
    found = with_modifiers(pooled, [modifier("risk_ratio", 1.0, 0.5, 2.0, factor=factor)])
    (row,) = in_whom_table(found).frame.to_dict("records")
    assert row["Factor"] == printed


@pytest.mark.parametrize(
    ("factors", "markers", "words", "gap"),
    [
        (
            ("receptor",),
            (),
            "2 randomised trials compare the treatments at both levels; reported otherwise by 1",
            "no further report is known",
        ),
        (
            (),
            ("Marker",),
            "No randomised trial compares the treatments at both levels; reported otherwise by 1",
            "odds ratio not printed",
        ),
        (
            ("unheard_of",),
            (),
            "No randomised trial compares the treatments at both levels; reported otherwise by "
            "none",
            "no further report is known",
        ),
    ],
)
def test_how_many_randomised_trials_report_a_biomarker(pooled, factors, markers, words, gap):
    # A trial that compares both levels does not count as reporting otherwise.
    counts = [count("trial_c", "negative"), count("trial_a", "negative")]
    found = with_modifiers(pooled, [modifier("risk_ratio", 1.0, 0.5, 2.0)], counts)
    effects = [
        {"study_id": "trial_d", "biomarker": "Marker", "outcome": "pCR", "source_id": "",
         "public_note": "odds ratio not printed"},
        # Without a public note, no gap is mentioned.
        {"study_id": "trial_d", "biomarker": "Marker", "outcome": "OS", "source_id": ""},
        # A printed ratio leaves no gap, whatever is remarked on it.
        {"study_id": "trial_d", "biomarker": "Marker", "outcome": "RFS", "source_id": "",
         "estimate": 0.7, "public_note": "by the central laboratory"},
        # Nor does a pooled analysis, which is not a trial.
        {"study_id": "a_pool", "biomarker": "Marker", "outcome": "pCR", "source_id": "",
         "estimate": 2.0, "public_note": "printed"},
        # Only a randomised trial can fill a gap.
        {"study_id": "cohort_e", "biomarker": "Marker", "outcome": "pCR", "source_id": "",
         "public_note": "not printed either"},
    ]  # fmt: skip
    found = with_table(found, "biomarker_effects", effects)
    listed = (Biomarker("x", "X", factors, markers),)
    found = replace(found, report=replace(found.report, biomarkers=listed))
    (row,) = biomarker_reports_table(found).frame.to_dict("records")
    assert row["In words"] == words
    open_points = row["What would fill the gap"]
    assert open_points.removeprefix(f"{found.trial_name('trial_d')}, pCR: ") == gap
    assert row["Other studies"] == ("a pool; COHORT-E" if markers else "")
