"""Regression on the control risk: a published example, R's metafor, and a separate likelihood."""

import math

import numpy as np
import pytest
from reference import load
from scipy.optimize import minimize
from scipy.special import expit, logit
from trial_evidence.pool.engine.results import Refused
from trial_evidence.pool.models.bivariate import BivariateFit, TwoEffects
from trial_evidence.pool.models.counts import Counts
from trial_evidence.pool.probes.control_risk import ControlRiskRegression, control_risk_regression

BCG = load("all_inputs")["bcg__OR"]["table"]
TABLES = Counts(
    *(np.array(BCG[name], dtype=float) for name in ("ai", "n1i", "ci", "n2i")), "odds_ratio"
)


def test_the_published_example():
    """van Houwelingen, Arends & Stijnen 2002, p. 604: BCG and tuberculosis.

    True logits: vaccinated -4.834, variance 1.431; not vaccinated -4.096, variance 2.407;
    correlation 0.947. These determine the line of the log odds ratio on the control logit.
    """
    found = control_risk_regression(TABLES)
    slope = 0.947 * math.sqrt(1.431 / 2.407) - 1
    assert found.slope == pytest.approx(slope, abs=1e-3)
    assert found.tau2 == pytest.approx(1.431 * (1 - 0.947**2), abs=2e-3)
    assert found.mean == pytest.approx((-4.096, -4.834 + 4.096), abs=1e-3)
    # Standard error of the mean log odds ratio as printed there.
    assert math.sqrt(found.mean_covariance[1, 1]) == pytest.approx(0.180, abs=5e-4)


def test_it_agrees_with_metafor():
    """metafor 4: rma.mv(yi, vi, mods = ~ group - 1, random = ~ group | trial, struct = "UN",
    data = escalc("PLO", xi = out1, mi = out2, data = to.long("OR", ...)), method = "ML",
    control = list(rel.tol = 1e-14)) on dat.colditz1994."""
    found = control_risk_regression(TABLES)
    control, treated, rho = 2.407332714, 1.431370762, 0.9466912021
    slope = rho * math.sqrt(treated / control) - 1
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.tau2 == pytest.approx(treated * (1 - rho**2), abs=1e-6)
    assert found.mean == pytest.approx((-4.095974593, -4.833743662 + 4.095974593), abs=1e-6)


def minus_log_likelihood(theta, tables):
    """The likelihood of the two observed logits, written directly from the model."""
    mean_control, intercept, slope, log_sd, log_rest = theta
    variance, rest = math.exp(2 * log_sd), math.exp(2 * log_rest)
    # log odds (treated) = log odds (control) + intercept + slope x (log odds (control) - mean)
    between = np.array(
        [[variance, (1 + slope) * variance],
         [(1 + slope) * variance, (1 + slope) ** 2 * variance + rest]]
    )  # fmt: skip
    x1, n1, x0, n0 = (np.asarray(column) for column in tables)
    control = np.log(x0 / (n0 - x0)) - mean_control
    treated = np.log(x1 / (n1 - x1)) - mean_control - intercept
    # The density of two correlated normal variables, in standard units.
    sd_control = np.sqrt(between[0, 0] + 1 / x0 + 1 / (n0 - x0))
    sd_treated = np.sqrt(between[1, 1] + 1 / x1 + 1 / (n1 - x1))
    rho, u, w = between[0, 1] / sd_control / sd_treated, control / sd_control, treated / sd_treated
    rest_of_one = 1 - rho**2
    density = np.exp(-(u**2 - 2 * rho * u * w + w**2) / (2 * rest_of_one))
    density /= 2 * math.pi * sd_control * sd_treated * np.sqrt(rest_of_one)
    return -np.log(density).sum()


