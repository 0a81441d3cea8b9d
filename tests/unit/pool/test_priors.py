"""Priors, stacked posteriors compared with single ones, and properties of any posterior."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import load
from scipy import stats
from scipy.integrate import quad
from trial_evidence.pool.bayes.posterior import posterior, posterior_density, posterior_stack
from trial_evidence.pool.bayes.priors import (
    DRUG_V_CONTROL,
    DRUG_V_DRUG,
    EMPIRICAL_PRIORS,
    HalfCauchy,
    HalfNormal,
    InverseGamma,
    LogNormal,
    Uniform,
)
from trial_evidence.pool.bayes.tau_posterior import MeanPrior

REFERENCE = load("all_inputs")
PRIORS = {
    "halfnormal_0.25": HalfNormal(0.25),
    "halfnormal_0.5": HalfNormal(0.5),
    "halfnormal_1.0": HalfNormal(1.0),
    "halfcauchy_0.3": HalfCauchy(0.3),
    "halfcauchy_0.5": HalfCauchy(0.5),
    "uniform_0_4": Uniform(4.0),
    "inverse_gamma_hazard_ratio": InverseGamma(2.42, 0.30),
    "inverse_gamma_risk_ratio": InverseGamma(1.49, 0.24),
    "inverse_gamma_odds_ratio": InverseGamma(1.59, 0.48),
    "turner_mortality_pharma_placebo": EMPIRICAL_PRIORS["all-cause mortality", DRUG_V_CONTROL],
    "turner_semiobjective_pharma_pharma": EMPIRICAL_PRIORS[
        "cause-specific mortality or major morbidity", DRUG_V_DRUG
    ],
}


def below(prior, tau):
    """Prior probability of a smaller tau, from scipy's distribution."""
    match prior:
        case HalfNormal(scale):
            return stats.halfnorm.cdf(tau, scale=scale)
        case HalfCauchy(scale):
            return stats.halfcauchy.cdf(tau, scale=scale)
        case Uniform(upper):
            return stats.uniform.cdf(tau, scale=upper)
        case InverseGamma(shape, scale):
            return stats.invgamma.cdf(tau, shape, scale=scale)
        case LogNormal(mean, sd):
            return stats.norm.cdf(2 * math.log(tau), mean, sd)


def test_two_trials_under_a_half_cauchy_prior_have_no_finite_standard_deviation():
    assert posterior([0.1, 0.4], [0.04, 0.09], HalfCauchy(0.5)).sd == math.inf
    assert math.isfinite(posterior([0.1, 0.4, 0.2], [0.04, 0.09, 0.1], HalfCauchy(0.5)).sd)


def test_one_trial_under_a_half_cauchy_prior_has_no_finite_mean_of_tau():
    # One trial says nothing of tau: its posterior is the prior, whose mean is infinite.
    assert posterior([0.1], [0.04], HalfCauchy(0.5)).tau_mean == math.inf
    assert math.isfinite(posterior([0.1, 0.4], [0.04, 0.09], HalfCauchy(0.5)).tau_mean)


@pytest.mark.parametrize("prior", [HalfNormal(0.5), Uniform(2.0), LogNormal(-2.0, 1.5)])
def test_a_padded_column_gives_what_the_analysis_gives_alone(prior):
    names = ["bcg_first2__RR", "bcg__RR", "synthetic_hr3__logHR", "edge_k1__generic"]
    y, v = np.full((2, 13, len(names)), np.nan)
    for j, name in enumerate(names):
        k = len(REFERENCE[name]["yi"])
        y[:k, j], v[:k, j] = REFERENCE[name]["yi"], REFERENCE[name]["vi"]
    together = posterior_stack(y, v, prior)
    for j, name in enumerate(names):
        alone = posterior(REFERENCE[name]["yi"], REFERENCE[name]["vi"], prior)
        for field in ("median", "ci_low", "ci_high", "pi_low", "pi_high", "tau_median"):
            assert getattr(together, field)[j] == pytest.approx(
                getattr(alone, field), rel=1e-6, abs=1e-7
            ), field


@pytest.mark.parametrize("prior", [*PRIORS.values()])
def test_stacked_posteriors_of_like_trials_are_those_of_single_ones(prior):
    random = np.random.default_rng(8)
    v = 10 ** random.uniform(-3, 0, (4, 12))
    y = random.normal(0.0, np.sqrt(v + 0.1))
    together = posterior_stack(y, v, prior)
    for j in range(12):
        alone = posterior(y[:, j], v[:, j], prior)
        width = alone.pi_high - alone.pi_low
        for field in ("median", "ci_low", "ci_high", "pi_low", "pi_central_high"):
            assert getattr(together, field)[j] == pytest.approx(
                getattr(alone, field), abs=1e-8 * width
            ), field


def test_shortest_interval_of_tau_lies_against_the_upper_end_where_the_posterior_does():
    # Effects 4 apart suggest a tau of 2.8; the prior ends at 1, where the density is highest.
    ours = posterior([-2.0, 2.0], [0.01, 0.01], Uniform(1.0))
    assert ours.tau_high == pytest.approx(1.0, abs=1e-9)
    assert 0 < ours.tau_low < ours.tau_median < 1


