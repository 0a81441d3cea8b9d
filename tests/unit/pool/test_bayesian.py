"""Posterior against adaptive integration and closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import load
from scipy.integrate import quad
from trial_evidence.pool.bayes.posterior import bayesian, posterior
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma, LogNormal
from trial_evidence.pool.bayes.tau_posterior import FINE, TauPosterior


def half_normal_posterior(y, v, scale=0.5):
    return posterior(y, v, HalfNormal(scale))


BAYES = load("all_inputs")


def mixture(name, scale):
    """The posterior as nested adaptive integrals: independent of the code under test."""
    y, v = np.array(BAYES[name]["yi"]), np.array(BAYES[name]["vi"])

    def given_tau(tau):
        w = 1 / (v + tau**2)
        mean = (w * y).sum() / w.sum()
        log_lik = 0.5 * (np.log(w).sum() - np.log(w.sum()) - (w * (y - mean) ** 2).sum())
        return math.exp(log_lik - 0.5 * (tau / scale) ** 2), mean, 1 / math.sqrt(w.sum())

    def average(function):
        def top(tau):
            density, mean, sd = given_tau(tau)
            return density * function(tau, mean, sd)

        options = {"epsabs": 0, "epsrel": 1e-11, "limit": 400}
        total = quad(lambda tau: given_tau(tau)[0], 0, 10 * scale, **options)[0]
        return quad(top, 0, 10 * scale, **options)[0] / total

    return average


def phi(z):
    return math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def cumulative(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


@pytest.mark.parametrize("name", ["bcg_first2__RR", "bcg_first6__RR", "synthetic_hr2__logHR"])
@pytest.mark.parametrize("which", ["mean effect", "new trial"])
def test_shortest_interval_holds_its_level_between_ends_of_equal_density(name, which):
    ours = posterior(BAYES[name]["yi"], BAYES[name]["vi"], HalfNormal(0.5))
    average = mixture(name, 0.5)
    spread = (lambda tau, sd: sd) if which == "mean effect" else (lambda t, sd: math.hypot(t, sd))
    low, high = (
        (ours.ci_low, ours.ci_high) if which == "mean effect" else (ours.pi_low, ours.pi_high)
    )

    def below(x):
        return average(lambda tau, mean, sd: cumulative((x - mean) / spread(tau, sd)))

    def density(x):
        return average(lambda tau, mean, sd: phi((x - mean) / spread(tau, sd)) / spread(tau, sd))

    assert below(high) - below(low) == pytest.approx(0.95, abs=1e-8)
    assert density(low) == pytest.approx(density(high), rel=1e-6)


@pytest.mark.parametrize("prior", [LogNormal(-1.5, 0.8), InverseGamma(1.2, 0.02), HalfNormal(0.5)])
@pytest.mark.parametrize("name", ["bcg_first2__RR", "bcg_first6__RR", "synthetic_hr2__logHR"])
def test_both_ways_to_the_interval_of_tau_agree(name, prior, monkeypatch):
    quick = posterior(BAYES[name]["yi"], BAYES[name]["vi"], prior)
    monkeypatch.setattr(TauPosterior, "ends_of_equal_density", lambda tau, mass: None)
    slow = posterior(BAYES[name]["yi"], BAYES[name]["vi"], prior)
    assert (quick.tau_low, quick.tau_high) == pytest.approx((slow.tau_low, slow.tau_high), rel=1e-8)


def test_one_trial_says_nothing_about_tau():
    # With one trial and a flat prior for the mean, the posterior of tau is its prior: median
    # 0.6744898 scale, shortest interval from zero to 1.959964 scale, mean sqrt(2/pi) scale. The
    # mean effect is then normal given tau with variance v + tau², 0.04 + 0.25 on average.
    ours = half_normal_posterior([-0.35], [0.04], scale=0.5)
    assert ours.tau_median == pytest.approx(0.3372449, abs=1e-7)
    assert (ours.tau_low, ours.tau_high) == pytest.approx((0.0, 0.9799820), abs=1e-7)
    assert ours.tau_mean == pytest.approx(0.5 * math.sqrt(2 / math.pi), rel=1e-12)
    assert ours.mean == pytest.approx(-0.35, rel=1e-12)
    assert ours.sd == pytest.approx(math.sqrt(0.29), rel=1e-12)


def test_vanishing_prior_gives_the_common_effect():
    # 0.1 and 0.4 with variances 0.01 and 0.02: weights 2/3 and 1/3, mean 0.2,
    # se sqrt(0.02/3) = 0.0816497.
    ours = half_normal_posterior([0.1, 0.4], [0.01, 0.02], scale=1e-7)
    assert (ours.mean, ours.sd) == pytest.approx((0.2, 0.0816497), abs=1e-7)
    assert ours.weights == pytest.approx((100 * 2 / 3, 100 / 3))


def test_weights_are_those_of_the_posterior_mean():
    data = BAYES["bcg__RR"]
    ours = posterior(data["yi"], data["vi"], HalfNormal(0.5))
    weighted = sum(w * y for w, y in zip(ours.weights, data["yi"], strict=True)) / 100
    assert weighted == pytest.approx(
        load("all_bayes")["bcg__RR"]["exact"]["halfnormal_0.5|flat"]["mu_mean"], rel=1e-10
    )


@pytest.mark.parametrize("field", ["mean", "sd", "median", "ci_low", "pi_high", "tau_high"])
@pytest.mark.parametrize(
    ("yi", "vi", "scale"),
    [
        ([0.1, -0.2, 0.4], [1e-6, 0.5, 20.0], 0.5),
        ([5.0, -5.0], [1e-4, 1e-4], 0.5),
        ([0.01, 0.02, 0.012, 0.03], [1e-7, 4e-6, 2e-5, 1e-5], 0.5),
        ([0.1] * 30 + [0.2] * 30, [0.01] * 60, 5.0),
    ],
    ids=["unequal variances", "far beyond the prior", "tiny variances", "many trials, wide prior"],
)
def test_more_nodes_change_nothing(yi, vi, scale, field):
    finest = replace(FINE, panels=2 * FINE.panels, nodes=2 * FINE.nodes, partial_panels=48)
    ours = posterior(yi, vi, HalfNormal(scale))
    finer = posterior(yi, vi, HalfNormal(scale), rule=finest)
    assert getattr(ours, field) == pytest.approx(getattr(finer, field), rel=1e-10, abs=1e-12)


def test_shared_form_carries_median_and_shortest_intervals():
    data = BAYES["synthetic_hr3__logHR"]
    found = posterior(data["yi"], data["vi"], HalfNormal(0.5))
    pooled = bayesian(data["yi"], data["vi"], HalfNormal(0.5), "cautious")
    assert pooled.model == "cautious"
    assert pooled.estimate == found.median
    assert (pooled.ci_low, pooled.ci_high) == (found.ci_low, found.ci_high)
    assert (pooled.pi_low, pooled.pi_high) == (found.pi_low, found.pi_high)
    assert pooled.tau2 == found.tau_median**2
    assert pooled.probability_below_zero == found.probability_below_zero
    assert pooled.p_value is None


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_prior_scale_must_be_positive(scale):
    with pytest.raises(ValueError, match="scale of the prior"):
        half_normal_posterior([0.1, 0.2], [0.01, 0.02], scale)


def test_no_trial_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        half_normal_posterior([], [])


trials = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(-5, 1).map(lambda x: 10**x)), min_size=1, max_size=8
)


@given(rows=trials, scale=st.sampled_from([0.05, 0.5, 2.0]))
def test_shortest_intervals_are_no_longer_than_central_ones(rows, scale):
    ours = half_normal_posterior([y for y, _ in rows], [v for _, v in rows], scale)
    slack = 1e-9 * ours.sd
    assert ours.ci_high - ours.ci_low <= ours.central_high - ours.central_low + slack
    assert ours.pi_high - ours.pi_low <= ours.pi_central_high - ours.pi_central_low + slack


@given(rows=trials)
def test_turning_all_effects_round_turns_the_posterior_round(rows):
    y, v = [y for y, _ in rows], [v for _, v in rows]
    there, back = half_normal_posterior(y, v), half_normal_posterior([-x for x in y], v)
    assert there.median == pytest.approx(-back.median, abs=1e-9)
    assert there.ci_low == pytest.approx(-back.ci_high, abs=1e-6)
    assert there.probability_below_zero == pytest.approx(1 - back.probability_below_zero, abs=1e-9)
