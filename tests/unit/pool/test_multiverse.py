"""The specification curve compared with single fits."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.probes.multiverse import specification_curve

Y = np.array([-0.6, -0.3, -0.2, 0.1, -0.5, 0.4])
V = np.array([0.02, 0.05, 0.01, 0.04, 0.09, 0.03])


MODELS = st.tuples(
    st.sampled_from(["EE", "DL", "REML", "PM"]),
    st.sampled_from(["wald", "hartung_knapp_conservative"]),
)
POOL = st.lists(st.booleans(), min_size=6, max_size=6).filter(any)


@settings(max_examples=40)
@given(
    pools=st.lists(POOL, min_size=1, max_size=6),
    models=st.lists(MODELS, min_size=1, max_size=4),
    at_a_time=st.integers(1, 6),
)
def test_each_specification_is_the_fit_of_its_members(pools, models, at_a_time):
    members = np.array(pools).T
    blocks = [members[:, at : at + at_a_time] for at in range(0, len(pools), at_a_time)]
    ours = specification_curve(Y, V, blocks, models)
    for j, (keep, (method, interval)) in enumerate(product(pools, models)):
        alone = fit_stack(Y[np.array(keep)], V[np.array(keep)], method=method, interval=interval)
        assert ours.k[j] == sum(keep)
        for field in ("estimate", "ci_low", "ci_high", "p_value", "tau2"):
            assert getattr(ours, field)[j] == pytest.approx(
                getattr(alone, field)[0], rel=1e-10, abs=1e-12
            )


def test_shares_and_ranks_by_hand():
    # One trial per specification: -0.6 -/+ 0.28 lies below zero, 0.4 -/+ 0.34 above it,
    # -0.3 -/+ 0.44 includes it, and -0.2 -/+ 0.2 only just excludes it.
    members = np.zeros((6, 4), dtype=bool)
    members[[0, 5, 1, 2], range(4)] = True
    ours = specification_curve(Y, V, [members], [("REML", "wald")])
    assert ours.rank.tolist() == [0, 3, 1, 2]
    assert ((ours.ci_high < 0).mean(), (ours.ci_low > 0).mean()) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("members", "models", "words"),
    [
        (np.zeros((6, 1), dtype=bool), [("DL", "wald")], "pool 0 has no effect"),
        (np.ones((5, 1), dtype=bool), [("DL", "wald")], "6 effects by pools"),
        (np.ones((6, 2), dtype=bool), [], "there is no model"),
        (np.ones((6, 0), dtype=bool), [("DL", "wald")], "6 effects by pools"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(members, models, words):
    with pytest.raises(ValueError, match=words):
        specification_curve(Y, V, [members], models)


def test_no_pool_is_no_curve():
    with pytest.raises(ValueError, match="there is no pool"):
        specification_curve(Y, V, [], [("DL", "wald")])
