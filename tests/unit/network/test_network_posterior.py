"""The Bayesian fit of a network against numerical integration of its textbook likelihood."""

from functools import cache, partial

import numpy as np
import pytest
from example_networks import at_random, network, two_arm
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr
from trial_evidence.network.fit.posterior import NetworkPosterior
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import HalfCauchy, HalfNormal, LogNormal

PRIORS = {
    # Densities of tau as in textbooks, up to a constant.
    HalfNormal(0.5): lambda tau: np.exp(-0.5 * (tau / 0.5) ** 2),
    LogNormal(-2.56, 1.74): lambda tau: np.exp(-0.5 * ((2 * np.log(tau) + 2.56) / 1.74) ** 2) / tau,
}


def at(data, tau):
    """Levels, covariance and restricted likelihood at one tau, with all contrasts in one matrix."""
    size = sum(study.effects.size for study in data.studies)
    covariance, design = np.zeros((size, size)), np.zeros((size, len(data.treatments)))
    row = 0
    for study in data.studies:
        own = study.effects.size
        block = slice(row, row + own)
        covariance[block, block] = study.covariance + tau**2 * (np.eye(own) + 1) / 2
        for number, treatment in enumerate(study.treatments[1:]):
            design[row + number, data.position[treatment]] = 1
            design[row + number, data.position[study.treatments[0]]] -= 1
        row += own
    design = design[:, 1:]
    y = np.concatenate([study.effects for study in data.studies])
    weight = np.linalg.inv(covariance)
    spread = np.linalg.inv(design.T @ weight @ design)
    levels = spread @ design.T @ weight @ y
    residuals = y - design @ levels
    logs = np.linalg.slogdet(weight)[1] + np.linalg.slogdet(spread)[1]
    return levels, spread, 0.5 * (logs - residuals @ weight @ residuals)


def integrated(data, density, first, second, new_study):
    """P(effect < x) of one treatment against another, as a function of x."""
    functional = np.zeros(len(data.treatments))
    functional[data.position[first]], functional[data.position[second]] = 1, -1
    functional = functional[1:]
    # The integrals for different x share most of their nodes.
    given = cache(partial(at, data))
    top = given(0.2)[2]

    def mass(tau, x=None):
        levels, spread, log_likelihood = given(tau)
        own = density(tau) * np.exp(log_likelihood - top)
        if x is None:
            return own
        variance = functional @ spread @ functional + (tau**2 if new_study else 0.0)
        return own * ndtr((x - functional @ levels) / np.sqrt(variance))

    def whole(x=None):
        pieces = ((1e-12, 0.1), (0.1, 0.5), (0.5, 1.5), (1.5, 6.0))
        options = {"epsabs": 1e-13, "epsrel": 1e-11, "limit": 200}
        return sum(quad(mass, low, high, args=(x,), **options)[0] for low, high in pieces)

    total = whole()
    return lambda x: whole(x) / total


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
@pytest.mark.parametrize("new_study", [False, True], ids=["mean", "new study"])
def test_posterior_agrees_with_numerical_integration(prior, new_study):
    data = at_random(1, treatments=5, studies=9)
    assert max(len(study.treatments) for study in data.studies) > 2
    found = NetworkPosterior(data, prior)
    first, second = "t003", "t001"
    below = integrated(data, PRIORS[prior], first, second, new_study)
    cell = data.position[first], data.position[second]
    ends = (found.pi_low, found.pi_high) if new_study else (found.ci_low, found.ci_high)
    low, high = (matrix[cell] for matrix in ends)
    # The shortest interval contains 95% and its ends have equal density.
    assert below(high) - below(low) == pytest.approx(0.95, abs=1e-8)
    step = 1e-3
    edges = [(below(x + step) - below(x - step)) / (2 * step) for x in (low, high)]
    assert edges[0] == pytest.approx(edges[1], rel=1e-4)
    if not new_study:
        assert below(found.effects[cell]) == pytest.approx(0.5, abs=1e-8)
        assert below(0.0) == pytest.approx(found.below_zero[cell], abs=1e-8)


def test_heterogeneity_agrees_with_numerical_integration():
    data = at_random(1, treatments=5, studies=9)

    def mass(tau):
        return np.exp(-0.5 * (tau / 0.5) ** 2 + at(data, tau)[2])

    total = quad(mass, 0, 6, epsabs=0, epsrel=1e-11, limit=200)[0]
    middle = brentq(lambda x: quad(mass, 0, x, epsabs=0, epsrel=1e-11)[0] / total - 0.5, 0.01, 2)
    assert NetworkPosterior(data, HalfNormal(0.5)).tau_median == pytest.approx(middle, rel=1e-8)


@pytest.mark.parametrize("prior", [HalfNormal(0.5), HalfCauchy(0.5), LogNormal(-2.56, 1.74)])
def test_trials_of_one_comparison_have_the_posterior_of_the_pairwise_model(prior):
    """A network and a pairwise analysis must treat the same trials alike."""
    effects, variances = [0.2, 0.6, 0.1, -0.3], [0.04, 0.09, 0.05, 0.2]
    data = network(
        two_arm(str(i), "b", "a", y, v)
        for i, (y, v) in enumerate(zip(effects, variances, strict=True))
    )
    found, pairwise = NetworkPosterior(data, prior), posterior(effects, variances, prior)
    for ours, theirs in (
        ("effects", "median"), ("ci_low", "ci_low"), ("ci_high", "ci_high"), ("pi_low", "pi_low"),
        ("pi_high", "pi_high"), ("below_zero", "probability_below_zero"),
    ):  # fmt: skip
        assert getattr(found, ours)[1, 0] == pytest.approx(getattr(pairwise, theirs), rel=1e-8)
    assert found.tau_median == pytest.approx(pairwise.tau_median, rel=1e-8)


def test_either_way_round_a_comparison_says_the_same():
    found = NetworkPosterior(at_random(3, treatments=4, studies=6), HalfNormal(0.5))
    np.testing.assert_array_equal(found.effects, -found.effects.T)
    np.testing.assert_array_equal(found.ci_low, -found.ci_high.T)
    np.testing.assert_array_equal(found.pi_low, -found.pi_high.T)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose((found.below_zero + found.below_zero.T)[off], 1.0)


def test_without_degrees_of_freedom_heterogeneity_is_the_priors():
    """One trial per comparison: the interval is widened by the assumed heterogeneity."""
    data = network([two_arm("1", "b", "a", 0.6, 0.02), two_arm("2", "c", "b", 0.5, 0.01)])
    found = NetworkPosterior(data, HalfNormal(0.5))
    # The median of a half-normal is 0.67449 scales.
    assert found.tau_median == pytest.approx(0.5 * 0.6744897501960817, rel=1e-9)
    assert found.effects[2, 0] == pytest.approx(1.1, rel=1e-9)
