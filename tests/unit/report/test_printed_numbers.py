"""Figures print numbers as in tests/printed_numbers.py; so does the page, in the browser."""

import pytest
from printed_numbers import PRINTED_INTERVALS, PRINTED_P
from trial_evidence.pool.engine.intervals import PREDICTIONS
from trial_evidence.report.words.formats import FORMATS
from trial_evidence.words.models import BOOTSTRAP, PREDICTION_WORDS
from trial_evidence.words.numbers import format_interval, format_p, format_probability


@pytest.mark.parametrize(("value", "printed"), PRINTED_P.items())
def test_a_p_value(value, printed):
    assert format_p(value) == printed
    # Below a heading that already says "p".
    assert FORMATS["p"]({"p_value": value}) == printed.removeprefix("p ").removeprefix("= ")


@pytest.mark.parametrize(("limits", "printed"), PRINTED_INTERVALS.items())
def test_an_interval(limits, printed):
    assert format_interval(*limits) == printed


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [(1.0, 0, "> 99"), (0.9949, 0, "> 99"), (0.99, 0, "99"), (0.01, 0, "1"), (0.004, 0, "< 1"),
     (0.5, 0, "50"), (0.9995, 1, "> 99.9"), (0.9123, 1, "91.2"), (0.0, 1, "< 0.1")],
)  # fmt: skip
def test_no_probability_is_certain(value, digits, printed):
    assert format_probability(value, digits) == printed


@pytest.mark.parametrize("name", sorted(PREDICTION_WORDS.keys() - {BOOTSTRAP}))
def test_a_prediction_interval_is_called_what_it_is(name):
    """By its degrees of freedom, and by the standard error added to τ², as computed."""
    se, lost = PREDICTIONS[name]
    errors = {"t": "Wald’s standard error",
              "hartung_knapp": "the unfloored Hartung–Knapp standard error",
              "hartung_knapp_conservative": "the floored Hartung–Knapp standard error"}  # fmt: skip
    assert PREDICTION_WORDS[name] == f"t with k − {lost} degrees of freedom and {errors[se]}"
