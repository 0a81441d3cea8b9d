"""All models on borderline input: a defined result, or a stated reason."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import POOLING
from trial_evidence.measures.effects import odds_ratio, risk_difference, risk_ratio
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma
from trial_evidence.pool.engine.bootstrap_prediction import bootstrap_prediction_interval
from trial_evidence.pool.engine.intervals import INTERVALS, PREDICTIONS
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.tau2 import TAU2_ESTIMATORS
from trial_evidence.pool.models.counts import Counts
from trial_evidence.pool.models.pooling import pool_all

PRIORS = {"bayesian_empirical": InverseGamma(1.49, 0.24), "bayesian": HalfNormal(0.5)}
EFFECTS = {"risk_ratio": risk_ratio, "odds_ratio": odds_ratio, "risk_difference": risk_difference}


def every_model(yi, vi, pooling=POOLING, counts=None, priors=PRIORS):
    found = pool_all(yi, vi, pooling=pooling, level=95, priors=priors, counts=counts)
    return {result.model: result for result in found}


def is_sound(result):
    numbers = [result.estimate, result.se, result.ci_low, result.ci_high, *result.weights]
    numbers += [x for x in (result.p_value, result.tau2, result.i2, result.q, result.pi_low)
                if x is not None]  # fmt: skip
    return (
        np.isfinite(numbers).all()
        and result.ci_low <= result.estimate <= result.ci_high
        and (result.tau2 is None or result.tau2 >= 0)
        and sum(result.weights) == pytest.approx(100)
        and all(weight >= 0 for weight in result.weights)
    )


@pytest.mark.parametrize(
    ("yi", "vi"),
    [
        ([-0.4], [0.02]),
        ([-0.4, -0.4], [0.02, 0.02]),
        ([-0.4, 0.9], [0.02, 0.5]),
        ([0.0, 0.0, 0.0], [0.1, 0.2, 0.3]),
        ([-0.2] * 6, [0.05] * 6),
        ([-0.5, -0.1, 0.2, 0.4], [1e-8, 0.3, 0.2, 0.4]),
        ([0.1, -0.3, 0.6], [1e-6, 1.0, 1e6]),
        ([5.0, -5.0], [1e-9, 1e3]),
    ],
    ids=["one", "two alike", "two apart", "no effect", "identical", "one huge", "ratio 1e12",
         "ratio 1e12 of two"],
)  # fmt: skip
def test_every_model_has_a_result(yi, vi):
    found = every_model(yi, vi)
    assert all(is_sound(result) for result in found.values())
    assert set(found) == (
        {"single_trial"}
        if len(yi) == 1
        else {"random_reml_hk", "common", "dersimonian_laird", *PRIORS}
    )


@pytest.mark.parametrize("method", TAU2_ESTIMATORS)
@pytest.mark.parametrize("interval", INTERVALS)
def test_every_choice_has_a_result_for_two_trials(method, interval):
    for prediction in (*PREDICTIONS, "bootstrap"):
        choice = replace(
            POOLING,
            tau2_estimator=method,
            estimate_interval=interval,
            prediction_interval=prediction,
        )
        found = every_model([-0.4, -0.4], [0.02, 0.05], choice, priors={})[choice.model]
        assert is_sound(found)
        # no degrees of freedom: no prediction interval
        lost = prediction.endswith("_2")
        assert (found.pi_low is None) == lost


def test_the_bootstrap_of_a_stack_is_that_of_each_analysis():
    y = np.array([[-0.6, -0.2], [-0.1, 0.3], [0.4, np.nan]])
    v = np.array([[0.02, 0.1], [0.05, 0.2], [0.03, np.nan]])
    stacked = fit_stack(y, v, prediction="bootstrap")
    for at, k in enumerate((3, 2)):
        alone = bootstrap_prediction_interval(y[:k, at], v[:k, at])
        assert (stacked.pi_low[at], stacked.pi_high[at]) == alone
    assert math.isnan(fit_stack([0.1], [0.2], prediction="bootstrap").pi_low[0])


trials = st.lists(
    st.tuples(
        st.floats(-2, 2).map(lambda x: round(x, 3)), st.floats(-4, 1).map(lambda x: 10**x)
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


@settings(max_examples=25)
@given(rows=trials, order=st.randoms(use_true_random=False), shift=st.floats(-1, 1))
def test_neither_order_nor_a_constant_changes_a_model(rows, order, shift):
    before = every_model(*zip(*rows, strict=True))
    mixed = order.sample(rows, len(rows))
    after = every_model(*zip(*((y + shift, v) for y, v in mixed), strict=True))
    for model, old in before.items():
        new = after[model]
        assert is_sound(old)
        for name in ("estimate", "ci_low", "ci_high"):
            moved = getattr(new, name) - shift
            assert moved == pytest.approx(getattr(old, name), rel=1e-6, abs=1e-6), (model, name)
        if old.tau2 is not None:
            assert new.tau2 == pytest.approx(old.tau2, rel=1e-5, abs=1e-6), model


tables = st.lists(
    st.tuples(st.integers(0, 12), st.integers(12, 30), st.integers(0, 12), st.integers(12, 30)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25)
@given(rows=tables, measure=st.sampled_from(sorted(EFFECTS)))
def test_relabelling_the_arms_turns_every_model_round(rows, measure):
    one = counted(rows, measure)
    other = counted([(c, m, a, n) for a, n, c, m in rows], measure)
    assert set(one) == set(other)
    for model, result in one.items():
        turned = other[model]
        assert is_sound(result)
        pairs = ((result.estimate, turned.estimate), (result.ci_low, turned.ci_high),
                 (result.ci_high, turned.ci_low))  # fmt: skip
        for mine, theirs in pairs:
            assert mine == pytest.approx(-theirs, rel=1e-6, abs=1e-7), model


def counted(rows, measure):
    """Every model of two-by-two tables, without trials that have no information about a ratio."""
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
    effects = EFFECTS[measure](*columns)
    told = effects.informative
    if not told.any():
        return {}
    kept = Counts(*(column[told] for column in columns), measure)
    return every_model(effects.yi[told], effects.vi[told], counts=kept)


@pytest.mark.parametrize("measure", sorted(EFFECTS))
def test_a_zero_cell_in_every_trial(measure):
    # No events in any control arm: the ratios of the corrected tables can be pooled; the
    # Mantel-Haenszel ratio has no estimate, and its difference is 9/60.
    found = counted([(2, 20, 0, 20), (3, 20, 0, 20), (4, 20, 0, 20)], measure)
    assert all(is_sound(result) for result in found.values())
    if measure == "risk_difference":
        assert found["mantel_haenszel"].estimate == pytest.approx(9 / 60, rel=1e-12)
    else:
        assert "mantel_haenszel" not in found
