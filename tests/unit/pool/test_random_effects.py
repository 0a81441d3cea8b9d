"""Inverse-variance models compared with metafor, and properties that hold for any trials."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load, reml_hartung_knapp
from scipy.stats import norm
from trial_evidence.measures.effects import logit_proportion
from trial_evidence.measures.scales import LOGIT
from trial_evidence.pool.engine.likelihood import mixed_effects_tau2
from trial_evidence.pool.models.random_effects import (
    common_effect,
    dersimonian_laird_wald,
    single_trial,
)

METAFOR = load("metafor")
SEVERAL = [name for name, data in METAFOR.items() if len(data["yi"]) > 1]
# metafor's tau2 differs from the 50-digit value by 9e-9 here (the variances are 1e-7 to 1e-4, and
# its iteration stops at an absolute change), and so does everything that depends on tau2.
METAFOR_LESS_EXACT = {"nielweise2008__IRD": 5e-8}

FITS = {
    "REML": (reml_hartung_knapp, "adhoc"),
    "DL": (dersimonian_laird_wald, "z"),
    "EE": (common_effect, "z"),
}
SHARED_FIELDS = {
    "estimate": "beta",
    "se": "se",
    "ci_low": "ci_lb",
    "ci_high": "ci_ub",
    "p_value": "pval",
    "q": "QE",
    "q_p": "QEp",
}


@cache
def fit(name, method):
    return FITS[method][0](METAFOR[name]["yi"], METAFOR[name]["vi"])


def agree(ours, theirs, name, what=""):
    # Near zero, where relative agreement is meaningless, 1e-8 absolute.
    tolerance = METAFOR_LESS_EXACT.get(name, 1e-9)
    near = pytest.approx(theirs, rel=tolerance, abs=1e-8 if abs(theirs) < 1e-8 else 0)
    assert ours == near, what


@pytest.mark.parametrize("method", FITS)
@pytest.mark.parametrize("name", SEVERAL)
def test_fields_agree_with_metafor(name, method):
    """Estimate, interval, test, Q and weights; tau2, I2 and the prediction interval if defined."""
    ours = fit(name, method)
    expected = METAFOR[name]["fits"][method][FITS[method][1]]
    for field, theirs in SHARED_FIELDS.items():
        agree(getattr(ours, field), expected[theirs], name, field)
    for weight, theirs in zip(ours.weights, expected["weights_pct"], strict=True):
        agree(weight, theirs, name)
    if method == "EE":
        agree(ours.i2_q, expected["I2"], name)
        return
    agree(ours.tau2, expected["tau2"], name)
    agree(ours.i2, expected["I2"], name)
    agree(ours.pi_low, expected["predict_t"]["pi_lb"], name)
    agree(ours.pi_high, expected["predict_t"]["pi_ub"], name)


@pytest.mark.parametrize("name", SEVERAL)
def test_q_profile_interval_agrees_with_metafor(name):
    data = METAFOR[name]
    ours = fit(name, "REML")
    theirs = data["tau2_QP95"]["tau2"]
    if theirs["ub"] == 0:
        # metafor's output for an empty set: no tau2 fits such similar effects
        assert (ours.tau2_low, ours.tau2_high) == (None, None)
        return
    agree(ours.tau2_low, theirs["lb"], name)
    agree(ours.tau2_high, theirs["ub"], name)


def reml_tau2(y, v):
    return mixed_effects_tau2(y, v, np.ones((y.size, 1)))


@pytest.mark.parametrize("name", [n for n in SEVERAL if METAFOR[n]["exact_tau2"]["REML"]])
def test_reml_tau2_agrees_with_50_digit_arithmetic(name):
    data = METAFOR[name]
    tau2 = reml_tau2(np.array(data["yi"]), np.array(data["vi"]))
    assert tau2 == pytest.approx(data["exact_tau2"]["REML"], rel=1e-12)


@pytest.mark.parametrize("name", SEVERAL)
def test_hartung_knapp_is_floored_at_wald(name):
    data = METAFOR[name]
    fits = data["fits"]["REML"]
    agree(fit(name, "REML").se, max(fits["z"]["se"], fits["knha"]["se"]), name)


def test_a_single_trial_is_its_own_result():
    data = METAFOR["edge_k1__generic"]
    expected = data["fits"]["EE"]["z"]
    ours = single_trial(data["yi"], data["vi"])
    assert ours.model == "single_trial"
    for field in ("estimate", "se", "ci_low", "ci_high", "p_value"):
        agree(getattr(ours, field), expected[SHARED_FIELDS[field]], "edge_k1__generic")


def test_what_a_single_trial_cannot_say_is_none():
    ours = single_trial([-0.35], [0.04])
    unknown = ("tau2", "tau2_low", "tau2_high", "i2", "i2_q", "q", "q_p", "pi_low", "pi_high")
    assert {getattr(ours, field) for field in unknown} == {None}


def test_pooled_proportions_agree_with_metafor_after_back_transformation():
    data, expected = load("metafor_more")["logit"], load("metafor_more")["logit_pooled"]
    arms = logit_proportion(data["xi"], data["ni"])
    ours = reml_hartung_knapp(arms.yi, arms.vi)
    natural = LOGIT.to_natural(
        [ours.estimate, ours.ci_low, ours.ci_high, ours.pi_low, ours.pi_high]
    )
    keys = ("pred", "ci_lb", "ci_ub", "pi_lb", "pi_ub")
    np.testing.assert_allclose(natural, [expected[key] for key in keys], rtol=1e-9)


def test_interval_level_is_in_percent():
    # Common effect of two trials at 0.1 and 0.3, both with variance 0.02: mean 0.2, se 0.1;
    # the normal quantile of 0.95 is 1.6448536.
    ours = common_effect([0.1, 0.3], [0.02, 0.02], level=90)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((0.03551464, 0.36448536), abs=1e-8)


@pytest.mark.parametrize("level", [0, 0.95, 100, math.nan])
def test_levels_that_are_no_percentage_are_refused(level):
    with pytest.raises(ValueError, match="percent"):
        common_effect([0.1, 0.3], [0.02, 0.02], level=level)


@pytest.mark.parametrize("function", [reml_hartung_knapp, dersimonian_laird_wald, common_effect])
@pytest.mark.parametrize(
    ("yi", "vi", "words"),
    [
        ([0.1, 0.2], [0.01, 0.0], r"variances .* positions \[1\]"),
        ([0.1, 0.2], [-0.01, 0.1], r"variances .* positions \[0\]"),
        ([0.1, 0.2], [0.01, math.nan], r"variances .* positions \[1\]"),
        ([0.1, 0.2], [0.01, math.inf], r"variances .* positions \[1\]"),
        ([0.1, math.nan], [0.01, 0.01], r"effect sizes .* positions \[1\]"),
        ([math.inf, 0.2], [0.01, 0.01], r"effect sizes .* positions \[0\]"),
        ([0.1, 0.2, 0.3], [0.01, 0.01], "one length"),
        ([[0.1, 0.2]], [[0.01, 0.01]], "one-dimensional"),
        ([0.1], [0.01], "at least 2 trials, not 1"),
        ([], [], "at least 2 trials, not 0"),
    ],
)
def test_what_cannot_be_pooled_is_refused(function, yi, vi, words):
    with pytest.raises(ValueError, match=words):
        function(yi, vi)


@pytest.mark.parametrize("k", [0, 2])
def test_single_trial_means_one(k):
    with pytest.raises(ValueError, match="trial"):
        single_trial([0.1] * k, [0.01] * k)


def test_reml_refuses_as_many_means_as_trials():
    with pytest.raises(ValueError, match="2 trials, 2 means"):
        mixed_effects_tau2(np.array([0.1, 0.2]), np.array([0.01, 0.02]), np.eye(2))


def restricted_log_likelihood(tau2, y, v):
    """Written separately for this test: one mean, up to a constant."""
    w = 1 / (v + tau2)
    mean = (w * y).sum() / w.sum()
    return 0.5 * (np.log(w).sum() - np.log(w.sum()) - (w * (y - mean) ** 2).sum())


@pytest.mark.parametrize(("apart", "large"), [(0.0, False), (0.2, True)])
def test_reml_takes_the_higher_of_two_maxima(apart, large):
    # Two precise trials `apart` from each other, and two imprecise ones at 5 and -5: the likelihood
    # has one maximum near zero and one near 10, and `apart` decides which is higher.
    y = np.array([-apart / 2, apart / 2, 5.0, -5.0])
    v = np.array([4e-4, 4e-4, 4.0, 4.0])
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 5001)])
    values = np.array([restricted_log_likelihood(t, y, v) for t in grid])
    peaks = np.flatnonzero(np.diff(np.sign(np.diff(values))) < 0).size + (values[0] > values[1])
    assert peaks == 2
    tau2 = reml_tau2(y, v)
    assert (tau2 > 1) is large
    assert restricted_log_likelihood(tau2, y, v) >= values.max()


trials = st.lists(
    st.tuples(
        st.floats(-3, 3).map(lambda x: round(x, 4)),
        st.floats(-4, 1).map(lambda x: 10**x),
    ),
    min_size=2,
    max_size=8,
)
MODELS = pytest.mark.parametrize(
    "function", [reml_hartung_knapp, dersimonian_laird_wald, common_effect]
)


def columns(rows):
    return [y for y, _ in rows], [v for _, v in rows]


def numbers(pooled):
    values = (pooled.estimate, pooled.se, pooled.ci_low, pooled.ci_high, pooled.tau2 or 0.0)
    return pytest.approx(values, rel=1e-6, abs=1e-7)


@MODELS
@given(rows=trials, seed=st.randoms(use_true_random=False))
def test_order_of_trials_does_not_matter(function, rows, seed):
    shuffled = seed.sample(rows, len(rows))
    there, back = function(*columns(rows)), function(*columns(shuffled))
    assert (there.estimate, there.se, there.ci_low, there.ci_high, there.tau2 or 0.0) == numbers(
        back
    )


@MODELS
@given(rows=trials, shift=st.floats(-2, 2))
def test_a_constant_added_to_all_effects_moves_estimate_and_limits_only(function, rows, shift):
    y, v = columns(rows)
    before = function(y, v)
    after = function([x + shift for x in y], v)
    moved = replace(
        before,
        estimate=before.estimate + shift,
        ci_low=before.ci_low + shift,
        ci_high=before.ci_high + shift,
    )
    assert (after.estimate, after.se, after.ci_low, after.ci_high, after.tau2 or 0.0) == numbers(
        moved
    )


@MODELS
@given(rows=trials)
def test_turning_all_effects_round_turns_the_interval_round(function, rows):
    y, v = columns(rows)
    there, back = function(y, v), function([-x for x in y], v)
    assert (-there.estimate, -there.ci_high, -there.ci_low) == pytest.approx(
        (back.estimate, back.ci_low, back.ci_high), rel=1e-6, abs=1e-7
    )


@given(rows=trials)
def test_conservative_interval_contains_walds(rows):
    y, v = columns(rows)
    ours = reml_hartung_knapp(y, v)
    wald = 1 / math.sqrt(sum(1 / (x + ours.tau2) for x in v))
    assert ours.se >= wald * (1 - 1e-12)
    assert ours.ci_high - ours.estimate >= norm.ppf(0.975) * wald * (1 - 1e-12)


@given(rows=trials)
def test_no_tau2_on_a_grid_is_likelier_than_remls(rows):
    y, v = (np.array(column) for column in columns(rows))
    tau2 = reml_tau2(y, v)
    grid = np.concatenate([[0.0], np.geomspace(1e-7, 1e3, 500)])
    reached = max(restricted_log_likelihood(t, y, v) for t in grid)
    assert tau2 >= 0
    assert restricted_log_likelihood(tau2, y, v) >= reached - 1e-9


@MODELS
@given(rows=trials)
def test_weights_sum_to_100(function, rows):
    assert sum(function(*columns(rows)).weights) == pytest.approx(100)
