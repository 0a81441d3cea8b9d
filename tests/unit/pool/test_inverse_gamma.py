"""The posterior with inverse-gamma priors for tau, compared with adaptive integration.

Everything that uses `average` follows from Bayes's rule alone: the density of tau as published, the
likelihood of the trials, and normal distributions given tau.
"""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from trial_evidence.pool.bayes.posterior import posterior, posterior_stack
from trial_evidence.pool.bayes.priors import InverseGamma

TRIALS = {
    # two large trials that agree, two that do not, three, and four of different sizes
    "two alike": ([-0.21, -0.17], [0.0049, 0.0064]),
    "two apart": ([0.62, -0.11], [0.021, 0.034]),
    "three": ([-0.39, -0.38, -0.30], [0.04, 0.012, 0.02]),
    "four": ([0.9, 0.1, 0.5, -0.4], [0.3, 0.002, 0.05, 0.01]),
}
PRIORS = {"log HR": (2.42, 0.30), "log RR": (1.49, 0.24), "log OR": (1.59, 0.48)}
CASES = [(trials, prior) for trials in TRIALS for prior in PRIORS]


def phi(z):
    return math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def below(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


class ByDefinition:
    """Expectations over the posterior of tau, by adaptive integration over log tau."""

    def __init__(self, trials, prior):
        self.y, self.v = TRIALS[trials]
        self.shape, self.scale = PRIORS[prior]
        # All integrals share most of their nodes.
        self.at = cache(self.given)
        self.total = self.integral(lambda *_: 1.0)

    def given(self, log_tau):
        """The density of log tau up to a constant; tau; mean and variance of the mean given tau."""
        tau = math.exp(log_tau)
        w = [1 / (v + tau**2) for v in self.v]
        variance = 1 / sum(w)
        mean = variance * sum(a * b for a, b in zip(w, self.y, strict=True))
        misfit = sum(a * (b - mean) ** 2 for a, b in zip(w, self.y, strict=True))
        likelihood = 0.5 * (sum(map(math.log, w)) + math.log(variance) - misfit)
        prior = -(self.shape + 1) * log_tau - self.scale / tau
        # the last term: d tau = tau d log tau
        return math.exp(likelihood + prior + log_tau), tau, mean, variance

    def integral(self, function, last=30.0):
        def top(log_tau):
            density, *given = self.at(log_tau)
            return density * function(*given)

        pieces = np.append(np.arange(-6.0, last, 1.0), last)
        options = {"epsabs": 0, "epsrel": 1e-11, "limit": 200}
        return sum(quad(top, a, b, **options)[0] for a, b in pairwise(pieces))

    def average(self, function):
        return self.integral(function) / self.total

    def mean_below(self, x):
        return self.average(lambda tau, mean, variance: below((x - mean) / math.sqrt(variance)))

    def new_below(self, x):
        return self.average(
            lambda tau, mean, variance: below((x - mean) / math.sqrt(variance + tau**2))
        )

    def density(self, x, new):
        def height(tau, mean, variance):
            sd = math.sqrt(variance + (tau**2 if new else 0.0))
            return phi((x - mean) / sd) / sd

        return self.average(height)


@cache
def both(trials, prior):
    return posterior(*TRIALS[trials], InverseGamma(*PRIORS[prior])), ByDefinition(trials, prior)


@pytest.mark.parametrize(("trials", "prior"), CASES)
def test_the_mean_effect(trials, prior):
    ours, truth = both(trials, prior)
    assert ours.mean == pytest.approx(truth.average(lambda tau, mean, _: mean), abs=1e-8)
    assert truth.mean_below(ours.median) == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(("trials", "prior"), CASES)
def test_its_interval_holds_95_percent_between_ends_of_equal_density(trials, prior):
    ours, truth = both(trials, prior)
    inside = truth.mean_below(ours.ci_high) - truth.mean_below(ours.ci_low)
    assert inside == pytest.approx(0.95, abs=1e-8)
    ends = [truth.density(x, new=False) for x in (ours.ci_low, ours.ci_high)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)
    assert truth.mean_below(ours.central_low) == pytest.approx(0.025, abs=1e-8)


@pytest.mark.parametrize(("trials", "prior"), CASES)
def test_the_interval_for_a_new_trial_holds_95_percent_between_ends_of_equal_density(trials, prior):
    ours, truth = both(trials, prior)
    inside = truth.new_below(ours.pi_high) - truth.new_below(ours.pi_low)
    assert inside == pytest.approx(0.95, abs=1e-8)
    ends = [truth.density(x, new=True) for x in (ours.pi_low, ours.pi_high)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)
    assert ours.new_trial_below_zero == pytest.approx(truth.new_below(0.0), abs=1e-8)


@pytest.mark.parametrize(("trials", "prior"), CASES)
def test_the_probability_of_an_effect_below_zero(trials, prior):
    ours, truth = both(trials, prior)
    assert ours.probability_below_zero == pytest.approx(truth.mean_below(0.0), abs=1e-8)


@pytest.mark.parametrize(("trials", "prior"), CASES)
def test_the_median_of_tau(trials, prior):
    ours, truth = both(trials, prior)
    share = truth.integral(lambda *_: 1.0, last=math.log(ours.tau_median)) / truth.total
    assert share == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(("trials", "prior"), CASES)
def test_the_shrunken_effect_of_each_trial(trials, prior):
    ours, truth = both(trials, prior)
    for at, (y, v) in enumerate(zip(truth.y, truth.v, strict=True)):

        def own(tau, mean, _, y=y, v=v):
            return (y * tau**2 + mean * v) / (tau**2 + v)

        expected = truth.average(own)
        assert ours.shrinkage_mean[at] == pytest.approx(expected, abs=1e-8)

        def square(tau, mean, variance, y=y, v=v, own=own):
            # variance given the mean effect, and what the mean effect's own spread adds
            pull = v / (tau**2 + v)
            return v * tau**2 / (tau**2 + v) + pull**2 * variance + own(tau, mean, variance) ** 2

        variance = truth.average(square) - expected**2
        assert ours.shrinkage_sd[at] ** 2 == pytest.approx(variance, abs=1e-8)


@pytest.mark.parametrize("prior", PRIORS)
def test_many_at_once_are_what_each_is_alone(prior):
    found = InverseGamma(*PRIORS[prior])
    y, v = np.full((2, 4, len(TRIALS)), np.nan)
    for j, (effects, variances) in enumerate(TRIALS.values()):
        y[: len(effects), j], v[: len(effects), j] = effects, variances
    together = posterior_stack(y, v, found)
    for j, trials in enumerate(TRIALS.values()):
        alone = posterior(*trials, found)
        for field in ("median", "ci_low", "ci_high", "probability_below_zero", "tau_median"):
            assert getattr(together, field)[j] == pytest.approx(getattr(alone, field), abs=1e-8)


@pytest.mark.parametrize(("shape", "k", "finite"), [
    (2.42, 1, True), (1.49, 1, False), (1.49, 2, True), (0.9, 2, False), (0.9, 3, True),
])  # fmt: skip
def test_a_standard_deviation_that_the_tail_makes_infinite_is_said_to_be_so(shape, k, finite):
    # The variance of the mean grows as tau**2, and tau**(-shape - k) is the tail of its density.
    found = posterior([0.1, 0.3, 0.2][:k], [0.04] * k, InverseGamma(shape, 0.3))
    assert math.isfinite(found.sd) == finite
