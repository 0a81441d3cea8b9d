"""Intervals for the mean effect and for the effect in a new trial, given tau2."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from trial_evidence.pool.engine.results import Floats, check_level
from trial_evidence.pool.engine.stacks import Stack
from trial_evidence.pool.engine.tau2 import around_mean

# Names of the intervals; see `confidence_interval` for the distribution and standard error of each.
INTERVALS = ("wald", "t", "hartung_knapp", "hartung_knapp_conservative")

# Name of the prediction interval -> interval whose standard error it uses, degrees of freedom lost.
PREDICTIONS = {
    "t_k_minus_1": ("t", 1),
    "t_k_minus_2": ("t", 2),
    "hartung_knapp_k_minus_1": ("hartung_knapp", 1),
    "hartung_knapp_k_minus_2": ("hartung_knapp", 2),
    "conservative_k_minus_1": ("hartung_knapp_conservative", 1),
    "conservative_k_minus_2": ("hartung_knapp_conservative", 2),
}


@dataclass(frozen=True)
class Weighted:
    """Weighted mean of each analysis at its tau2.

    Attributes
    ----------
    k : numpy.ndarray of float, shape (analyses,)
        Studies.
    tau2 : numpy.ndarray of float, shape (analyses,)
        Between-trial variance in the weights 1/(v + tau2).
    estimate : numpy.ndarray of float, shape (analyses,)
        Weighted mean.
    wald_se : numpy.ndarray of float, shape (analyses,)
        ``1/sqrt(sum of weights)``.
    factor : numpy.ndarray of float, shape (analyses,)
        Hartung-Knapp variance factor, ``sum of w (y - mean)**2 / (k - 1)``; 1 for a single study.
    """

    k: Floats
    tau2: Floats
    estimate: Floats
    wald_se: Floats
    factor: Floats


def weighted_mean(stack: Stack, tau2: Floats) -> Weighted:
    """Weighted mean at a given tau2, with the quantities its intervals need.

    Parameters
    ----------
    stack : Stack
        Analyses.
    tau2 : numpy.ndarray of float, shape (analyses,)
        Between-trial variances.
    """
    centred, shift = stack.centred()
    w, total, mean, residuals = around_mean(centred, tau2)
    w *= residuals
    w *= residuals
    df = stack.k - 1
    factor = np.where(df > 0, w.sum(axis=0) / np.maximum(df, 1), 1.0)
    return Weighted(stack.k.astype(float), tau2, mean + shift, 1 / np.sqrt(total), factor)


def standard_error(mean: Weighted, interval: str) -> Floats:
    """Standard error that an interval uses.

    Parameters
    ----------
    mean : Weighted
        Weighted means.
    interval : str
        One of `INTERVALS`.

    Raises
    ------
    ValueError
        If the interval is unknown.

    Notes
    -----
    Hartung J, Knapp G. Stat Med 2001;20:3875-3889; for a factor of at least 1: Röver C, Knapp G,
    Friede T. BMC Med Res Methodol 2015;15:99.
    """
    if interval not in INTERVALS:
        raise ValueError(f"interval {interval!r} is not one of {', '.join(INTERVALS)}")
    if interval == "hartung_knapp":
        return mean.wald_se * np.sqrt(mean.factor)
    if interval == "hartung_knapp_conservative":
        return mean.wald_se * np.sqrt(np.maximum(mean.factor, 1.0))
    return mean.wald_se


def t_quantile(p: float, df: Floats) -> Floats:
    """Quantile of the t distribution; NaN if there are no degrees of freedom.

    Parameters
    ----------
    p : float
        Probability.
    df : numpy.ndarray of float, shape (analyses,)
        Degrees of freedom.
    """
    # Most stacks have one number of trials, and a single analysis has no other.
    alike = df.size > 0 and bool((df == df[0]).all())
    values, inverse = (
        (df[:1], np.zeros(df.size, np.intp)) if alike else np.unique(df, return_inverse=True)
    )
    quantiles = np.full(values.size, np.nan)
    quantiles[values > 0] = stdtrit(values[values > 0], p)
    return np.asarray(quantiles[inverse])


def confidence_interval(mean: Weighted, interval: str, level: float = 95.0) -> dict[str, Floats]:
    """Confidence interval of the mean effect, and the test against no effect.

    Parameters
    ----------
    mean : Weighted
        Weighted means.
    interval : str
        ``wald`` (normal), ``t`` (Wald's standard error, t on k-1), ``hartung_knapp`` (t on k-1) or
        ``hartung_knapp_conservative`` (the same, never with a standard error below Wald's).
    level : float
        Level in percent.

    Returns
    -------
    dict of str to numpy.ndarray of float, shape (analyses,)
        ``se``, ``ci_low``, ``ci_high`` and ``p_value``, as fields of `StackedFit`. A single study
        always gets its Wald interval, because it has no degrees of freedom.

    Raises
    ------
    ValueError
        If the interval is unknown or the level is not a percentage.
    """
    upper = 0.5 + check_level(level) / 200
    se = standard_error(mean, interval)
    df = mean.k - 1
    normal = df < 1 if interval != "wald" else np.ones(df.size, dtype=bool)
    quantile = np.where(normal, ndtri(upper), t_quantile(upper, df))
    # Identical effects have a Hartung-Knapp standard error of zero: the interval is a point, and p
    # is 0 unless that point is no effect (then 1).
    size = np.abs(mean.estimate)
    z = np.divide(size, se, out=np.where(size > 0, np.inf, 0.0), where=se > 0)
    tail = np.where(normal, ndtr(-z), stdtr(np.maximum(df, 1.0), -z))
    half = quantile * se
    ends = {"ci_low": mean.estimate - half, "ci_high": mean.estimate + half}
    return {"se": se, **ends, "p_value": 2 * tail}


def prediction_interval(
    mean: Weighted, prediction: str, level: float = 95.0
) -> tuple[Floats, Floats]:
    """Interval for the effect in a new trial.

    Parameters
    ----------
    mean : Weighted
        Weighted means.
    prediction : str
        Name in `PREDICTIONS`: which standard error is combined with tau2, and t on k-1 or k-2.
    level : float
        Level in percent.

    Returns
    -------
    low, high : numpy.ndarray of float, shape (analyses,)
        ``mean -/+ t sqrt(tau2 + se**2)``; NaN if t has no degrees of freedom.

    Raises
    ------
    ValueError
        If the prediction is unknown or the level is not a percentage.

    Notes
    -----
    ``t_k_minus_2``: Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137-159.
    ``hartung_knapp_k_minus_2``: Partlett C, Riley RD. Stat Med 2017;36:301-317.
    """
    upper = 0.5 + check_level(level) / 200
    if prediction not in PREDICTIONS:
        raise ValueError(f"prediction {prediction!r} is not one of {', '.join(PREDICTIONS)}")
    interval, lost = PREDICTIONS[prediction]
    half = t_quantile(upper, mean.k - lost) * np.sqrt(
        mean.tau2 + standard_error(mean, interval) ** 2
    )
    return mean.estimate - half, mean.estimate + half
