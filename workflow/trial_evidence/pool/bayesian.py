"""Bayesian normal-normal model: flat prior on the mean, half-normal prior on tau.

Given tau everything is normal in closed form, so the posterior is a mixture of normals over one
unknown number. The mixture is integrated by fixed Gauss-Legendre quadrature: no sampling, no
seed, the same digits on every run.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from trial_evidence.pool.likelihood import reml_tau2
from trial_evidence.pool.results import (
    Floats,
    Pooled,
    check_effects,
    check_level,
    percent_weights,
)

PREDICTION_BAYESIAN = "shortest interval of the posterior predictive distribution"

PANELS = 20
NODES_A_PANEL = 16
# Posterior density of tau below exp(-50), about 2e-22, of its maximum is left out.
NEGLIGIBLE = 50.0


@dataclass(frozen=True)
class Posterior:
    """Posterior of the mean effect, of the effect in a new trial, and of tau.

    Attributes
    ----------
    level : float
        Level of all intervals in percent.
    mean, sd, median : float
        Posterior of the mean effect, on the analysis scale.
    ci_low, ci_high : float
        Its shortest interval.
    central_low, central_high : float
        Its central interval (equal tails).
    probability_below_zero : float
        Posterior probability that the mean effect is below zero.
    pi_low, pi_high, pi_central_low, pi_central_high : float
        Shortest and central interval for the effect in a new trial.
    new_trial_below_zero : float
        Probability that the effect in a new trial is below zero.
    tau_mean, tau_median : float
        Posterior of the between-trial standard deviation.
    tau_low, tau_high : float
        Its shortest interval, which begins at zero where the density falls from there.
    shrinkage_mean, shrinkage_sd : tuple of float
        Posterior of each trial's own effect, in the order of the input.
    weights : tuple of float
        Weight of each trial in the posterior mean, in percent.
    """

    level: float
    mean: float
    sd: float
    median: float
    ci_low: float
    ci_high: float
    central_low: float
    central_high: float
    probability_below_zero: float
    pi_low: float
    pi_high: float
    pi_central_low: float
    pi_central_high: float
    new_trial_below_zero: float
    tau_mean: float
    tau_median: float
    tau_low: float
    tau_high: float
    shrinkage_mean: tuple[float, ...]
    shrinkage_sd: tuple[float, ...]
    weights: tuple[float, ...]


class _TauPosterior:
    """Posterior density of tau and its quadrature.

    Integrals run over u with tau = s sinh(u), s the standard error of the common effect. In u the
    integrands have no singularity nearer to the real axis than i pi/2, whatever the ratio of the
    variances, so panels of bounded width in u converge geometrically.
    """

    def __init__(self, yi: Floats, vi: Floats, scale: float) -> None:
        self.yi, self.vi, self.scale = yi, vi, scale
        self.unit = math.sqrt(1 / (1 / vi).sum())
        low, high, self.shift = self._support()
        self.edges = np.linspace(low, high, PANELS + 1)
        self.points, self.gauss = leggauss(NODES_A_PANEL)
        half = (self.edges[1] - self.edges[0]) / 2
        u = (self.edges[:-1, None] + half * (1 + self.points)).ravel()
        self.tau = self.unit * np.sinh(u)
        mass = self._density_u(u) * np.tile(half * self.gauss, PANELS)
        self.total = float(mass.sum())
        self.weights = mass / self.total
        self.cumulative = np.concatenate(
            [[0.0], np.cumsum(self.weights.reshape(PANELS, NODES_A_PANEL).sum(axis=1))]
        )

    def _log_density(self, tau: Floats) -> Floats:
        """Logarithm of the posterior density of tau, up to a constant."""
        w = 1 / (self.vi + tau[:, None] ** 2)
        total = w.sum(axis=1)
        mean = (w * self.yi).sum(axis=1) / total
        misfit = (w * (self.yi - mean[:, None]) ** 2).sum(axis=1)
        likelihood = 0.5 * (np.log(w).sum(axis=1) - np.log(total) - misfit)
        density: Floats = likelihood - 0.5 * (tau / self.scale) ** 2
        return density

    def _support(self) -> tuple[float, float, float]:
        """Range of u that holds the posterior, and the maximum of its log density."""
        best = math.sqrt(reml_tau2(self.yi, self.vi)) if self.yi.size > 1 else 0.0
        trial = np.concatenate([[0.0, best], self.scale * np.geomspace(1e-3, 1e3, 61)])
        reached = self._log_density(trial)
        # The likelihood is highest at `best`; from there on only the prior bounds the density.
        top = reached[1] + 0.5 * (best / self.scale) ** 2
        far = self.scale * math.sqrt(2 * (NEGLIGIBLE + float(top - reached.max())))
        grid = np.linspace(0.0, math.asinh(far / self.unit), 513)
        density = self._log_density(self.unit * np.sinh(grid))
        kept = np.flatnonzero(density > density.max() - NEGLIGIBLE)
        first, last = max(int(kept[0]) - 1, 0), min(int(kept[-1]) + 1, grid.size - 1)
        return float(grid[first]), float(grid[last]), float(density.max())

    def _density_u(self, u: Floats) -> Floats:
        density: Floats = (
            np.exp(self._log_density(self.unit * np.sinh(u)) - self.shift) * self.unit * np.cosh(u)
        )
        return density

    def density(self, tau: float) -> float:
        """Posterior density at tau."""
        return math.exp(float(self._log_density(np.array([tau]))[0]) - self.shift) / self.total

    def _cdf_u(self, u: float) -> float:
        """Posterior probability below unit sinh(u)."""
        if u <= self.edges[0]:
            return 0.0
        if u >= self.edges[-1]:
            return 1.0
        panel = int(np.searchsorted(self.edges, u, side="right")) - 1
        half = (u - self.edges[panel]) / 2
        inside = self._density_u(self.edges[panel] + half * (1 + self.points)) @ self.gauss
        return float(self.cumulative[panel] + half * inside / self.total)

    def quantile(self, p: float) -> float:
        """The tau with posterior probability p below it; the ends of the support for 0 and 1."""
        inside = min(max(p, 0.0), 1.0)
        low, high = float(self.edges[0]), float(self.edges[-1])
        u = brentq(lambda x: self._cdf_u(x) - inside, low, high, xtol=1e-15, rtol=1e-14)
        return self.unit * math.sinh(u)


class _Mixture:
    """Mixture of normal distributions."""

    def __init__(self, means: Floats, sds: Floats, weights: Floats) -> None:
        self.means, self.sds, self.weights = means, sds, weights

    def cdf(self, x: float) -> float:
        return float(self.weights @ ndtr((x - self.means) / self.sds))

    def density(self, x: float) -> float:
        z = (x - self.means) / self.sds
        return float((self.weights / self.sds) @ np.exp(-0.5 * z**2)) / math.sqrt(2 * math.pi)

    def quantile(self, p: float) -> float:
        # A mixture's quantile lies between the smallest and the largest of its components'.
        each = self.means + float(ndtri(p)) * self.sds
        low, high = float(each.min()), float(each.max())
        width = high - low + 1e-9 * float(self.sds.max())
        return float(
            brentq(
                lambda x: self.cdf(x) - p,
                low - 1e-3 * width,
                high + 1e-3 * width,
                xtol=1e-14 * float(self.sds.min()),
                rtol=1e-14,
            )
        )


def _shortest(
    quantile: Callable[[float], float],
    density: Callable[[float], float],
    level: float,
    margin: float,
) -> tuple[float, float]:
    """Shortest interval of a distribution with one mode that lies inside it.

    It is the one whose two ends have the same density. `margin` keeps the search away from tail
    probabilities of 0 and 1, where an unbounded distribution has no quantile; it is a share of
    the probability outside the interval.
    """
    outside = 1 - level / 100

    def imbalance(p: float) -> float:
        return density(quantile(p)) - density(quantile(p + 1 - outside))

    lower_tail = brentq(
        imbalance, margin * outside, (1 - margin) * outside, xtol=1e-12 * outside, rtol=1e-12
    )
    return quantile(lower_tail), quantile(lower_tail + 1 - outside)


def _shortest_tau(posterior: _TauPosterior, level: float) -> tuple[float, float]:
    """Shortest interval of tau, which lies against zero where the density is highest there."""
    one_sided = posterior.quantile(level / 100)
    if posterior.density(0.0) >= posterior.density(one_sided):
        return 0.0, one_sided
    return _shortest(posterior.quantile, posterior.density, level, margin=0.0)


def half_normal_posterior(
    yi: npt.ArrayLike, vi: npt.ArrayLike, scale: float = 0.5, level: float = 95.0
) -> Posterior:
    """Posterior of the normal-normal model with a half-normal prior on tau.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 1.
    scale : float
        Scale of the half-normal prior on tau, in units of `yi`; 0.5 is meant for log ratios.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Posterior

    Raises
    ------
    ValueError
        If the scale is not a finite number above zero, or `check_effects` or `check_level`
        refuses the input.

    Notes
    -----
    Röver C. J Stat Softw 2020;93(6):1-51 (the model and its mixture form); Röver C et al. Res
    Synth Methods 2021;12:448-474 (half-normal priors for log ratios).
    """
    y, v = check_effects(yi, vi)
    level = check_level(level)
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"the scale of the prior must be a finite number above zero, not {scale}")
    centre = float(y.mean())
    y = y - centre
    posterior = _TauPosterior(y, v, scale)
    tau, weights = posterior.tau, posterior.weights

    w = 1 / (v + tau[:, None] ** 2)
    total = w.sum(axis=1)
    share = w / total[:, None]
    means = share @ y
    variances = 1 / total
    mean = float(weights @ means)
    mu = _Mixture(means, np.sqrt(variances), weights)
    new = _Mixture(means, np.sqrt(variances + tau**2), weights)

    # Each trial's own effect, given tau: between its estimate and the mean.
    pull = v * w
    trial_means = (1 - pull) * y + pull * means[:, None]
    trial_variances = v * (1 - pull) + pull**2 * variances[:, None]
    shrunk = weights @ trial_means
    shrunk_variance = weights @ (trial_variances + (trial_means - shrunk) ** 2)

    tail = 0.5 - level / 200
    ci_low, ci_high = _shortest(mu.quantile, mu.density, level, margin=1e-6)
    pi_low, pi_high = _shortest(new.quantile, new.density, level, margin=1e-6)
    tau_low, tau_high = _shortest_tau(posterior, level)
    return Posterior(
        level=level,
        mean=mean + centre,
        sd=math.sqrt(float(weights @ (variances + (means - mean) ** 2))),
        median=mu.quantile(0.5) + centre,
        ci_low=ci_low + centre,
        ci_high=ci_high + centre,
        central_low=mu.quantile(tail) + centre,
        central_high=mu.quantile(1 - tail) + centre,
        probability_below_zero=mu.cdf(-centre),
        pi_low=pi_low + centre,
        pi_high=pi_high + centre,
        pi_central_low=new.quantile(tail) + centre,
        pi_central_high=new.quantile(1 - tail) + centre,
        new_trial_below_zero=new.cdf(-centre),
        tau_mean=float(weights @ tau),
        tau_median=posterior.quantile(0.5),
        tau_low=tau_low,
        tau_high=tau_high,
        shrinkage_mean=tuple((shrunk + centre).tolist()),
        shrinkage_sd=tuple(np.sqrt(shrunk_variance).tolist()),
        weights=percent_weights(weights @ share),
    )


def bayesian(
    yi: npt.ArrayLike, vi: npt.ArrayLike, scale: float = 0.5, level: float = 95.0
) -> Pooled:
    """The posterior in the form all models share.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 1.
    scale : float
        Scale of the half-normal prior on tau, in units of `yi`.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Pooled
        Posterior median, shortest interval, shortest predictive interval, squared posterior
        median of tau with its squared shortest interval, and the posterior probability of a mean
        effect below zero.

    Raises
    ------
    ValueError
        As `half_normal_posterior`.
    """
    posterior = half_normal_posterior(yi, vi, scale, level)
    return Pooled(
        model="bayesian",
        k=len(posterior.weights),
        estimate=posterior.median,
        se=posterior.sd,
        ci_low=posterior.ci_low,
        ci_high=posterior.ci_high,
        ci_level=posterior.level,
        p_value=None,
        df=None,
        tau2=posterior.tau_median**2,
        tau2_low=posterior.tau_low**2,
        tau2_high=posterior.tau_high**2,
        i2=None,
        i2_q=None,
        q=None,
        q_df=None,
        q_p=None,
        pi_low=posterior.pi_low,
        pi_high=posterior.pi_high,
        pi_method=PREDICTION_BAYESIAN,
        weights=posterior.weights,
        probability_below_zero=posterior.probability_below_zero,
    )
