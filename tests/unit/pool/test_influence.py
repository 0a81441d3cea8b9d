"""Leave-one-out, cumulative, influence and all subsets: order, size, degenerate trials."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.probes.influence import all_subsets, cumulative, influence, leave_one_out

REFERENCE = load("all_inputs")


def test_all_subsets_of_fifteen_trials():
    random = np.random.default_rng(3)
    v = random.uniform(0.02, 0.2, 15)
    y = random.normal(0, np.sqrt(v + 0.05))
    ours, members = all_subsets(y, v)
    assert members.shape == (15, 2**15 - 1)
    whole = fit_stack(y, v)
    assert ours.estimate[-1] == pytest.approx(whole.estimate[0], rel=1e-12)
    assert members[:, 0].tolist() == [True] + [False] * 14


def test_too_many_trials_for_all_subsets():
    with pytest.raises(ValueError, match="at most 15"):
        all_subsets([0.1] * 16, [0.1] * 16)


def test_without_one_of_two_trials_the_other_is_left():
    ours = leave_one_out([0.1, 0.5], [0.04, 0.09])
    assert ours.estimate.tolist() == [0.5, 0.1]
    assert ours.se.tolist() == pytest.approx([0.3, 0.2])


def test_cumulative_follows_the_order():
    data = REFERENCE["bcg_first5__RR"]
    order = [4, 2, 0, 1, 3]
    y, v = ([data[key][i] for i in order] for key in ("yi", "vi"))
    ours = cumulative(y, v)
    first = fit_stack(y[:3], v[:3])
    assert ours.estimate[2] == pytest.approx(first.estimate[0], rel=1e-12)


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
