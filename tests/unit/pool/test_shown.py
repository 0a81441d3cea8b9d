"""Which prediction intervals are shown to readers."""

import math

import pandas as pd
import pytest
from invented import POOLING
from trial_evidence.pool.shown import interval_remark, own_result, shown_estimates


@pytest.mark.parametrize(
    ("k", "pi", "shown"),
    [
        (5, (0.5, 1.2), True),
        (4, (0.5, 1.2), False),  # too few to show how much trials differ
        (9, (0.6, 1.0), False),  # the same as the interval of the mean
        (9, (0.6, 1.001), True),
        (9, (math.nan, math.nan), False),
    ],
)
def test_only_informative_prediction_intervals_are_shown(k, pi, shown):
    row = {"k": k, "ci_low": 0.6, "ci_high": 1.0, "pi_low": pi[0], "pi_high": pi[1]}
    (found,) = shown_estimates(pd.DataFrame([row]), POOLING).to_dict("records")
    assert (found["pi_low"] == found["pi_low"]) == shown
    assert (found["ci_low"], found["k"]) == (0.6, k)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"published": "0.69 (0.48–1.00)", "estimate_level": 95.0}, ""),
        ({"published": "0.73 (0.55–0.97)", "estimate_level": 90.0}, "{shown}% CI as published"),
        ({"inverted": "yes"}, "Published ratio and interval inverted"),
        (
            {"se_source": "p value"},
            "{shown}% CI computed from the p value (imprecise where p is near 1)",
        ),
        ({"se_source": "upper limit"}, "{shown}% CI computed from the upper limit"),
        ({"derivation": "digitised_curve"}, "Read from the published curve"),
        ({"derivation": "reconstructed"}, "Not as published"),
        ({"se_source": ""}, ""),  # no interval at all
        ({"measure": "risk_ratio"}, ""),  # every one is computed from counts
    ],
)
def test_an_interval_that_nobody_published_is_told(record, words):
    common = {
        "measure": "hazard_ratio", "published": "", "inverted": "no", "se_source": "interval",
        "derivation": "reported", "estimate_level": 95.0,
    }  # fmt: skip
    assert interval_remark(common | record, 95.0) == words


def test_trailing_zeros_of_a_source_survive():
    record = {
        "measure": "hazard_ratio",
        "estimate": 0.69,
        "estimate_low": 0.48,
        "estimate_high": 1.0,
    }
    assert own_result(record | {"published": "0.69 (0.480–1.00)"}) == "0.69 (0.480–1.00)"
    assert own_result(record | {"published": ""}) == "0.69 (0.48–1.00)"
    assert own_result(record | {"estimate": math.nan}) == ""


def test_a_rate_is_printed_in_percent_as_its_figure_does():
    rate = {"measure": "proportion", "corrected": "no"}
    limits = {"estimate_low": 0.3702, "estimate_high": 0.55}
    assert own_result({**rate, **limits, "estimate": 0.4612}) == "46 (37–55)"
    # With no events, the observed rate, although the interval comes from half an event.
    none = {"estimate": 0.02, "estimate_low": 0.001, "estimate_high": 0.25, "rate": 0.0}
    assert own_result({**rate, **none, "corrected": "yes"}) == "0 (0–25)"
