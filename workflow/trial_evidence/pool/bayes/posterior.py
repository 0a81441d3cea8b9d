"""Bayesian normal-normal model: a flat or normal prior for the mean, any prior for tau.

The posterior is a mixture of normals over tau, integrated by fixed quadrature
(`trial_evidence.pool.bayes.tau_posterior`): no sampling, no seed, identical digits on every run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq

from trial_evidence.pool.bayes.mixtures import NormalMixtures
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.bayes.tau_posterior import (
    FINE,
    FLAT,
    MeanPrior,
    Rule,
    TauPosterior,
    fast_rule,
)
from trial_evidence.pool.engine.results import (
    Floats,
    Pooled,
    check_effects,
    check_level,
    percent_weights,
)
from trial_evidence.pool.engine.stacks import Stack, by_chunks, stack

# Fields that a posterior shares with the results of the other models.
SHARED = ("ci_low", "ci_high", "pi_low", "pi_high", "weights", "probability_below_zero")
MEAN_ENDS = ("ci_low", "ci_high", "central_low", "central_high")
NEW_TRIAL_ENDS = ("pi_low", "pi_high", "pi_central_low", "pi_central_high")

# Numbers (nodes times studies times analyses) processed at a time.
CHUNK = 131_072


Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Summary(Generic[Number]):
    """Summary of the posterior of one analysis (floats) or of many (arrays, one value each).

    Attributes
    ----------
    mean, median : float or numpy.ndarray of float, shape (analyses,)
        Posterior mean and median of the mean effect, on the analysis scale.
    ci_low, ci_high : likewise
        Its shortest credible interval.
    central_low, central_high : likewise
        Its central (equal-tailed) credible interval.
    probability_below_zero : likewise
        Posterior probability that the mean effect is below zero.
    pi_low, pi_high, pi_central_low, pi_central_high : likewise
        Shortest and central intervals for the effect in a new trial.
    tau_median : likewise
        Posterior median of the between-trial standard deviation.
    """

    mean: Number
    median: Number
    ci_low: Number
    ci_high: Number
    central_low: Number
    central_high: Number
    probability_below_zero: Number
    pi_low: Number
    pi_high: Number
    pi_central_low: Number
    pi_central_high: Number
    tau_median: Number


@dataclass(frozen=True)
class Posterior(Summary[float]):
    """Posterior of the mean effect, of the effect in a new trial, and of tau.

    Attributes
    ----------
    prior : str
        Prior for tau in words.
    sd : float
        Posterior standard deviation of the mean effect; infinite if the prior for tau has a heavy
        tail, that for the mean is flat and there are too few trials (half-Cauchy: fewer than
        three).
    new_trial_below_zero : float
        Probability that the effect in a new trial is below zero.
    tau_mean : float
        Posterior mean of the between-trial standard deviation; infinite for a single trial if the
        prior for tau is half-Cauchy or as heavy, and that for the mean is flat.
    tau_low, tau_high : float
        Its shortest interval, which starts at zero if the density decreases from there.
    shrinkage_mean, shrinkage_sd : tuple of float
        Posterior mean and standard deviation of each trial's own effect, in input order.
    weights : tuple of float
        Weight of each trial in the posterior mean, in percent.
    probabilities_below : tuple of float
        Posterior probability that the mean effect is below each of the requested thresholds.
    """

    prior: str
    sd: float
    new_trial_below_zero: float
    tau_mean: float
    tau_low: float
    tau_high: float
    shrinkage_mean: tuple[float, ...]
    shrinkage_sd: tuple[float, ...]
    weights: tuple[float, ...]
    probabilities_below: tuple[float, ...]


class _Solved:
    """Quadrature for a stack and the resulting mixtures; effects are relative to `shift`."""

    def __init__(self, part: Stack, prior: TauPrior, mean_prior: MeanPrior, rule: Rule) -> None:
        self.part, self.shift = part.centred()
        self.tau = TauPosterior(self.part, prior, mean_prior, self.shift, rule)
        tau, weights = self.tau.tau, self.tau.weights
        self.means, precision, _ = self.tau.given_tau(tau)
        self.variances = 1 / precision
        self.mean = NormalMixtures(self.means, np.sqrt(self.variances), weights)
        self.new_trial = NormalMixtures(self.means, np.sqrt(self.variances + tau**2), weights)

    def summary(self, level: float, *, prediction: bool = True) -> dict[str, Floats]:
        """The fields of `Summary`, which single posteriors and stacks of them share."""
        half = np.full(self.shift.size, 0.5)
        none = (np.full(self.shift.size, math.nan),) * len(NEW_TRIAL_ENDS)
        new_trial = self.new_trial.intervals(level / 100) if prediction else none
        effects = {
            "mean": (self.tau.weights * self.means).sum(axis=0),
            "median": self.mean.quantile(half),
            **dict(zip(MEAN_ENDS, self.mean.intervals(level / 100), strict=True)),
            **dict(zip(NEW_TRIAL_ENDS, new_trial, strict=True)),
        }
        return {name: values + self.shift for name, values in effects.items()} | {
            "probability_below_zero": self.mean.cdf(0.0 - self.shift),
            "tau_median": self.tau.quantile(half),
        }


def _shortest_tau(tau: TauPosterior, level: float) -> tuple[float, float]:
    """Shortest interval of tau; it touches a limit of tau's range if the density peaks there."""

    def quantile(p: float) -> float:
        return float(tau.quantile(np.array([p]))[0])

    def density(x: float) -> float:
        return float(tau.density(np.array([[x]]))[0, 0])

    one_sided = quantile(level)
    if density(0.0) >= density(one_sided):
        return 0.0, one_sided
    if (ends := tau.ends_of_equal_density(level)) is not None:
        return ends
    outside = 1 - level

    def imbalance(p: float) -> float:
        return density(quantile(p)) - density(quantile(p + level))

    # Avoid tail probabilities of 0 and 1, where tau has no quantile.
    least = 1e-9 * outside
    if imbalance(least) >= 0:
        return 0.0, one_sided
    # With a bounded prior, the posterior may peak at the upper limit.
    if imbalance(outside - least) <= 0:
        return quantile(outside), quantile(1.0)
    lower_tail = float(brentq(imbalance, least, outside - least, xtol=1e-10 * outside, rtol=1e-10))
    return quantile(lower_tail), quantile(lower_tail + level)