def best(tables, slope=None):
    """The minimum of the above from several starting values, at a given slope or over all."""

    def at(theta):
        whole = theta if slope is None else np.insert(theta, 2, slope)
        return minus_log_likelihood(whole, tables)

    starts = ([-0.5, 0.6, 0.0, -0.7, -2.0], [-0.5, 0.6, -0.3, -0.7, -1.0])
    found = [
        minimize(at, start if slope is None else np.delete(start, 2), method="Nelder-Mead",
                 options={"maxiter": 8000, "maxfev": 8000, "xatol": 1e-9, "fatol": 1e-12})
        for start in starts
    ]  # fmt: skip
    return min(found, key=lambda one: one.fun)


# Twelve trials whose odds ratio decreases with the control risk, from numpy's random generator.
SHAPE = np.random.default_rng(4)
CONTROL = np.array([0.15, 0.2, 0.22, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65])
SIZES = np.array([80.0, 120, 60, 150, 90, 200, 110, 70, 160, 100, 130, 90])
TRUE = logit(CONTROL) + 0.7 - 0.5 * (logit(CONTROL) + 0.5) + SHAPE.normal(0, 0.3, 12)
TREATED = SHAPE.binomial(SIZES.astype(int), expit(TRUE)).astype(float)
UNTREATED = SHAPE.binomial(SIZES.astype(int), CONTROL).astype(float)
FALLING = Counts(TREATED, SIZES, UNTREATED, SIZES, "odds_ratio")


def test_it_agrees_with_a_likelihood_of_its_own():
    tables = (FALLING.events_e, FALLING.n_e, FALLING.events_c, FALLING.n_c)
    found, theirs = control_risk_regression(FALLING), best(tables)
    assert found.slope == pytest.approx(theirs.x[2], abs=2e-4)
    assert found.mean == pytest.approx(tuple(theirs.x[:2]), abs=2e-4)
    # The likelihood ratio of no slope, and the limits of the interval: 1.92 below the maximum.
    ratio = 2 * (best(tables, slope=0.0).fun - theirs.fun)
    assert found.p_value == pytest.approx(math.erfc(math.sqrt(ratio / 2)), rel=1e-3)
    for limit in (found.slope_low, found.slope_high):
        assert best(tables, slope=limit).fun - theirs.fun == pytest.approx(1.920729, abs=1e-3)


def test_an_error_of_the_control_risk_is_no_slope():
    """With one true odds ratio, chance alone links low odds ratios with high control risks.

    Twenty pairs of trials; the two in a pair differ in their control arm by chance alone, in
    opposite directions. A plain regression finds a negative slope where there is none.
    """
    n = np.full(40, 100.0)
    centre = np.repeat(np.linspace(25, 60, 20), 2)
    # One standard error of a binomial count in either direction.
    spread = np.tile([-1.0, 1.0], 20) * np.sqrt(centre * (100 - centre) / 100)
    odds = 2 * centre / (100 - centre)
    found = Counts(100 * odds / (1 + odds), n, centre + spread, n, "odds_ratio")
    x = logit((centre + spread) / 100)
    plain = np.polyfit(x, logit(odds / (1 + odds)) - x, 1)[0]
    regression = control_risk_regression(found)
    assert plain < -0.15
    assert plain < regression.slope < -plain
    assert regression.slope_low < 0 < regression.slope_high


def test_the_three_scales_at_a_control_risk():
    found = control_risk_regression(TABLES).at(0.25)
    odds = found.odds_ratio.estimate / 3  # control odds of 1/3
    treated = odds / (1 + odds)
    assert found.risk_ratio.estimate == pytest.approx(treated / 0.25, rel=1e-12)
    assert found.risk_difference.estimate == pytest.approx(treated - 0.25, rel=1e-12)
    assert found.odds_ratio.low < found.odds_ratio.estimate < found.odds_ratio.high


def test_at_the_average_trial_the_line_gives_the_mean_effect():
    found = control_risk_regression(TABLES)
    at = found.at(float(expit(found.mean[0])))
    assert math.log(at.odds_ratio.estimate) == pytest.approx(found.mean[1], rel=1e-9)


