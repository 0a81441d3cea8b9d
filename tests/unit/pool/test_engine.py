"""Properties of the engine that hold for any stack of analyses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import load
from scipy.stats import norm
from trial_evidence.pool.engine.heterogeneity import q_profile
from trial_evidence.pool.engine.intervals import INTERVALS, PREDICTIONS
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.pool.engine.tau2 import TAU2_ESTIMATORS

INPUTS = load("all_inputs")
METHODS = ["EE", *TAU2_ESTIMATORS]


def test_prediction_with_k_minus_2_is_undefined_for_two_trials():
    ours = fit_stack([0.1, 0.4], [0.02, 0.03], prediction="t_k_minus_2")
    assert math.isnan(ours.pi_low[0])
    assert math.isnan(ours.pi_high[0])


def columns_of_different_length():
    names = [n for n in INPUTS if len(INPUTS[n]["yi"]) <= 9]
    rows = max(len(INPUTS[n]["yi"]) for n in names)
    y, v = np.full((2, rows, len(names)), np.nan)
    for j, name in enumerate(names):
        y[: len(INPUTS[name]["yi"]), j] = INPUTS[name]["yi"]
        v[: len(INPUTS[name]["vi"]), j] = INPUTS[name]["vi"]
    return names, y, v


@pytest.mark.parametrize("method", METHODS)
def test_a_padded_column_gives_what_the_analysis_gives_alone(method):
    names, y, v = columns_of_different_length()
    together = fit_stack(y, v, method=method)
    for j, name in enumerate(names):
        alone = fit_stack(INPUTS[name]["yi"], INPUTS[name]["vi"], method=method)
        for field in ("estimate", "se", "ci_low", "p_value", "tau2", "i2", "q", "q_p", "i2_q"):
            assert getattr(together, field)[j] == pytest.approx(
                getattr(alone, field)[0], rel=1e-12, abs=1e-14
            )


def test_padded_q_profile_gives_what_the_analysis_gives_alone():
    names, y, v = columns_of_different_length()
    low, high = q_profile(stack(y, v))
    for j, name in enumerate(names):
        if len(INPUTS[name]["yi"]) == 1:
            assert math.isnan(low[j])
            continue
        one_low, one_high = q_profile(stack(INPUTS[name]["yi"], INPUTS[name]["vi"]))
        assert (low[j], high[j]) == pytest.approx((one_low[0], one_high[0]), rel=1e-10)


def test_chunks_do_not_change_results():
    random = np.random.default_rng(20)
    v = np.exp(random.normal(-3, 1, (5, 25_000)))
    y = random.normal(0.2, np.sqrt(v + 0.04))
    whole, part = fit_stack(y, v), fit_stack(y[:, 9_000:16_000], v[:, 9_000:16_000])
    np.testing.assert_allclose(whole.tau2[9_000:16_000], part.tau2, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(whole.ci_low[9_000:16_000], part.ci_low, rtol=1e-12)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"method": "XX"}, "'XX' is not one of EE, DL"),
        ({"interval": "XX"}, "'XX' is not one of wald"),
        ({"prediction": "XX"}, "'XX' is not one of t_k_minus_1"),
        ({"level": 0.95}, "percent"),
    ],
)
def test_unknown_names_are_refused(kwargs, words):
    with pytest.raises(ValueError, match=words):
        fit_stack([0.1, 0.4], [0.02, 0.03], **kwargs)


@pytest.mark.parametrize(
    ("yi", "vi", "words"),
    [
        ([[0.1], [0.2]], [[0.1], [0.0]], "study 1 of analysis 0"),
        ([[0.1], [np.nan]], [[0.1], [0.2]], "study 1 of analysis 0"),
        ([[0.1], [0.3]], [[0.1], [np.inf]], "study 1 of analysis 0"),
        ([[0.1, np.nan]], [[0.1, np.nan]], "analysis 1 has no study"),
        ([0.1, 0.2], [0.1], "of one shape"),
    ],
)
def test_what_cannot_be_pooled_is_refused(yi, vi, words):
    with pytest.raises(ValueError, match=words):
        fit_stack(yi, vi)


def test_one_trial_has_its_own_result():
    # By hand: -0.35 -/+ 1.959964 * 0.2.
    ours = fit_stack([-0.35], [0.04])
    assert (ours.estimate[0], ours.se[0], ours.tau2[0]) == (-0.35, 0.2, 0)
    assert ours.ci_low[0] == pytest.approx(-0.35 - 1.959963984540054 * 0.2, rel=1e-14)
    assert math.isnan(ours.pi_low[0])


effects = st.floats(-3, 3).map(lambda x: round(x, 4))
variances = st.floats(-9, 3).map(lambda x: 10**x)
trials = st.lists(st.tuples(effects, variances), min_size=1, max_size=8)


@settings(max_examples=300)
@given(rows=trials, method=st.sampled_from(METHODS), interval=st.sampled_from(INTERVALS))
def test_any_valid_input_has_a_finite_result(rows, method, interval):
    y, v = zip(*rows, strict=True)
    ours = fit_stack(y, v, method=method, interval=interval)
    assert ours.tau2[0] >= 0
    assert min(y) - 1e-9 <= ours.estimate[0] <= max(y) + 1e-9
    assert ours.ci_low[0] <= ours.estimate[0] <= ours.ci_high[0]
    assert 0 <= ours.p_value[0] <= 1
    assert np.isfinite([ours.se[0], ours.tau2[0], ours.i2[0], ours.q[0], ours.q_p[0]]).all()


@given(rows=trials, method=st.sampled_from(METHODS))
def test_conservative_interval_contains_walds(rows, method):
    y, v = zip(*rows, strict=True)
    wide = fit_stack(y, v, method=method, interval="hartung_knapp_conservative")
    narrow = fit_stack(y, v, method=method, interval="wald")
    rounding = 1e-12 * (1 + abs(narrow.estimate[0]))
    assert wide.ci_low[0] <= narrow.ci_low[0] + rounding
    assert wide.ci_high[0] >= narrow.ci_high[0] - rounding


@given(
    rows=st.lists(
        st.tuples(effects, st.floats(-4, 1).map(lambda x: 10**x)), min_size=2, max_size=8
    ),
    method=st.sampled_from(METHODS),
    seed=st.randoms(use_true_random=False),
    shift=st.floats(-2, 2),
)
def test_order_and_a_common_shift_change_nothing_else(rows, method, seed, shift):
    before = fit_stack(*zip(*rows, strict=True), method=method)
    shuffled = seed.sample(rows, len(rows))
    after = fit_stack(*zip(*((y + shift, v) for y, v in shuffled), strict=True), method=method)
    assert after.estimate[0] - shift == pytest.approx(before.estimate[0], rel=1e-6, abs=1e-7)
    assert after.tau2[0] == pytest.approx(before.tau2[0], rel=1e-6, abs=1e-7)
    assert after.se[0] == pytest.approx(before.se[0], rel=1e-6, abs=1e-7)


def test_variance_ratio_of_1e12():
    # Two precise studies agree; a third, with a standard error a million times larger, has no
    # information. REML and its Wald interval are then those of the two.
    two = fit_stack([0.1, 0.3], [1e-6, 2e-6], interval="wald")
    three = fit_stack([0.1, 0.3, 5.0], [1e-6, 2e-6, 1e6], interval="wald")
    assert three.estimate[0] == pytest.approx(two.estimate[0], abs=1e-6)
    assert three.tau2[0] == pytest.approx(two.tau2[0], rel=1e-6)


def test_identical_effects_have_no_tau2_and_the_common_interval():
    ours = fit_stack([0.4] * 4, [0.1, 0.2, 0.3, 0.4], interval="wald")
    se = 1 / math.sqrt(1 / 0.1 + 1 / 0.2 + 1 / 0.3 + 1 / 0.4)
    assert ours.tau2[0] == 0
    assert ours.ci_high[0] == pytest.approx(0.4 + norm.ppf(0.975) * se, rel=1e-12)


def test_prediction_interval_is_never_inside_the_confidence_interval():
    data = INPUTS["bcg__RR"]
    for name in PREDICTIONS:
        ours = fit_stack(data["yi"], data["vi"], interval="wald", prediction=name)
        assert ours.pi_low[0] < ours.ci_low[0] < ours.ci_high[0] < ours.pi_high[0]


@pytest.mark.parametrize(
    ("y", "v", "highest"),
    [
        ([0.07, 1.4, 2.36, 0.11, 0.1, 2.72], [0.02, 0.485, 2.26, 0.006, 0.003, 0.889], 0.0),
        (
            [0.14, 4.76, -0.07, -1.52, 0.01, 1.99],
            [0.091, 2.109, 0.004, 3.249, 0.001, 1.447],
            0.000159891003,
        ),
        (
            [-0.61, 1.04, -1.52, 0.68, 0.07, 0.05],
            [0.077, 0.086, 0.122, 1.972, 0.002, 0.002],
            0.6965964,
        ),
    ],
    ids=["at zero", "near zero", "far from zero"],
)
def test_tau2_of_a_likelihood_with_two_maxima_is_the_higher(y, v, highest):
    """Otherwise the heterogeneity of a pooled result could be that of the lower maximum.

    R 4.2.2, metafor 3.8-1, on both sides of the valley::

        ll <- function(t) c(logLik(rma(y, v, method = "REML", tau2 = t)))
        optimize(ll, c(a, b), maximum = TRUE, tol = 1e-12)
        # at zero: ll(0) is -6.148; -7.650 at 0.508758 (0.1 to 2)
        # near zero: -8.86490 at 0.000159891 (0 to 0.01); -10.340 at 1.369335 (0.1 to 5)
        # far from zero: ll(0) is -16.563; -6.833 at 0.696596 (0.01 to 5)
    """
    assert fit_stack(y, v).tau2[0] == pytest.approx(highest, rel=1e-6)
