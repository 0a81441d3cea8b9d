"""Digitised curves: time gained checked by hand, and the test of proportional hazards in words."""

from dataclasses import replace

import pandas as pd
import pytest
from report_material import material, with_table
from trial_evidence.report.absolute.hazards import (
    curve_facts,
    not_proportional,
    over_time_table,
    time_gained,
)

TRIAL = {
    "setting": "adjuvant", "analysis": "event_free_dual_v_single", "measure": "hazard_ratio",
    "subgroup": "all", "trial_id": "trial_f", "trial": "Trial F", "outcome": "iDFS",
    "experimental_arm_id": "trial_f_dual", "control_arm_id": "trial_f_single", "pooled": "yes",
    "experimental": "A+B", "control": "A", "estimate": 0.8, "estimate_low": 0.67,
    "estimate_high": 0.95,
}  # fmt: skip
CURVE = {"trial_id": "trial_f", "experimental_arm_id": "trial_f_dual", "endpoint": "iDFS",
         "control_arm_id": "trial_f_single", "hr": 0.5, "ci_low": 0.4, "ci_high": 0.8,
         "ph_p": 0.012, "figure": "Figure 2"}  # fmt: skip


def with_curves(made, curves, times=(), **trial):
    found = with_table(with_table(material(made), "curves_cox", curves), "curves_rmst", times)
    found = replace(found, evidence=replace(found.evidence, trials=pd.DataFrame([TRIAL | trial])))
    return found, found.analysis(TRIAL["setting"], TRIAL["analysis"])


def test_time_gained_is_the_difference_of_two_areas():
    # 41.9 - 40.1; sqrt(0.9^2 + 1.2^2) = 1.5; 1.959964 x 1.5 = 2.939946
    gained = time_gained(
        {"rmst": 41.9, "se": 1.2, "tau": 48}, {"rmst": 40.1, "se": 0.9, "tau": 48}, 95
    )
    assert gained["gained"] == pytest.approx(1.8)
    assert gained["gained_se"] == pytest.approx(1.5)
    limits = gained["gained_low"], gained["gained_high"]
    assert limits == pytest.approx((-1.139946, 4.739946), abs=1e-6)


def test_areas_up_to_different_times_are_not_compared():
    with pytest.raises(ValueError, match="restricted to 48 and to 36 months"):
        time_gained({"rmst": 1, "se": 1, "tau": 48}, {"rmst": 1, "se": 1, "tau": 36}, 95)


def test_only_areas_up_to_the_same_time_are_set_against_each_other(pooled):
    times = [
        {"arm_id": "trial_f_dual", "endpoint": "iDFS", "tau": 72.0, "rmst": 66.0, "se": 0.3},
        {"arm_id": "trial_f_single", "endpoint": "iDFS", "tau": 60.0, "rmst": 55.0, "se": 0.4},
    ]
    assert curve_facts(*with_curves(pooled, [], times)) == []
    (row,) = curve_facts(
        *with_curves(pooled, [], [times[0] | {"tau": 60.0, "rmst": 56.5}, times[1]])
    )
    assert row["gained"] == pytest.approx(1.5)
    assert row["gained_se"] == pytest.approx(0.5)


def test_of_two_common_times_the_later_one_is_told(pooled):
    times = [
        {"arm_id": f"trial_f_{arm}", "endpoint": "iDFS", "tau": tau, "rmst": rmst, "se": 0.3}
        for arm, tau, rmst in (("dual", 36.0, 34.0), ("dual", 60.0, 56.0), ("single", 36.0, 33.0),
                               ("single", 60.0, 53.0))
    ]  # fmt: skip
    (row,) = curve_facts(*with_curves(pooled, [], times))
    assert (row["tau"], row["gained"]) == (60.0, pytest.approx(3.0))


def test_a_curve_the_other_way_round_is_turned(pooled):
    turned = CURVE | {"experimental_arm_id": "trial_f_single", "control_arm_id": "trial_f_dual"}
    (row,) = curve_facts(*with_curves(pooled, [turned]))
    assert (row["curve_hr"], row["curve_low"], row["curve_high"]) == pytest.approx((2, 1.25, 2.5))


@pytest.mark.parametrize("other", [{"endpoint": "OS"}, {"control_arm_id": "trial_g_single"}])
def test_curves_of_other_arms_or_outcomes_say_nothing(pooled, other):
    assert curve_facts(*with_curves(pooled, [CURVE | other])) == []


def test_a_hazard_ratio_that_is_an_average_is_called_so(pooled):
    assert not_proportional(*with_curves(pooled, [CURVE])) == (
        "The digitised curves of Trial F (p = 0.01) suggest non-proportional hazards. Its hazard "
        "ratio is an average over the follow-up, and so is the pooled one."
    )


@pytest.mark.parametrize(("curve", "trial"), [({"ph_p": 0.05}, {}), ({}, {"pooled": "no"})])
def test_nothing_is_said_of_what_is_proportional_or_not_pooled(pooled, curve, trial):
    assert not_proportional(*with_curves(pooled, [CURVE | curve], **trial)) == ""


def test_the_table_prints_both_facts(pooled):
    found, _ = with_curves(pooled, [CURVE])
    (shown,) = over_time_table(found).frame.to_dict("records")
    assert shown["Hazards proportional"] == "no (p = 0.01)"
    assert shown["Hazard ratio used"] == "0.80 (0.67–0.95)"
    assert shown["Months gained (interval)"] == ""
