"""Leave-one-out, cumulative, influence, Baujat and all subsets against metafor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load
from trial_evidence.pool.engine import fit_stack
from trial_evidence.pool.influence import all_subsets, cumulative, influence, leave_one_out

REFERENCE = load("metafor_sensitivity")
INTERVALS = {"z": "wald", "knha": "hartung_knapp"}
FIELDS = {
    "estimate": "estimate", "se": "se", "p_value": "pval", "ci_low": "ci_lb", "ci_high": "ci_ub",
    "q": "Q", "tau2": "tau2",
}  # fmt: skip
CASES = [(n, key) for n, data in REFERENCE.items() for key in data["leave1out"]]


def agree(ours, theirs, rtol, atol=1e-10):
    expected = np.array([np.nan if x is None else x for x in theirs], dtype=float)
    known = np.isfinite(expected)
    np.testing.assert_allclose(np.asarray(ours)[known], expected[known], rtol=rtol, atol=atol)


@pytest.mark.parametrize("kind", ["leave1out", "cumul"])
@pytest.mark.parametrize(("name", "key"), CASES)
def test_subsets_agree_with_metafor(name, key, kind):
    data = REFERENCE[name]
    method, test = key.split("_")
    function = leave_one_out if kind == "leave1out" else cumulative
    ours = function(data["yi"], data["vi"], method=method, interval=INTERVALS[test])
    for field, theirs in FIELDS.items():
        if theirs in data[kind][key] and data[kind][key][theirs] is not None:
            # metafor's refits of REML stop on an absolute change of tau2.
            agree(getattr(ours, field), data[kind][key][theirs], 1e-7, 1e-8)


@pytest.mark.parametrize("method", ["DL", "REML"])
@pytest.mark.parametrize("name", REFERENCE)
def test_influence_and_baujat_agree_with_metafor(name, method):
    data = REFERENCE[name]
    ours, theirs = influence(data["yi"], data["vi"], method=method), data["influence"][method]
    fields = {
        "hat": "hat", "rstudent": "rstudent", "dffits": "dffits", "cook_distance": "cook_d",
        "covariance_ratio": "cov_r", "tau2_deleted": "tau2_del", "q_deleted": "QE_del",
    }  # fmt: skip
    for field, key in fields.items():
        agree(getattr(ours, field), theirs[key], 1e-7, 1e-8)
    agree(ours.baujat_x, data["baujat"][method]["x"], 1e-7, 1e-9)
    agree(ours.baujat_y, data["baujat"][method]["y"], 1e-7, 1e-9)


@pytest.mark.parametrize("method", ["EE", "DL"])
@pytest.mark.parametrize("name", [n for n, d in REFERENCE.items() if "gosh_EE" in d])
def test_all_subsets_agree_with_metafor(name, method):
    data = REFERENCE[name]
    ours, theirs = all_subsets(data["yi"], data["vi"], method=method), data[f"gosh_{method}"]
    assert ours.estimate.size == theirs["n"]
    assert ours.estimate.mean() == pytest.approx(theirs["mean_est"], rel=1e-9)
    assert ours.estimate.min() == pytest.approx(theirs["min_est"], rel=1e-9, abs=1e-12)
    assert ours.estimate.max() == pytest.approx(theirs["max_est"], rel=1e-9)
    if method == "DL":
        assert ours.tau2.mean() == pytest.approx(theirs["mean_tau2"], rel=1e-9)
    else:
        assert ours.i2_q.mean() == pytest.approx(theirs["mean_I2"], rel=1e-9)


def test_all_subsets_of_fifteen_trials():
    random = np.random.default_rng(3)
    v = random.uniform(0.02, 0.2, 15)
    y = random.normal(0, np.sqrt(v + 0.05))
    ours = all_subsets(y, v)
    assert ours.members.shape == (15, 2**15 - 1)
    whole = fit_stack(y, v)
    assert ours.estimate[-1] == pytest.approx(whole.estimate[0], rel=1e-12)
    assert ours.members[:, 0].tolist() == [True] + [False] * 14


def test_too_many_trials_for_all_subsets():
    with pytest.raises(ValueError, match="at most 15"):
        all_subsets([0.1] * 16, [0.1] * 16)


def test_of_two_trials_each_leaves_the_other():
    ours = leave_one_out([0.1, 0.5], [0.04, 0.09])
    assert ours.estimate.tolist() == [0.5, 0.1]
    assert ours.se.tolist() == pytest.approx([0.3, 0.2])


def test_cumulative_follows_the_order():
    data = REFERENCE["bcg_first5__RR"]
    order = [4, 2, 0, 1, 3]
    ours = cumulative(data["yi"], data["vi"], order)
    first = fit_stack([data["yi"][i] for i in order[:3]], [data["vi"][i] for i in order[:3]])
    assert ours.estimate[2] == pytest.approx(first.estimate[0], rel=1e-12)


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [0, 1, 3]])
def test_order_must_name_every_trial_once(order):
    with pytest.raises(ValueError, match="every trial once"):
        cumulative([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], order)


@given(
    rows=st.lists(
        st.tuples(st.floats(-3, 3), st.floats(-6, 2).map(lambda x: 10**x)), min_size=2, max_size=7
    )
)
def test_influence_is_defined_for_any_trials(rows):
    y, v = zip(*rows, strict=True)
    ours = influence(y, v)
    assert ours.hat.sum() == pytest.approx(1)
    for values in (ours.rstudent, ours.dffits, ours.cook_distance, ours.covariance_ratio):
        assert np.isfinite(values).all()
    assert (ours.cook_distance >= 0).all()
