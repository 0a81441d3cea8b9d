"""Absolute effects: formulas by hand, and the risks they start from."""

from dataclasses import replace

import pandas as pd
import pytest
from report_material import estimate, material, with_estimates, with_table
from trial_evidence.config.reports import ControlRisk
from trial_evidence.report.tables.absolute_effects import summary_of_findings, treated_risk

PLACE = ("adjuvant", "event_free_dual_v_single")


@pytest.mark.parametrize(
    ("risk", "ratio", "measure", "expected"),
    [
        (0.20, 1.5, "risk_ratio", 0.30),
        (0.80, 1.5, "risk_ratio", 1.0),  # no more than everybody
        (0.50, 0.8, "hazard_ratio", 0.425650822501783),  # 1 - 0.5^0.8
        (0.19, 2.0, "hazard_ratio", 0.3439),  # 1 - 0.81^2
        (0.25, 2.0, "odds_ratio", 0.40),  # odds 1/3 -> 2/3
        (0.30, 1.0, "hazard_ratio", 0.30),
    ],
)
def test_risk_with_treatment(risk, ratio, measure, expected):
    assert treated_risk(risk, ratio, measure) == pytest.approx(expected, rel=1e-12)


def test_a_difference_has_no_ratio():
    with pytest.raises(ValueError, match="risk_difference"):
        treated_risk(0.2, 0.1, "risk_difference")


def findings(pooled, rule, trials=(), hazard_ratios=None):
    found = with_estimates(
        material(pooled),
        [estimate(estimate=0.8, ci_low=0.7, ci_high=1.1, participants=1000.0)],
    )
    if hazard_ratios is not None:
        found = with_table(found, "hazard_ratios", hazard_ratios)
    place = dict(zip(("setting", "analysis"), PLACE, strict=True))
    columns = ["setting", "analysis", "measure", "subgroup", "pooled", "rows", "events_control",
               "n_control", "weight"]  # fmt: skip
    rows = [
        {**place, "measure": "hazard_ratio", "subgroup": "all", "pooled": "yes", "rows": "2",
         "events_control": float("nan"), "n_control": 100.0, "weight": 50.0} | dict(trial)
        for trial in trials
    ]  # fmt: skip
    found = replace(
        found,
        report=replace(found.report, control_risks=(rule,)),
        evidence=replace(found.evidence, trials=pd.DataFrame(rows, columns=columns)),
    )
    return summary_of_findings(found, {})


def test_stated_risks_are_taken_as_they_are(pooled):
    table = findings(pooled, ControlRisk(*PLACE, "stated", (0.1, 0.2, 0.4), "assumed"))
    assert list(table.data["control_risk"]) == [0.1, 0.2, 0.4]
    assert any(note.endswith(": assumed.") for note in table.notes)
    # 1 - 0.8^0.8 = 0.1635; 1 - 0.8^0.7 = 0.1446; 1 - 0.8^1.1 = 0.2177
    assert table.frame.loc[1, "Risk with intervention, per 1,000"] == "163 (145 to 218)"
    assert table.frame.loc[1, "Difference per 1,000"] == "37 fewer (55 fewer to 18 more)"


def test_control_arms_give_their_quartiles(pooled):
    trials = [{"events_control": events} for events in (10.0, 20.0, 30.0, 40.0, 50.0)]
    trials.append({"events_control": float("nan")})
    table = findings(pooled, ControlRisk(*PLACE, "control_arms", (), ""), trials)
    assert list(table.data["control_risk"]) == pytest.approx([0.2, 0.3, 0.4])
    assert any("5 of 6 trials" in note for note in table.notes)


def test_without_events_there_is_no_risk_to_start_from(pooled):
    table = findings(pooled, ControlRisk(*PLACE, "control_arms", (), ""), [{}])
    assert table.frame.empty
    assert any("no control arm reports its number of events" in note for note in table.notes)


def test_at_the_control_median_one_half_has_had_the_event(pooled):
    rows = [{"row": 2, "median_control_months": 12.4}, {"row": 3, "median_control_months": 6.0}]
    table = findings(pooled, ControlRisk(*PLACE, "control_median", (), ""), [{}], rows)
    assert list(table.data["control_risk"]) == [0.5]
    # 1 - 0.5^0.8 = 0.4257
    assert table.frame.loc[0, "Difference per 1,000"].startswith("74 fewer")
    assert any("12.4 months in 1 of 1 trials" in note for note in table.notes)
