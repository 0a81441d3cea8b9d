"""The multiverse: which trials and rows each choice selects, on small sheets."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from invented import DUAL_AND_SINGLE, PCR, analysis, configuration, sheet
from trial_evidence.extract.context import setting_context
from trial_evidence.sensitivity.choices import (
    CHOSEN_COLUMNS,
    RowChoice,
    choice_tables,
    row_choices,
)
from trial_evidence.sensitivity.specifications import multiverse, multiverse_table
from unit.sensitivity.test_tables import counted_sheet

# 30 of 100 against 20 of 100, 40 against 20, 50 against 20 and so on: no two trials are alike
EVENTS = [30, 40, 50, 60, 70, 80]
# the common effect and seven estimators with four intervals each
METHODS = 1 + 7 * 4


def specifications(settings, content):
    """The table of the only analysis."""
    (only,) = settings.analyses
    context = setting_context(content, settings, only.setting)
    found = multiverse(settings, only, row_choices(settings, content, only, context))
    return pd.concat(multiverse_table(found, 95.0))


def counted(trials, verification=(), high=(), admit=None, **more):
    """The multiverse of odds ratios for a given number of trials."""
    table = {"ai": EVENTS[:trials], "n1i": [100] * trials, "ci": [20] * trials,
             "n2i": [100] * trials}  # fmt: skip
    content = counted_sheet(table, **more)
    names = list(content["trials"]["trial_id"])
    known = dict(zip(names, verification, strict=False))
    pcr = content["pcr"]
    pcr = pcr.assign(verification=[known.get(t, "primary") for t in pcr["trial_id"]])
    bias = pd.DataFrame(
        [{"trial_id": names[at], "outcome": "pCR", "overall": "high"} for at in high]
        + [{"trial_id": names[0], "outcome": "OS", "overall": "high"}]
    )
    content = replace(content, tables={**content.tables, "pcr": pcr, "risk_of_bias": bias})
    settings = configuration(analysis(**PCR | {"measures": ("odds_ratio",)}))
    if admit is not None:
        settings = replace(settings, selection=replace(settings.selection, admit=admit))
    return specifications(settings, content)


def common_effect(*trials):
    """Inverse-variance odds ratio of some of the trials, by hand."""
    logs = [math.log(EVENTS[at] * 80 / ((100 - EVENTS[at]) * 20)) for at in trials]
    weights = [1 / (1 / EVENTS[at] + 1 / (100 - EVENTS[at]) + 1 / 20 + 1 / 80) for at in trials]
    return math.exp(np.average(logs, weights=weights))


def common(table, **chosen):
    """Estimate of the only common-effect specification with these choices."""
    rows = table[table["estimator"] == "EE"]
    for column, value in chosen.items():
        rows = rows[rows[column] == value]
    return rows["estimate"].item()


def test_a_choice_that_leaves_no_row_keeps_its_number():
    """The page finds the rows of a choice by its number."""
    columns = ["setting", "analysis", *CHOSEN_COLUMNS]
    row = dict.fromkeys(columns, "x")
    some = pd.DataFrame([row])[list(dict.fromkeys(columns))]
    found = choice_tables([RowChoice({}, some), RowChoice({}, some[:0]), RowChoice({}, some)])
    assert list(found["choices"]["choice"]) == [1, 2, 3]
    assert list(found["choice_rows"]["choices"]) == ["1;3"]


def test_trials_at_high_risk_of_bias_are_left_out_on_their_own_outcome():
    table = counted(4, high=(1, 3))
    # all four, each of them left out, and the two that are not at high risk; a judgement on another
    # outcome does not count
    assert len(table) == (1 + 4 + 1) * METHODS
    low = table[table["risk_of_bias"] == "not high"]
    assert set(low["k"]) == {2}
    assert common(table, risk_of_bias="not high") == pytest.approx(common_effect(0, 2), rel=1e-12)
    assert common(table, risk_of_bias="any", without="none") == pytest.approx(
        common_effect(0, 1, 2, 3), rel=1e-12
    )


def test_a_decision_to_leave_out_is_applied_and_ignored():
    table = counted(6, exclusions=[{"trial_id": "trial_05"}])
    for exclusions, trials in (("applied", (0, 1, 2, 3, 4)), ("ignored", (0, 1, 2, 3, 4, 5))):
        found = common(table, exclusions=exclusions, without="none")
        assert found == pytest.approx(common_effect(*trials), rel=1e-12)
    assert table.loc[table["leading"] == "yes", "exclusions"].item() == "applied"


def test_each_level_of_verification_admits_its_rows():
    words = ("primary", "primary", "secondary", "secondary", "secondary", "unverified")
    table = counted(6, verification=words)
    # configured: trials 0 to 4 and each left out; all levels: 0 to 5 and one of the first five left
    # out, because without the unverified one they are the configured ones again; primary: 0 and 1
    assert len(table) == (6 + 6 + 1) * METHODS
    for admitted, trials in (
        ("primary", (0, 1)),
        ("primary + secondary", (0, 1, 2, 3, 4)),
        ("primary + secondary + unverified", (0, 1, 2, 3, 4, 5)),
    ):
        found = common(table, verification=admitted, without="none")
        assert found == pytest.approx(common_effect(*trials), rel=1e-12), admitted
    leading = table[table["leading"] == "yes"]
    assert leading["verification"].item() == "primary + secondary"
    assert (leading["estimator"].item(), leading["interval"].item()) == (
        "REML", "hartung_knapp_conservative",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("admitted", "trials"),
    [
        (("secondary", "primary"), (0, 1, 2, 3, 4)),
        # Not among the levels to try.
        (("secondary", "unverified"), (1, 2, 3, 4, 5)),
        # Everything is admitted.
        (None, (0, 1, 2, 3, 4, 5)),
    ],
)
def test_the_specification_of_the_report_pools_the_trials_of_the_report(admitted, trials):
    """Whatever the levels of verification that are tried, and their order."""
    words = ("primary", *("secondary",) * 4, "unverified")
    asked = {"status": ("current",)} | ({"verification": admitted} if admitted else {})
    table = counted(6, verification=words, admit=asked)
    assert table.loc[table["leading"] == "yes", "k"].tolist() == [len(trials)]
    mine = table[(table["estimator"] == "EE") & (table["without"] == "none")]
    assert mine["estimate"].iloc[0] == pytest.approx(common_effect(*trials), rel=1e-12)


def test_the_orders_of_analysis_and_assessor_are_turned():
    # two trials with intervals equally wide on the log scale: the common effect is the geometric
    # mean of the two hazard ratios
    ratios = {
        ("final", "BICR"): (0.5, 0.8), ("final", "investigator"): (0.4, 0.9),
        ("primary", "BICR"): (0.6, 0.6), ("primary", "investigator"): (0.7, 0.7),
        ("interim", "BICR"): (0.1, 0.1),
    }  # fmt: skip
    arms = {
        name: [arm | {"arm_id": f"{name}_{arm['arm_id']}"} for arm in DUAL_AND_SINGLE]
        for name in ("first", "second")
    }
    rows = [
        {"trial_id": name, "experimental_arm_id": f"{name}_dual",
         "control_arm_id": f"{name}_single", "analysis": cut, "assessor": assessor,
         "hr": pair[at], "ci_low": pair[at] / 1.5, "ci_high": pair[at] * 1.5}
        for (cut, assessor), pair in ratios.items()
        for at, name in enumerate(arms)
    ]  # fmt: skip
    content = sheet(arms, hazard_ratios=rows)
    bias = pd.DataFrame(columns=["trial_id", "outcome", "overall"], dtype=str)
    content = replace(content, tables={**content.tables, "risk_of_bias": bias})
    settings = configuration(analysis())
    table = specifications(settings, content)
    found = {
        (row.analysis_first, row.assessor_first): row.estimate
        for row in table[table["estimator"] == "EE"].itertuples()
    }
    # interim analyses are never preferred
    expected = {key: math.sqrt(a * b) for key, (a, b) in ratios.items() if key[0] != "interim"}
    assert found == pytest.approx(expected, rel=1e-12)
    # Unless the configuration prefers them: the report's own specification comes first.
    first = {"analysis": ("interim", "final", "primary")}
    other = replace(settings, selection=settings.selection.preferring("hazard_ratios", first))
    assert specifications(other, content)["analysis_first"].iloc[0] == "interim"