def posterior(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    prior: TauPrior,
    level: float = 95.0,
    *,
    mean_prior: MeanPrior = FLAT,
    thresholds: Sequence[float] = (),
    rule: Rule = FINE,
) -> Posterior:
    """Posterior of the normal-normal model.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 1.
    prior : TauPrior
        Prior for tau, in units of `yi`.
    level : float
        Level of the intervals in percent.
    mean_prior : MeanPrior
        Prior for the mean effect; flat by default.
    thresholds : sequence of float
        Effects on the analysis scale (``log(0.8)``); the posterior probability of a lower mean
        effect is returned for each.
    rule : Rule
        Fineness of the quadrature.

    Raises
    ------
    ValueError
        As in `check_effects` and `check_level`.

    Notes
    -----
    Röver C. J Stat Softw 2020;93(6):1-51 (the model and its mixture form).
    """
    y, v = check_effects(yi, vi)
    level = check_level(level)
    solved = _Solved(stack(y, v), prior, mean_prior, rule)
    centre = float(solved.shift[0])
    tau, weights = solved.tau.tau[:, 0], solved.tau.weights[:, 0]
    means, variances = solved.means[:, 0], solved.variances[:, 0]
    y = solved.part.yi[:, 0]
    mean = float(weights @ means)

    # Each trial's own effect given tau lies between its estimate and the mean.
    w = 1 / (v + tau[:, None] ** 2)
    pull = v * w
    trial_means = (1 - pull) * y + pull * means[:, None]
    trial_variances = v * (1 - pull) + pull**2 * variances[:, None]
    shrunk = weights @ trial_means
    shrunk_variance = weights @ (trial_variances + (trial_means - shrunk) ** 2)

    # With k trials the posterior of tau has the tail of the prior times tau**(1 - k).
    power = y.size - 1 + prior.tail if math.isinf(mean_prior.sd) else math.inf
    sd = math.sqrt(float(weights @ (variances + (means - mean) ** 2)))

    def below(mixture: NormalMixtures, effect: float) -> float:
        return float(mixture.cdf(np.array([effect - centre]))[0])

    found = {name: float(values[0]) for name, values in solved.summary(level).items()}
    tau_low, tau_high = _shortest_tau(solved.tau, level / 100)
    return Posterior(
        **found | {"mean": mean + centre},
        prior=prior.label,
        sd=math.inf if power <= 2 else sd,
        new_trial_below_zero=below(solved.new_trial, 0.0),
        tau_mean=math.inf if power <= 1 else float(weights @ tau),
        tau_low=tau_low,
        tau_high=tau_high,
        shrinkage_mean=tuple((shrunk + centre).tolist()),
        shrinkage_sd=tuple(np.sqrt(shrunk_variance).tolist()),
        weights=percent_weights(weights @ (w / w.sum(axis=1, keepdims=True))),
        probabilities_below=tuple(below(solved.mean, float(x)) for x in thresholds),
    )


