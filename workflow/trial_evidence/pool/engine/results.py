"""The result of a model for one set of trials, refusals, and the checks of its input."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr

from trial_evidence.measures.scales import normal_quantile

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """One model's result for one set of trials, on the analysis scale.

    Fields that a model does not define are None: a common effect has no tau2, a posterior no p
    value.

    Attributes
    ----------
    model : str
        Name of the model. The configured random-effects model is named after its settings, for
        example ``random_reml_hk``; see `trial_evidence.words.models.random_model`. The others:
        ``common``, ``dersimonian_laird``, ``mantel_haenszel``, ``bayesian``, ``single_trial``,
        ``peto``, ``logistic_unconditional``, ``logistic_conditional``.
    k : int
        Trials pooled.
    estimate, se : float
        Pooled effect and its standard error (Bayesian: posterior median and standard deviation).
        The standard error is the one that the interval uses, for example Hartung-Knapp's.
    ci_low, ci_high : float
        Confidence interval (Bayesian: shortest credible interval).
    p_value : float or None
        Two-sided test against no effect.
    tau2, tau2_low, tau2_high : float or None
        Between-trial variance with its interval (Q-profile; Bayesian: squared posterior median
        and squared shortest interval of tau).
    i2, i2_q : float or None
        Percentage of the variance that is between trials: from tau2, and from Q.
    q, q_df, q_p : float, int, float or None
        Cochran's Q, its degrees of freedom and p value.
    pi_low, pi_high : float or None
        Prediction interval for the effect in a new trial.
    weights : tuple of float
        Weight of each trial in the estimate, in percent, in input order; sums to 100. Bayesian:
        weight in the posterior mean.
    probability_below_zero : float or None
        Posterior probability that the mean effect is below zero (a ratio below 1). Whether that is
        a benefit depends on the outcome, which only the caller knows.
    """

    model: str
    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    weights: tuple[float, ...]
    p_value: float | None = None
    tau2: float | None = None
    tau2_low: float | None = None
    tau2_high: float | None = None
    i2: float | None = None
    i2_q: float | None = None
    q: float | None = None
    q_df: int | None = None
    q_p: float | None = None
    pi_low: float | None = None
    pi_high: float | None = None
    probability_below_zero: float | None = None


def check_effects(
    yi: npt.ArrayLike, vi: npt.ArrayLike, *, at_least: int = 1
) -> tuple[Floats, Floats]:
    """Effect sizes as arrays; the error gives the positions of values that cannot be pooled.

    The libraries that fit the models do not check their input: a negative or missing variance goes
    unnoticed or fails with an obscure error.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    at_least : int
        The smallest number of trials that the model needs.

    Raises
    ------
    ValueError
        If lengths differ, there are too few trials, an effect is not a finite number, or a
        variance is not a finite number above zero. Positions count from 0.
    """
    effects, variances = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    if effects.ndim != 1 or variances.ndim != 1 or effects.size != variances.size:
        raise ValueError(
            "effects and variances must be one-dimensional and of one length, "
            f"not {effects.shape} and {variances.shape}"
        )
    if effects.size < at_least:
        raise ValueError(f"needs at least {at_least} trials, not {effects.size}")
    bad = np.flatnonzero(~np.isfinite(effects))
    if bad.size:
        raise ValueError(f"effect sizes are not finite at positions {bad.tolist()}")
    bad = np.flatnonzero(~(np.isfinite(variances) & (variances > 0)))
    if bad.size:
        raise ValueError(f"variances are not finite and above zero at positions {bad.tolist()}")
    return effects, variances


def wald(estimate: float, se: float, level: float) -> dict[str, Any]:
    """Estimate, interval and test from the normal distribution, as fields of `Pooled`.

    There is no test if the standard error is zero.
    """
    half = normal_quantile(level) * se
    return {
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "p_value": float(2 * ndtr(-abs(estimate) / se)) if se > 0 else math.nan,
    }


def q_test(q: float, df: int) -> dict[str, Any]:
    """Cochran's Q with its p value and I2, as fields of `Pooled`."""
    return {
        # A single trial has no heterogeneity, even if its continuity correction makes q above 0.
        "q": q if df else 0.0,
        "q_df": df,
        "q_p": float(chdtrc(df, q)) if df else 1.0,
        "i2_q": 100 * (q - df) / q if df and q > df else 0.0,
    }


def check_level(level: float) -> float:
    """Return a confidence level in percent, or raise an error.

    Parameters
    ----------
    level : float
        Level in percent.

    Raises
    ------
    ValueError
        If the level is not between 0 and 100. A level of 1 or less is refused as well, because it
        is probably a fraction and not a percentage.
    """
    if not isinstance(level, Real) or not 1 < level < 100:
        raise ValueError(f"level is in percent, above 1 and below 100, not {level!r}")
    return float(level)


def percent_weights(weights: Sequence[float] | Floats) -> tuple[float, ...]:
    """Weights scaled to sum to 100.

    Parameters
    ----------
    weights : sequence of float
        Weights on any scale.
    """
    array = np.asarray(weights, dtype=float)
    return tuple((100 * array / array.sum()).tolist())


@dataclass(frozen=True)
class Refused:
    """Returned in place of a result that cannot be given.

    Attributes
    ----------
    reason : str
        Why there is no result, in words for the reader.
    """

    reason: str


def too_few(k: int, needed: int, what: str, why: str, *, forced: bool) -> Refused | None:
    """A refusal if there are fewer trials than an analysis needs; otherwise None.

    Parameters
    ----------
    k, needed : int
        Number of trials available, and number needed.
    what : str
        The analysis, as the start of a sentence.
    why : str
        What goes wrong with fewer.
    forced : bool
        Run the analysis anyway.
    """
    if forced or k >= needed:
        return None
    there = "there is 1" if k == 1 else f"there are {k}"
    return Refused(f"{what} needs at least {needed} trials, and {there}: {why}.")
