"""Numbers as printed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trial_evidence.words.numbers import (
    format_interval,
    format_number,
    format_p,
    format_tick,
    linear_ticks,
    log_ticks,
    round_half_up,
)


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [
        (2.625, 2, "2.63"),
        (2.675, 2, "2.68"),
        (0.125, 2, "0.13"),
        (-2.625, 2, "-2.63"),
        (-0.001, 2, "0.00"),
        (0.005, 2, "0.01"),
        (0.0049999, 2, "0.00"),
        (99.95, 1, "100.0"),
        (12.5, 0, "13"),
        # in floating point these halves are slightly too small
        (1000 * ((1 - 70.4 / 100) + (1 - 84.1 / 100)) / 2, 0, "228"),
        (100 * 0.285, 0, "29"),
        (227.4999999999, 0, "227"),
        (1e-7, 2, "0.00"),
        (123456.0, 1, "123456.0"),
        (1e30, 2, f"1{'0' * 30}.00"),
        (-1.5e308, 0, f"-15{'0' * 307}"),
    ],
)
def test_rounds_half_up(value, digits, printed):
    assert round_half_up(value, digits) == printed


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_not_rounded(value):
    with pytest.raises(ValueError, match="not a finite number"):
        round_half_up(value, 2)


def test_negative_digits_are_refused():
    with pytest.raises(ValueError, match="0 or more"):
        round_half_up(1.0, -1)


@given(st.floats(-1e6, 1e6), st.integers(0, 5))
def test_rounding_moves_a_number_by_half_a_unit_at_most(value, digits):
    assert abs(float(round_half_up(value, digits)) - value) <= 0.5 * 10**-digits * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize(
    ("low", "high", "printed"),
    [
        (0.18, 30.62, "0.18–30.62"),
        (-0.05, 0.12, "−0.05 to 0.12"),
        (-0.001, 0.12, "−0.001 to 0.12"),
        (0.5, math.inf, "0.50–∞"),
    ],
)
def test_intervals(low, high, printed):
    assert format_interval(low, high) == printed


def test_a_minus_is_typographic():
    assert format_number(-1.5, 1) == "−1.5"


@pytest.mark.parametrize(
    ("p_value", "printed"),
    [
        (0.0, "p < 0.001"),
        (0.0009, "p < 0.001"),
        (0.001, "p = 0.001"),
        (0.00099999, "p < 0.001"),
        (0.0014999, "p = 0.001"),
        (0.0015, "p = 0.002"),
        (0.0044, "p = 0.004"),
        # two decimals from 0.01 on
        (0.0094, "p = 0.009"),
        (0.0099, "p = 0.010"),
        (0.01, "p = 0.01"),
        (0.0149, "p = 0.01"),
        (0.015, "p = 0.02"),
        (0.03, "p = 0.03"),
        # three where two would print 0.05
        (0.044999, "p = 0.04"),
        (0.045, "p = 0.045"),
        (0.048, "p = 0.048"),
        (0.049, "p = 0.049"),
        # four where three would print 0.050
        (0.0494, "p = 0.049"),
        (0.0496, "p = 0.0496"),
        (0.05, "p = 0.050"),
        (0.0504, "p = 0.0504"),
        (0.0505, "p = 0.051"),
        (0.051, "p = 0.051"),
        (0.052, "p = 0.052"),
        (0.054499, "p = 0.054"),
        (0.0549, "p = 0.055"),
        (0.055, "p = 0.06"),
        (0.34, "p = 0.34"),
        (0.985, "p = 0.99"),
        (0.999, "p > 0.99"),
        (1.0, "p > 0.99"),
    ],
)
def test_p_values(p_value, printed):
    assert format_p(p_value) == printed


@pytest.mark.parametrize("p_value", [-0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(p_value):
    with pytest.raises(ValueError, match="not a p value"):
        format_p(p_value)


@pytest.mark.parametrize(
    ("value", "label"),
    [(0.25, "0.25"), (1.0, "1"), (1000.0, "1000"), (0.3, "0.3"), (-0.5, "−0.5"), (1e-5, "0.00001"),
     (0.0, "0"), (100.0, "100")],
)  # fmt: skip
def test_tick_labels_have_no_exponent_and_no_spare_digits(value, label):
    assert format_tick(value) == label


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.3, 7.7, (0.25, 0.5, 1, 2, 4, 8)),
        (0.25, 8, (0.25, 0.5, 1, 2, 4, 8)),
        (0.55, 1.9, (0.5, 0.7, 1, 1.5, 2)),
        (0.11, 9, (0.1, 0.2, 0.5, 1, 2, 5, 10)),
        (0.002, 900, (0.001, 0.01, 0.1, 1, 10, 100, 1000)),
        (0.82, 1.17, (0.8, 0.9, 1, 1.1, 1.2)),
    ],
)
def test_log_ticks_are_those_a_reader_expects(low, high, ticks):
    assert log_ticks(low, high) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (-0.3, 0.4, (-0.4, -0.2, 0, 0.2, 0.4)),
        (0, 100, (0, 20, 40, 60, 80, 100)),
        (0.02, 0.06, (0.02, 0.03, 0.04, 0.05, 0.06)),
    ],
)
def test_linear_ticks_are_those_a_reader_expects(low, high, ticks):
    assert linear_ticks(low, high) == pytest.approx(ticks)


@given(st.floats(-6, 6), st.floats(0.01, 6), st.integers(3, 7))
def test_log_ticks_cover_the_range_and_are_few(start, length, most):
    low, high = math.exp(start), math.exp(start + length)
    ticks = log_ticks(low, high, most)
    assert 2 <= len(ticks) <= most
    assert list(ticks) == sorted(set(ticks))
    assert 0 < ticks[0] <= low * (1 + 1e-8)
    assert ticks[-1] >= high * (1 - 1e-8)


@given(st.floats(-1000, 1000), st.floats(0.001, 1000), st.integers(3, 7))
def test_linear_ticks_cover_the_range_and_are_few(low, length, most):
    ticks = linear_ticks(low, low + length, most)
    slack = 1e-6 * (abs(low) + length)
    assert 2 <= len(ticks) <= most
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + length - slack


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 2.0)])
def test_a_ratio_axis_begins_above_zero(low, high):
    with pytest.raises(ValueError, match="cannot begin"):
        log_ticks(low, high)


@pytest.mark.parametrize("cover", [linear_ticks, log_ticks])
def test_two_ticks_are_too_few(cover):
    with pytest.raises(ValueError, match="three can"):
        cover(1.0, 2.0, 2)


@pytest.mark.parametrize(("low", "high"), [(2.0, 1.0), (1.0, 1.0), (0.0, math.inf)])
def test_what_is_no_range_has_no_ticks(low, high):
    with pytest.raises(ValueError, match="not a range"):
        linear_ticks(low, high)