@pytest.mark.parametrize("prior", [*PRIORS.values(), LogNormal(-2.56, 1.74)])
def test_prior_is_a_density_with_its_own_distribution_function(prior):
    upper = prior.upper if isinstance(prior, Uniform) else 0.7
    mass = quad(lambda x: math.exp(float(prior.log_density(np.array(x)))), 1e-12, upper)[0]
    assert mass == pytest.approx(below(prior, upper), abs=1e-6)


@pytest.mark.parametrize(
    "prior", [HalfNormal(0.5), HalfCauchy(0.5), Uniform(2.0), InverseGamma(2.42, 0.30)]
)
def test_one_trial_says_nothing_about_tau(prior):
    ours = posterior([0.4], [0.09], prior)
    assert below(prior, ours.tau_median) == pytest.approx(0.5, abs=1e-9)
    assert ours.median == pytest.approx(0.4, abs=1e-12)


def test_probability_of_an_effect_beyond_a_threshold():
    # tau held near zero: the mean is N(-0.2, 1/150), and P(mean < log 0.8) is Phi of the distance.
    ours = posterior([-0.3, -0.15], [0.02, 0.01], HalfNormal(1e-8), thresholds=[math.log(0.8), 0])
    z = (math.log(0.8) + 0.2) * math.sqrt(150)
    assert ours.probabilities_below[0] == pytest.approx(
        0.5 * math.erfc(-z / math.sqrt(2)), abs=1e-9
    )
    assert ours.probabilities_below[1] == ours.probability_below_zero


def test_densities_on_the_grid_are_densities():
    data = REFERENCE["bcg_first5__RR"]
    grid = posterior_density(data["yi"], data["vi"], HalfNormal(0.5), points=2001)
    # The grid ends at the 0.5% and 99.5% quantiles of the new trial, and at 99.5% of tau.
    assert np.trapezoid(grid.new_trial_density, grid.effect) == pytest.approx(0.99, abs=1e-5)
    assert np.trapezoid(grid.tau_density, grid.tau) == pytest.approx(0.995, abs=1e-5)
    assert np.trapezoid(grid.mean_density, grid.effect) > 0.999
    # Half-normal: twice the normal density, which a figure draws together with the posterior's.
    folded = 2 / math.sqrt(2 * math.pi) / 0.5 * np.exp(-0.5 * (grid.tau / 0.5) ** 2)
    assert grid.tau_prior_density.to_numpy() == pytest.approx(folded.to_numpy(), rel=1e-12)


def test_empirical_prior_pulls_towards_its_median():
    # Two trials that differ widely: the wider prior leaves more heterogeneity.
    y, v = [0.0, 1.0], [0.05, 0.05]
    narrow = posterior(y, v, EMPIRICAL_PRIORS["all-cause mortality", DRUG_V_DRUG])
    wide = posterior(y, v, EMPIRICAL_PRIORS["adverse events", DRUG_V_DRUG])
    assert narrow.tau_median < wide.tau_median


@pytest.mark.parametrize(
    "make",
    [lambda: HalfNormal(0), lambda: HalfCauchy(-1), lambda: Uniform(math.inf),
     lambda: LogNormal(-2, 0), lambda: InverseGamma(0, 0.3),
     lambda: InverseGamma(2, math.nan), lambda: MeanPrior(0, 0), lambda: MeanPrior(math.nan, 1)],
)  # fmt: skip
def test_priors_that_are_none_are_refused(make):
    with pytest.raises(ValueError, match="prior"):
        make()


trials = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(-5, 1).map(lambda x: 10**x)), min_size=1, max_size=6
)


@settings(max_examples=60)
@given(rows=trials, prior=st.sampled_from([*PRIORS.values()]))
def test_any_valid_input_has_a_posterior(rows, prior):
    y, v = zip(*rows, strict=True)
    ours = posterior_stack(y, v, prior)
    assert ours.central_low[0] < ours.median[0] < ours.central_high[0]
    assert ours.ci_high[0] - ours.ci_low[0] <= (ours.central_high[0] - ours.central_low[0]) * (
        1 + 1e-6
    )
    assert ours.pi_high[0] - ours.pi_low[0] >= (ours.ci_high[0] - ours.ci_low[0]) * (1 - 1e-6)
    assert ours.tau_median[0] > 0


@settings(max_examples=40)
@given(
    rows=trials, prior=st.sampled_from([*PRIORS.values()]), seed=st.randoms(use_true_random=False)
)
def test_order_of_trials_does_not_matter(rows, prior, seed):
    there = posterior_stack(*zip(*rows, strict=True), prior)
    back = posterior_stack(*zip(*seed.sample(rows, len(rows)), strict=True), prior)
    assert there.ci_low[0] == pytest.approx(back.ci_low[0], rel=1e-6, abs=1e-7)
