"""Inverse-variance random-effects and common-effect models."""

import math
from dataclasses import replace

import numpy.typing as npt

from trial_evidence.pool.engine.heterogeneity import q_profile
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.results import Pooled, check_effects, percent_weights
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.words.models import random_model

MEAN = ("estimate", "se", "ci_low", "ci_high", "p_value")
Q = ("q", "q_p", "i2_q")


def random_effects(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    level: float = 95.0,
    *,
    tau2_estimator: str,
    estimate_interval: str,
    prediction_interval: str,
) -> Pooled:
    """Inverse-variance random-effects model with the given estimator and intervals.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the intervals in percent.
    tau2_estimator, estimate_interval, prediction_interval : str
        Method, interval and prediction of `trial_evidence.pool.engine.many.fit_stack`.

    Returns
    -------
    Pooled
        Named after estimator and interval (`trial_evidence.words.models.random_model`). Limits of a
        prediction interval without degrees of freedom are None. The interval of tau2 is by
        Q-profile, and None if that is the empty set, which metafor reports as 0 to 0.

    Raises
    ------
    ValueError
        If there are fewer than two trials or a name is unknown, or as in `check_effects` and
        `check_level`.

    Notes
    -----
    Viechtbauer 2005 (REML); Hartung & Knapp 2001 and Röver, Knapp & Friede 2015 (interval and its
    floor); Viechtbauer 2007 (Q-profile); Higgins, Thompson & Spiegelhalter 2009 (prediction).
    The same as metafor's ``rma(method="REML", test="adhoc")`` and its variants.
    """
    y, v = check_effects(yi, vi, at_least=2)
    fit = fit_stack(
        y,
        v,
        method=tau2_estimator,
        interval=estimate_interval,
        prediction=prediction_interval,
        level=level,
    )
    tau2_low, tau2_high = q_profile(stack(y, v), level)
    tau2 = float(fit.tau2[0])
    predicts = math.isfinite(fit.pi_low[0])
    return Pooled(
        model=random_model(tau2_estimator, estimate_interval),
        k=y.size,
        **fit.only(*MEAN, *Q, "i2", *(("pi_low", "pi_high") if predicts else ())),
        tau2=tau2,
        # An upper limit of zero means that no tau2 fits such similar effects: the set is empty.
        tau2_low=float(tau2_low[0]) if tau2_high[0] > 0 else None,
        tau2_high=float(tau2_high[0]) if tau2_high[0] > 0 else None,
        q_df=y.size - 1,
        weights=percent_weights(1 / (v + tau2)),
    )


def dersimonian_laird_wald(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0) -> Pooled:
    """DerSimonian-Laird random-effects model with the Wald interval.

    Shown for comparison with the older default, whose interval is too narrow for few trials.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Pooled
        The prediction interval uses t with k-1 degrees of freedom and the Wald standard error.

    Raises
    ------
    ValueError
        If there are fewer than two trials, or as in `check_effects` and `check_level`.

    Notes
    -----
    DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188.
    """
    found = random_effects(
        yi,
        vi,
        level,
        tau2_estimator="DL",
        estimate_interval="wald",
        prediction_interval="t_k_minus_1",
    )
    return replace(found, model="dersimonian_laird")


def common_effect(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0) -> Pooled:
    """Common-effect model: one effect in all trials, inverse-variance weights.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the interval in percent.

    Returns
    -------
    Pooled
        Without tau2, I2 from tau2 or a prediction interval, which the model does not have.

    Raises
    ------
    ValueError
        If there are fewer than two trials, or as in `check_effects` and `check_level`.
    """
    y, v = check_effects(yi, vi, at_least=2)
    fit = fit_stack(y, v, method="EE", interval="wald", level=level)
    return Pooled(
        model="common",
        k=y.size,
        **fit.only(*MEAN, *Q),
        q_df=y.size - 1,
        weights=percent_weights(1 / v),
    )


def single_trial(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0) -> Pooled:
    """The result of a single trial with its Wald interval; nothing is pooled.

    Parameters
    ----------
    yi, vi : array_like of shape (1,)
        Effect on the analysis scale and its sampling variance.
    level : float
        Level of the interval in percent.

    Raises
    ------
    ValueError
        If there is not exactly one trial, or as in `check_effects` and `check_level`.
    """
    y, v = check_effects(yi, vi)
    if y.size != 1:
        raise ValueError(f"a single trial was expected, not {y.size}")
    fit = fit_stack(y, v, method="EE", interval="wald", level=level)
    return Pooled(model="single_trial", k=1, **fit.only(*MEAN), weights=(100.0,))
