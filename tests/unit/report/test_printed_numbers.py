"""The figures print numbers as tests/printed_numbers.py says; so does the page, in the browser."""

import pytest
from printed_numbers import PRINTED_INTERVALS, PRINTED_P
from trial_evidence.report.page.grids import FORMATS
from trial_evidence.words.numbers import format_interval, format_p


@pytest.mark.parametrize(("value", "printed"), PRINTED_P.items())
def test_a_p_value(value, printed):
    assert format_p(value) == printed
    # Below a heading that says "p" already.
    assert FORMATS["p"]({"p_value": value}) == printed.removeprefix("p ").removeprefix("= ")


@pytest.mark.parametrize(("limits", "printed"), PRINTED_INTERVALS.items())
def test_an_interval(limits, printed):
    assert format_interval(*limits) == printed