def posterior_stack(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    prior: TauPrior,
    level: float = 95.0,
    *,
    mean_prior: MeanPrior = FLAT,
    prediction: bool = True,
) -> Summary[Floats]:
    """Posteriors of many analyses at once.

    Parameters
    ----------
    yi, vi : array_like of shape (studies, analyses) or (studies,)
        Effects on the analysis scale and their sampling variances; NaN in both pads analyses with
        fewer studies.
    prior : TauPrior
        Prior for tau, in units of `yi`.
    level : float
        Level of the intervals in percent.
    mean_prior : MeanPrior
        Prior for the mean effect; flat by default.
    prediction : bool
        Whether to compute the intervals for a new trial, half of the work; otherwise NaN.

    Returns
    -------
    Summary
        The quadrature is coarser than for a single `posterior`. With two or more studies and
        sampling variances within a factor of a thousand, quantiles agree to 1e-8 of the interval's
        width; with variances 1e12 apart, or a single study under a half-Cauchy prior, to 3e-3.

    Raises
    ------
    ValueError
        If an effect cannot be pooled or the level is not a percentage.
    """
    level = check_level(level)
    whole = stack(yi, vi)
    rule = fast_rule(prior)

    def summary(part: Stack) -> dict[str, Floats]:
        return _Solved(part, prior, mean_prior, rule).summary(level, prediction=prediction)

    width = CHUNK // (rule.panels * rule.nodes * len(whole.yi))
    return Summary(**by_chunks(whole, width, summary))


def posterior_density(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    prior: TauPrior,
    *,
    points: int = 401,
) -> pd.DataFrame:
    """Posterior densities on a grid wide enough for a figure.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 1.
    prior : TauPrior
        Prior for tau, in units of `yi`.
    points : int
        Number of points in each grid.

    Returns
    -------
    DataFrame
        ``effect`` (on the analysis scale, between the 0.5% and 99.5% quantiles for a new trial)
        with ``mean_density`` and ``new_trial_density``; ``tau`` (up to the 99.5% quantile of its
        posterior) with ``tau_density`` and ``tau_prior_density``.

    Raises
    ------
    ValueError
        As in `check_effects`.
    """
    y, v = check_effects(yi, vi)
    solved = _Solved(stack(y, v), prior, FLAT, FINE)
    low, high = (float(solved.new_trial.quantile(np.array([p]))[0]) for p in (0.005, 0.995))
    effect = np.linspace(low, high, points)
    tau = np.linspace(0.0, float(solved.tau.quantile(np.array([0.995]))[0]), points)
    return pd.DataFrame(
        {
            "effect": effect + solved.shift[0],
            "mean_density": solved.mean.density(effect),
            "new_trial_density": solved.new_trial.density(effect),
            "tau": tau,
            "tau_density": solved.tau.density(tau[:, None])[:, 0],
            "tau_prior_density": np.exp(prior.log_density(tau)),
        }
    )


def bayesian(
    yi: npt.ArrayLike, vi: npt.ArrayLike, prior: TauPrior, model: str, level: float = 95.0
) -> Pooled:
    """The posterior as a `Pooled`, the result type of all models.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 1.
    prior : TauPrior
        Prior for tau, in units of `yi`.
    model : str
        Name of the model with this prior in the tables.
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
        As in `check_effects` and `check_level`.
    """
    found = posterior(yi, vi, prior, level)
    return Pooled(
        model=model,
        k=len(found.weights),
        estimate=found.median,
        se=found.sd,
        tau2=found.tau_median**2,
        tau2_low=found.tau_low**2,
        tau2_high=found.tau_high**2,
        **{name: getattr(found, name) for name in SHARED},
    )
