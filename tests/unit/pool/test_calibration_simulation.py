"""The simulation: cases with known coverage, and its parts."""

import math

import numpy as np
import pytest
from scipy.stats import invgamma, kstest, norm, t
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma
from trial_evidence.pool.probes.calibration import Plan, simulate, summarised

PLAN = Plan(vi=(0.04, 0.04, 0.04, 0.04), taus=(0.0, 0.3), simulations=4000, part=1500, seed=7)
PRIORS = {"half-normal(0.5)": HalfNormal(0.5)}


@pytest.fixture(scope="module")
def rows():
    found = summarised(PLAN, (simulate(PLAN, PRIORS, number) for number in range(3)))
    return {(row.tau, row.quantity, row.name): row for row in found}


def within(row, expected):
    assert row.value == pytest.approx(expected, abs=4 * row.monte_carlo_se + 1e-9)


def test_common_effect_holds_its_level_without_heterogeneity(rows):
    within(rows[0.0, "coverage", "EE wald"], 0.95)


def test_common_effect_falls_short_by_the_known_amount(rows):
    # Equal variances: the mean has variance (0.04 + 0.09)/4, but the interval assumes 0.04/4.
    z = 1.959964 * math.sqrt(0.04 / 0.13)
    within(rows[0.3, "coverage", "EE wald"], 2 * norm.cdf(z) - 1)


@pytest.mark.parametrize("method", ["DL", "REML", "PM", "HE"])
def test_hartung_knapp_is_exact_for_equal_variances(rows, method):
    # It is then the one-sample t interval, regardless of tau2.
    within(rows[0.3, "coverage", f"{method} hartung_knapp"], 0.95)


def test_width_of_the_common_effect_interval(rows):
    row = rows[0.3, "width", "EE wald"]
    assert row.value == pytest.approx(2 * 1.959964 * 0.1, rel=1e-6)


def test_bias_of_hedges_without_truncation_is_none(rows):
    # HE is unbiased before truncation at zero, so its bias here is positive and small.
    row = rows[0.3, "tau2 bias", "HE"]
    assert 0 < row.value < 0.02


def test_q_profile_holds_its_level(rows):
    within(rows[0.3, "tau2 coverage", "Q-profile"], 0.95)


def test_prediction_coverage_without_heterogeneity_is_that_of_the_t_interval(rows):
    # With tau = 0 and t on k-1, the interval includes zero if |mean| < t sqrt(tau2 + se2), which is
    # at least as often as with tau2 = 0.
    row = rows[0.0, "prediction coverage", "REML t_k_minus_1"]
    assert row.value > 2 * norm.cdf(t.ppf(0.975, 3)) - 1 - 0.01


def test_bayesian_interval_is_judged_too(rows):
    assert rows[0.3, "coverage", "Bayesian half-normal(0.5)"].value > 0.93


def test_parts_that_ran_separately_give_the_same_results(rows):
    parts = {number: simulate(PLAN, PRIORS, number) for number in reversed(range(3))}
    assert summarised(PLAN, (parts[number] for number in range(3))) == tuple(rows.values())


def test_every_part_has_random_numbers_of_its_own():
    first, second = (simulate(PLAN, {}, number) for number in (0, 1))
    key = (1, "width", "REML wald")
    assert first[key][0] == second[key][0] == 1500
    assert first[key][1] != second[key][1]


def test_the_last_part_holds_the_rest():
    assert simulate(PLAN, {}, 2)[0, "width", "REML wald"][0] == 1000


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"vi": (0.1,)}, "at least 2"),
        ({"vi": (0.1, -0.1)}, "variances"),
        ({"taus": ()}, "taus"),
        ({"taus": (-0.1,)}, "taus"),
        ({"simulations": 0}, "at least 1"),
        ({"level": 0.95}, "percent"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(kwargs, words):
    with pytest.raises(ValueError, match=words):
        Plan(**{"vi": (0.1, 0.2), "taus": (0.1,), "simulations": 10} | kwargs)


def test_a_prior_that_tau_is_drawn_from_holds_its_level():
    # A posterior is calibrated by definition if the truth is drawn from its prior; the flat prior
    # for the mean is the limit of wide ones. A single tau for all simulations would be far off.
    prior = InverseGamma(2.42, 0.30)
    plan = Plan(vi=(0.04, 0.02), taus=(0.1,), simulations=4000, part=4000, drawn_from=prior)
    found = summarised(plan, [simulate(plan, {"own": prior}, 0)])
    drawn = {(r.quantity, r.name): r for r in found if math.isnan(r.tau)}
    for quantity in ("coverage", "prediction coverage"):
        within(drawn[quantity, "Bayesian own"], 0.95)


def test_the_drawn_tau_has_the_distribution_of_the_prior():
    drawn = InverseGamma(2.42, 0.30).draw(np.random.default_rng(3), 20_000)
    assert kstest(drawn, invgamma(2.42, scale=0.30).cdf).pvalue > 0.001


@pytest.mark.parametrize(
    ("trials", "kinds"), [(2, {"t_k_minus_1"}), (3, {"t_k_minus_1", "t_k_minus_2"})]
)
def test_a_prediction_is_tried_from_the_first_degree_of_freedom(trials, kinds):
    plan = Plan(vi=(0.04,) * trials, taus=(0.3,), simulations=2)
    found = {name for _, quantity, name in simulate(plan, {}, 0) if quantity == "prediction width"}
    assert {name.split()[1] for name in found if " t_" in name} == kinds
