"""Which reported rate is used for a time: each rule tested with two rows that differ only in it."""

import pytest
from trial_evidence.config.methods import Selection
from trial_evidence.config.reports import MilestoneRules
from trial_evidence.report.absolute.control_risks import chosen_rate, is_usable

RULES = MilestoneRules(0.05, ("the time of the rate",), ("ITT", "mITT"))
ADMITTED = Selection({"status": ("current",), "verification": ("primary", "secondary")}, {})


def rate(**fields):
    return {
        "row": 2, "months": 60.0, "percent_printed": "80.1", "ci_low": float("nan"),
        "population": "ITT", "verification": "primary", "derivation": "reported",
        "status": "current", "note": "",
    } | fields  # fmt: skip


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        # Rates read off a curve come last, even if nearer in time and with an interval.
        ({"months": 62.0}, {"derivation": "digitised_curve", "ci_low": 75.0}),
        ({}, {"months": 61.0, "ci_low": 75.0}),
        ({}, {"population": "mITT", "ci_low": 75.0}),
        ({"population": "mITT"}, {"population": "evaluable"}),
        # Two reports of one result: interval first, then decimals, then the trial's own report.
        ({"ci_low": 75.0, "percent_printed": "80", "verification": "secondary"}, {}),
        ({"percent_printed": "80.10", "verification": "secondary"}, {"percent_printed": "80.1"}),
        ({}, {"verification": "secondary"}),
        ({}, {}),
    ],
)
def test_the_row_that_is_read(better, worse):
    first, second = rate(row=7, **better), rate(row=9, **worse)
    assert chosen_rate([second, first], 60, RULES) is first


def test_a_time_too_far_away_is_another_time():
    assert chosen_rate([rate(months=63.0)], 60, RULES) is not None
    assert chosen_rate([rate(months=63.1)], 60, RULES) is None
    # The tolerance is proportional to the time: 3 months are too far from 12.
    assert chosen_rate([rate(months=15.0)], 12, RULES) is None


@pytest.mark.parametrize(
    ("fields", "usable"),
    [
        ({}, True),
        ({"status": "superseded"}, False),
        ({"verification": "unverified"}, False),
        ({"derivation": "reconstructed", "note": "follow-up, not the time of the rate"}, False),
        # For the sum of a printed rate and a printed gain, the time is printed.
        ({"derivation": "reconstructed", "note": "control 87.0 + printed gain 2.5"}, True),
        ({"note": "the time of the rate is printed"}, True),
    ],
)
def test_a_time_that_was_inferred_is_left_out(fields, usable):
    assert is_usable(rate(**fields), ADMITTED, RULES) == usable
