"""Which prediction intervals a reader sees."""

import math

import pandas as pd
import pytest
from invented import POOLING
from trial_evidence.pool.shown import shown_estimates


@pytest.mark.parametrize(
    ("k", "pi", "shown"),
    [
        (5, (0.5, 1.2), True),
        (4, (0.5, 1.2), False),  # too few to show how much trials differ
        (9, (0.6, 1.0), False),  # the interval of the mean once more
        (9, (0.6, 1.001), True),
        (9, (math.nan, math.nan), False),
    ],
)
def test_an_interval_that_says_something_is_shown(k, pi, shown):
    row = {"k": k, "ci_low": 0.6, "ci_high": 1.0, "pi_low": pi[0], "pi_high": pi[1]}
    (found,) = shown_estimates(pd.DataFrame([row]), POOLING).to_dict("records")
    assert (found["pi_low"] == found["pi_low"]) == shown
    assert (found["ci_low"], found["k"]) == (0.6, k)
