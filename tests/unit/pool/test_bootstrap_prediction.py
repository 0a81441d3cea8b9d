"""The bootstrap prediction interval compared with its theoretical distribution."""

import math

import numpy as np
import pytest
from reference import load
from scipy.integrate import quad
from scipy.stats import chi2, norm, t
from trial_evidence.pool.engine.bootstrap_prediction import (
    bootstrap_prediction_interval,
    tau2_confidence_draws,
)
from trial_evidence.pool.engine.many import fit_stack

BCG = load("metafor_estimators")["bcg__RR"]


def probability_q_exceeds(q, factors):
    """P(sum of factor times chi2 on 1 df > q) by Imhof's integral (Biometrika 1961;48:419-426)."""
    factors = np.asarray(factors)

    def integrand(u):
        theta = 0.5 * np.arctan(factors * u).sum() - 0.5 * q * u
        rho = np.prod((1 + (factors * u) ** 2) ** 0.25)
        return math.sin(theta) / (u * rho)

    return 0.5 + quad(integrand, 0, 200, limit=2000)[0] / math.pi


@pytest.mark.parametrize("tau2", [0.15, 0.4, 1.0])
def test_draws_have_the_confidence_distribution_of_tau2(tau2):
    y, v = np.array(BCG["yi"]), np.array(BCG["vi"])
    w = 1 / v
    q = (w * (y - w @ y / w.sum()) ** 2).sum()
    # Q under tau2 is a quadratic form in normals; the factors are the eigenvalues of covariance
    # times form.
    form = np.diag(w) - np.outer(w, w) / w.sum()
    factors = np.linalg.eigvals(np.diag(v + tau2) @ form).real
    expected = probability_q_exceeds(q, factors[factors > 1e-9])
    draws = tau2_confidence_draws(np.asarray(y), np.asarray(v), 100_000, np.random.default_rng(3))
    # Three standard errors of a proportion.
    assert (draws <= tau2).mean() == pytest.approx(
        expected, abs=3 * math.sqrt(expected * (1 - expected) / 100_000)
    )


def test_probability_of_no_heterogeneity_is_the_p_value_of_q():
    y, v = [0.1, 0.2, 0.6], [0.05, 0.02, 0.04]
    draws = tau2_confidence_draws(np.asarray(y), np.asarray(v), 100_000, np.random.default_rng(3))
    expected = fit_stack(y, v).q_p[0]
    assert (draws == 0).mean() == pytest.approx(expected, abs=0.005)


def test_limits_where_all_variances_are_equal():
    # Then neither the mean nor its standard error depends on tau2, and the distribution function of
    # the new effect is a single integral over chi2.
    y, v, k = np.array([0.2, -0.3, 0.5, 0.9]), 0.05, 4
    q = ((y - y.mean()) ** 2).sum() / v
    se = math.sqrt(q * v / (k - 1) / k)

    nodes, weights = np.polynomial.legendre.leggauss(200)
    z, by_z = 8 * nodes, 8 * weights * norm.pdf(8 * nodes)

    def above(x):
        total = 0.0
        # tau2 is above zero up to chi2 = q, and zero beyond.
        for low, high in ((0.0, q), (q, 60.0)):
            chi = low + (high - low) * (nodes + 1) / 2
            tau = np.sqrt(np.maximum(q / chi - 1, 0) * v)
            inner = t.cdf((x - y.mean() - z * tau[:, None]) / se, k - 1) @ by_z
            total += (high - low) / 2 * (weights * chi2.pdf(chi, k - 1)) @ inner
        return total

    low, high = bootstrap_prediction_interval(y, [v] * k, draws=200_000, seed=5)
    assert above(low) == pytest.approx(0.025, abs=0.0015)
    assert above(high) == pytest.approx(0.975, abs=0.0015)


def test_same_seed_same_interval_and_order_does_not_matter():
    there = bootstrap_prediction_interval(BCG["yi"], BCG["vi"], draws=2000, seed=9)
    back = bootstrap_prediction_interval(BCG["yi"][::-1], BCG["vi"][::-1], draws=2000, seed=9)
    assert there == back
    assert there != bootstrap_prediction_interval(BCG["yi"], BCG["vi"], draws=2000, seed=10)


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match="at least 100 draws"):
        bootstrap_prediction_interval(BCG["yi"], BCG["vi"], draws=10)
