"""Effect sizes against metafor's escalc, and standard errors of hazard ratios by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load
from trial_evidence.measures.effects import (
    log_hazard_ratio,
    logit_proportion,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson_interval,
)

MEASURES = {"RR": risk_ratio, "OR": odds_ratio, "RD": risk_difference}
METAFOR = load("metafor")
MORE = load("metafor_more")
TABLES = [name for name, data in METAFOR.items() if "escalc_only0" in data]


@pytest.mark.parametrize("name", TABLES)
def test_two_by_two_tables_agree_with_metafor(name):
    data = METAFOR[name]
    table = data["table"]
    ours = MEASURES[data["measure"]](table["ai"], table["n1i"], table["ci"], table["n2i"])
    np.testing.assert_allclose(ours.yi, data["escalc_only0"]["yi"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ours.vi, data["escalc_only0"]["vi"], rtol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_empty_cells_are_corrected_as_in_metafor(measure):
    table, expected = MORE["zero_cells"]["table"], MORE["zero_cells"][measure]
    ours = MEASURES[measure](table["ai"], table["n1i"], table["ci"], table["n2i"])
    np.testing.assert_allclose(ours.yi, expected["yi"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours.vi, expected["vi"], rtol=1e-12)


# Trials: ordinary; no events in one arm; only events in one arm; none in both; only events in both.
CELLS = ([5, 0, 10, 0, 10], [10, 10, 10, 10, 10], [3, 4, 3, 0, 8], [10, 10, 10, 12, 8])


@pytest.mark.parametrize("measure", MEASURES.values())
def test_only_trials_with_an_empty_cell_are_marked_corrected(measure):
    assert measure(*CELLS).corrected.tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("measure", [risk_ratio, odds_ratio])
def test_ratio_learns_nothing_from_all_or_none_in_both_arms(measure):
    assert measure(*CELLS).informative.tolist() == [True, True, True, False, False]


def test_difference_learns_from_every_trial():
    assert risk_difference(*CELLS).informative.all()


@pytest.mark.parametrize("measure", MEASURES.values())
@given(data=st.data())
def test_swapping_the_arms_changes_the_sign_only(measure, data):
    n1, n0 = data.draw(st.integers(1, 500)), data.draw(st.integers(1, 500))
    a, c = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    there, back = measure([a], [n1], [c], [n0]), measure([c], [n0], [a], [n1])
    assert there.yi[0] == pytest.approx(-back.yi[0], abs=1e-12)
    assert there.vi[0] == pytest.approx(back.vi[0], rel=1e-12)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (([11], [10], [3], [10]), r"experimental arm: .* positions \[0\]"),
        (([1, 2], [10, 10], [3, -1], [10, 10]), r"control arm: .* positions \[1\]"),
        (([1], [0], [3], [10]), "experimental arm"),
        (([math.nan], [10], [3], [10]), "experimental arm"),
        (([1], [10, 10], [3], [10]), "1 values of events but 2 of n"),
        (([1], [10], [3, 3], [10, 10]), "1 trials in the experimental arm but 2"),
        ((1, 10, 3, 10), "one-dimensional"),
    ],
)
def test_impossible_counts_are_refused(counts, words):
    with pytest.raises(ValueError, match=words):
        risk_ratio(*counts)


def test_logit_of_proportions_agrees_with_metafor():
    data = MORE["logit"]
    ours = logit_proportion(data["xi"], data["ni"])
    np.testing.assert_allclose(ours.yi, data["yi"], rtol=1e-12)
    np.testing.assert_allclose(ours.vi, data["vi"], rtol=1e-12)


def test_logit_of_proportions_marks_arms_without_or_with_only_events():
    assert logit_proportion([0, 5, 12], [10, 20, 12]).corrected.tolist() == [True, False, True]


def test_wilson_interval_by_hand():
    # 8 of 10, z = 1.959964: centre (0.8 + z²/20) / (1 + z²/10), half-width
    # z sqrt(0.8 * 0.2 / 10 + z²/400) / (1 + z²/10).
    low, high = wilson_interval([8], [10])
    assert low[0] == pytest.approx(0.490162, abs=5e-7)
    assert high[0] == pytest.approx(0.943318, abs=5e-7)


def test_wilson_interval_takes_its_level_in_percent():
    narrow, wide = wilson_interval([8], [10], 90), wilson_interval([8], [10], 99)
    assert wide[0][0] < narrow[0][0] < narrow[1][0] < wide[1][0]


def hazard(**columns):
    """One row of hazard ratio input, missing except for the given columns."""
    row = dict.fromkeys(
        ("hr", "ci_low", "ci_high", "ci_level", "p_value", "events_e", "events_c"), math.nan
    ) | {"p_operator": "", "p_sided": ""}
    result = log_hazard_ratio(**{name: [value] for name, value in (row | columns).items()})
    return result.iloc[0]


# Normal quantiles from printed tables.
Z = {90: 1.6448536, 95: 1.9599640, 97.5: 2.2414027}


@pytest.mark.parametrize("level", Z)
def test_standard_error_from_the_interval_at_its_own_level(level):
    # log(1.20) - log(0.50) = 0.8754687, divided by twice the quantile.
    row = hazard(hr=0.77, ci_low=0.50, ci_high=1.20, ci_level=level, p_value=0.9)
    assert row["se"] == pytest.approx(0.8754687 / (2 * Z[level]), rel=1e-6)
    assert row["se_source"] == "interval"


def test_effect_is_the_log_of_the_hazard_ratio_and_variance_the_squared_error():
    row = hazard(hr=0.77, ci_low=0.50, ci_high=1.20, ci_level=95)
    assert row["yi"] == pytest.approx(-0.2613648, abs=5e-8)
    assert row["vi"] == pytest.approx((0.8754687 / 3.9199280) ** 2, rel=1e-6)


def test_standard_error_from_an_upper_limit_alone():
    # log(0.967 / 0.76) = 0.2408801; a one-sided 95% limit is that of a two-sided 90% interval.
    row = hazard(hr=0.76, ci_high=0.967, ci_level=90, p_value=0.022, p_operator="=", p_sided="one")
    assert row["se"] == pytest.approx(0.2408801 / Z[90], rel=1e-6)
    assert row["se_source"] == "upper limit"


@pytest.mark.parametrize("level", [90, 95])
def test_standard_error_from_a_lower_limit_alone(level):
    # log(0.76 / 0.60) = 0.2363888
    row = hazard(hr=0.76, ci_low=0.60, ci_level=level)
    assert row["se"] == pytest.approx(0.2363888 / Z[level], rel=1e-6)
    assert row["se_source"] == "lower limit"


@pytest.mark.parametrize(
    ("sided", "quantile"),
    [("two", 2.3263479), ("one", 2.0537489)],  # normal quantiles of 0.99 and 0.98
)
def test_standard_error_from_a_p_value_of_002(sided, quantile):
    row = hazard(hr=0.5, p_value=0.02, p_operator="=", p_sided=sided, events_e=10, events_c=20)
    assert row["se"] == pytest.approx(0.6931472 / quantile, rel=1e-6)
    assert row["se_source"] == "p value"


@pytest.mark.parametrize(
    "p",
    [
        {"p_value": 0.001, "p_operator": "<", "p_sided": "two"},
        {"p_value": 0.025, "p_operator": "<", "p_sided": "one"},
        {"p_value": 0.02, "p_operator": "=", "p_sided": ""},
        {"p_value": 1.0, "p_operator": "=", "p_sided": "two"},
        {"p_value": 0.5, "p_operator": "=", "p_sided": "one"},
        {"p_value": 0.0, "p_operator": "=", "p_sided": "two"},
    ],
    ids=["bound", "one-sided bound", "sides unknown", "p of 1", "one-sided one half", "p of 0"],
)
def test_unusable_p_values_give_way_to_events(p):
    # 1/40 + 1/60 = 0.0416667
    row = hazard(hr=0.8, events_e=40, events_c=60, **p)
    assert row["vi"] == pytest.approx(0.0416667, rel=1e-6)
    assert row["se_source"] == "events"


def test_hazard_ratio_of_one_has_no_error_by_its_p_value():
    row = hazard(hr=1.0, p_value=0.98, p_operator="=", p_sided="two")
    assert row["se_source"] == ""


@pytest.mark.parametrize(
    "columns",
    [
        {"hr": 0.8},
        {"hr": 0.8, "ci_low": 0.6, "ci_high": 1.1},
        {"hr": 0.8, "events_e": 40},
        {"hr": 0.8, "events_e": 0, "events_c": 60},
        {"hr": 0.0, "ci_low": 0.6, "ci_high": 1.1, "ci_level": 95},
        {"ci_low": 0.6, "ci_high": 1.1, "ci_level": 95},
    ],
    ids=["alone", "no level", "events of one arm", "no event in an arm", "zero", "no ratio"],
)
def test_rows_for_which_no_method_works_have_no_numbers(columns):
    row = hazard(**columns)
    assert row["se_source"] == ""
    assert row[["yi", "vi", "se"]].isna().all()


def test_rows_keep_their_order_and_each_uses_its_own_method():
    result = log_hazard_ratio(
        hr=[0.8, 0.8, 0.8],
        ci_low=[0.6, math.nan, math.nan],
        ci_high=[1.1, math.nan, math.nan],
        ci_level=[95, math.nan, math.nan],
        p_value=[math.nan, 0.2, math.nan],
        p_operator=["", "=", ""],
        p_sided=["", "two", ""],
        events_e=[math.nan, math.nan, 30],
        events_c=[math.nan, math.nan, 40],
    )
    assert result["se_source"].tolist() == ["interval", "p value", "events"]


def test_hazard_ratio_columns_of_different_length_are_refused():
    nothing = [math.nan]
    with pytest.raises(ValueError, match="one value a row"):
        log_hazard_ratio(
            [0.8, 0.9], nothing, nothing, nothing, nothing, [""], [""], nothing, nothing
        )


def test_no_row_at_all_gives_an_empty_frame():
    result = log_hazard_ratio([], [], [], [], [], [], [], [], [])
    assert list(result.columns) == ["yi", "vi", "se", "se_source"]
    assert result.empty