def test_away_from_the_average_trial_the_error_of_the_slope_counts():
    """Log odds are linear: checked at two points equally far from the mean, and at the mean.

    The variance of a line a + b x is var(a) + 2 x cov(a, b) + x^2 var(b).
    """
    found = control_risk_regression(TABLES)

    def variance(beyond):
        odds = found.at(float(expit(found.mean[0] + beyond))).odds_ratio
        return (math.log(odds.high / odds.low) / (2 * 1.959964)) ** 2

    below, middle, above = map(variance, (-1.0, 0.0, 1.0))
    assert (below + above) / 2 - middle == pytest.approx(found.slope_variance, rel=1e-6)
    assert found.slope_variance > 0


@pytest.mark.parametrize("forced", [False, True])
def test_with_few_trials_there_is_none_unless_forced(forced):
    few = Counts(*(np.asarray(column)[:9] for column in
                   TABLES.tables), "odds_ratio")  # fmt: skip
    found = control_risk_regression(few, forced=forced)
    assert isinstance(found, Refused) == (not forced)
    if not forced:
        assert "at least 10 trials" in found.reason


def test_control_risks_that_do_not_differ_give_no_line():
    columns = (np.full(12, value) for value in (40.0, 100.0, 30.0, 100.0))
    alike = Counts(*columns, "odds_ratio")
    found = control_risk_regression(alike)
    assert found == Refused("The control risks of the trials do not differ by more than chance.")


def test_the_interval_of_an_effect_at_a_control_risk_by_hand():
    # Mean logit of the control risk 0, log odds ratio 0.5 + slope * logit. Variance of the line at
    # the mean 0.02 + 0.5**2 * 0.04 - 2 * (-0.5) * (-0.01) = 0.02; from the slope, at 75%,
    # 0.09 * log(3)**2.
    found = ControlRiskRegression(
        slope=-0.5, slope_low=-1.0, slope_high=0.0, p_value=0.05, tau2=0.0, mean=(0.0, 0.5),
        mean_covariance=np.array([[0.04, -0.01], [-0.01, 0.02]]), slope_variance=0.09, level=95.0,
    )  # fmt: skip
    reach = math.log(3)
    half = 1.959963984540054 * math.sqrt(0.02 + 0.09 * reach**2)
    middle = 0.5 - 0.5 * reach
    odds = [math.exp(value) for value in (middle, middle - half, middle + half)]
    assert found.at(0.75).odds_ratio == pytest.approx(odds, rel=1e-9)
    risks = [3 * ratio / (1 + 3 * ratio) for ratio in odds]
    assert found.at(0.75).risk_ratio == pytest.approx([p / 0.75 for p in risks], rel=1e-9)
    assert found.at(0.75).risk_difference == pytest.approx([p - 0.75 for p in risks], rel=1e-9)


def test_the_error_of_a_slope_without_scatter_around_the_line():
    """Pairs on a line: the variance around it is held at zero and contributes no error.

    The expected information about the variance of the first true effect and the slope, written
    out with matrices: half the sum of traces of W D W D'.
    """
    x = np.array([-0.5, 0.0, 0.4, 0.9, 1.5, 2.0])
    v1, v2 = 0.03 + 0.01 * np.arange(6), 0.02 + 0.005 * np.arange(6)
    data = TwoEffects((x, v1), (0.1 - 0.5 * x, v2), np.zeros(6))
    found = BivariateFit(data)
    assert found.residual_sd == 0
    s11, slope = found.sd_first**2, found.slope
    directions = (
        np.array([[1, slope], [slope, slope**2]]),
        np.array([[0, s11], [s11, 2 * slope * s11]]),
    )
    information = np.zeros((2, 2))
    for a, b in zip(v1, v2, strict=True):
        w = np.linalg.inv(np.diag([a, b]) + s11 * directions[0])
        information += [
            [0.5 * np.trace(w @ one @ w @ other) for other in directions] for one in directions
        ]
    assert found.slope_variance == pytest.approx(np.linalg.inv(information)[1, 1], rel=1e-9)
