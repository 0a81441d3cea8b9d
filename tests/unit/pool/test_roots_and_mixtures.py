"""Bracketed root finding, and mixtures of normals, compared with closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from trial_evidence.pool.bayes.mixtures import NormalMixtures
from trial_evidence.pool.engine.roots import falling_roots


@given(
    roots=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5),
    power=st.sampled_from([1, 3, 9]),
)
def test_roots_are_found_where_newton_alone_would_crawl(roots, power):
    # A ninth power is flat at its root; each Newton step there is shorter by a ninth.
    where = np.array(roots)

    def function(x, which):
        distance = x - where[which]
        return -(distance**power), -power * distance ** (power - 1)

    low, high = np.zeros(where.size), np.full(where.size, 1e7)
    found = falling_roots(function, low, high, np.full(where.size, 5.0), np.ones(where.size))
    np.testing.assert_allclose(found, where, rtol=1e-5, atol=1e-5)


def test_a_function_alone_has_the_root_that_it_has_among_others():
    where = np.array([0.3, 7.0, 40.0, 1e-3])

    def cube(of):
        return lambda x, which: (of[which] ** 3 - x**3, -3 * x**2)

    low, high, start, scale = np.zeros(4), np.full(4, 50.0), np.full(4, 5.0), np.ones(4)
    together = falling_roots(cube(where), low, high, start, scale)
    alone = [falling_roots(cube(where[[i]]), low[:1], high[:1], start[:1], scale[:1])[0]
             for i in range(4)]  # fmt: skip
    assert together.tolist() == alone


def test_a_root_at_the_end_of_its_bracket_is_found():
    def function(x, which):
        return -x, -np.ones_like(x)

    found = falling_roots(
        function, np.array([0.0]), np.array([4.0]), np.array([3.0]), np.array([1.0])
    )
    assert found[0] == pytest.approx(0.0, abs=1e-12)


def test_without_a_slope_the_bracket_is_halved():
    def function(x, which):
        return np.where(x < 0.3, 1.0, -1.0), np.zeros_like(x)

    one = np.ones(1)
    assert falling_roots(function, 0 * one, one, 0.5 * one, one)[0] == pytest.approx(0.3, abs=1e-12)


def test_a_function_that_is_no_number_is_said():
    def function(x, which):
        return np.full_like(x, np.nan), np.full_like(x, np.nan)

    one = np.ones(1)
    with pytest.raises(ArithmeticError, match="not a number"):
        falling_roots(function, 0 * one, one, 0.5 * one, one)


def mixture():
    means = np.array([[0.0, 1.0], [2.0, 1.0]])
    sds = np.array([[1.0, 0.5], [3.0, 2.0]])
    weights = np.array([[0.6, 0.3], [0.4, 0.7]])
    return NormalMixtures(means, sds, weights)


def test_distribution_function_and_density_by_hand():
    x = np.array([0.5, 2.0])
    ours = mixture()
    by_hand = [0.6 * norm.cdf(0.5) + 0.4 * norm.cdf(-0.5), 0.3 * norm.cdf(2) + 0.7 * norm.cdf(0.5)]
    np.testing.assert_allclose(ours.cdf(x), by_hand, rtol=1e-14)
    density = 0.6 * norm.pdf(0.5) + 0.4 / 3 * norm.pdf(-0.5)
    assert ours.density(x)[0] == pytest.approx(density, rel=1e-14)


@pytest.mark.parametrize("p", [1e-9, 0.025, 0.5, 0.9, 1 - 1e-9])
def test_quantiles_invert_the_distribution_function(p):
    ours = mixture()
    at = ours.quantile(np.array([p, p]))
    np.testing.assert_allclose(ours.cdf(at), p, rtol=1e-9)


def test_quantiles_far_from_zero_are_as_exact_as_those_near():
    # A trial with a standard error of 1e-5 among others whose mean lies elsewhere.
    ours, p = mixture(), np.array([0.025, 0.025])
    near = NormalMixtures(ours.means * 1e-5, ours.sds * 1e-5, ours.weights)
    far = NormalMixtures(near.means - 100.0, near.sds, near.weights)
    np.testing.assert_allclose(far.cdf(far.quantile(p)), p, rtol=1e-7)


def test_intervals_of_a_single_normal_are_central():
    ours = NormalMixtures(np.array([[1.0]]), np.array([[2.0]]), np.array([[1.0]]))
    half = 2 * norm.ppf(0.975)
    for limits in (ours.intervals(0.95)[:2], ours.intervals(0.95)[2:]):
        assert [x[0] for x in limits] == pytest.approx([1 - half, 1 + half], rel=1e-9)


def test_both_ways_to_the_shortest_interval_agree():
    ours = mixture()
    low, high, _, _ = ours.intervals(0.9)
    np.testing.assert_allclose(ours._shortest_by_bracket(0.9), (low, high), atol=1e-6)
    np.testing.assert_allclose(ours.density(low), ours.density(high), rtol=1e-7)
    np.testing.assert_allclose(ours.cdf(high) - ours.cdf(low), 0.9, rtol=1e-9)


def test_density_of_a_mixture_integrates_to_one():
    ours = NormalMixtures(np.array([[0.0], [3.0]]), np.array([[1.0], [0.2]]), np.full((2, 1), 0.5))
    x = np.linspace(-9, 9, 4001)
    total = sum(ours.density(np.array([value]))[0] for value in x) * (x[1] - x[0])
    assert total == pytest.approx(1.0, rel=1e-9)
    assert math.isfinite(ours.quantile(np.array([0.5]))[0])
