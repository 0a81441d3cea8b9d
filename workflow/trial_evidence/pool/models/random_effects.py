"""Random-effects and common-effect models by inverse variance."""

import math
from dataclasses import replace

import numpy.typing as npt

from trial_evidence.pool.engine.heterogeneity import q_profile
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.results import Pooled, check_effects, percent_weights
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.words.models import PREDICTION_WORDS, random_model

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
    """Random-effects model by inverse variance, with the estimator and the intervals of choice.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the intervals in percent.
    tau2_estimator, estimate_interval, prediction_interval : str
        As the method, interval and prediction of `trial_evidence.pool.engine.many.fit_stack`.

    Returns
    -------
    Pooled
        Named after estimator and interval (`trial_evidence.words.models.random_model`). Limits of a
        prediction interval that has no degrees of freedom are None. The interval of tau2 is
        Q-profile's; None where its set is empty, which metafor gives as 0 to 0.

    Raises
    ------
    ValueError
        If there are fewer than two trials, a name is unknown, or `check_effects` or `check_level`
        refuses the input.

    Notes
    -----
    Viechtbauer 2005 (REML); Hartung & Knapp 2001 and Röver, Knapp & Friede 2015 (interval and its
    floor); Viechtbauer 2007 (Q-profile); Higgins, Thompson & Spiegelhalter 2009 (prediction).
    The same as metafor's ``rma(method="REML", test="adhoc")`` and its relatives.
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
        ci_level=level,
        **fit.only(*MEAN, *Q, "i2", *(("pi_low", "pi_high") if predicts else ())),
        df=None if estimate_interval == "wald" else y.size - 1,
        tau2=tau2,
        # An upper limit of zero: no tau2 makes effects so much alike, and the set is empty.
        tau2_low=float(tau2_low[0]) if tau2_high[0] > 0 else None,
        tau2_high=float(tau2_high[0]) if tau2_high[0] > 0 else None,
        q_df=y.size - 1,
        pi_method=PREDICTION_WORDS[prediction_interval] if predicts else "",
        weights=percent_weights(1 / (v + tau2)),
    )


def dersimonian_laird_wald(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0) -> Pooled:
    """Random-effects model by DerSimonian and Laird with the Wald interval.

    Kept to show what the older default makes of the same trials: for few trials its interval is
    too narrow.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Pooled
        The prediction interval is on t with k-1 degrees of freedom with the Wald standard error.

    Raises
    ------
    ValueError
        If there are fewer than two trials, or `check_effects` or `check_level` refuses the input.

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
    """Common-effect model: one effect in all trials, weights by inverse variance.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the interval in percent.

    Returns
    -------
    Pooled
        Without tau2, I2 from tau2 and prediction interval, which the model does not know.

    Raises
    ------
    ValueError
        If there are fewer than two trials, or `check_effects` or `check_level` refuses the input.
    """
    y, v = check_effects(yi, vi, at_least=2)
    fit = fit_stack(y, v, method="EE", interval="wald", level=level)
    return Pooled(
        model="common",
        k=y.size,
        ci_level=level,
        **fit.only(*MEAN, *Q),
        q_df=y.size - 1,
        weights=percent_weights(1 / v),
    )


def single_trial(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0) -> Pooled:
    """The result of the only trial there is, with its Wald interval: nothing is pooled.

    Parameters
    ----------
    yi, vi : array_like of shape (1,)
        Effect on the analysis scale and its sampling variance.
    level : float
        Level of the interval in percent.

    Raises
    ------
    ValueError
        If there is not exactly one trial, or `check_effects` or `check_level` refuses the input.
    """
    y, v = check_effects(yi, vi)
    if y.size != 1:
        raise ValueError(f"a single trial was expected, not {y.size}")
    fit = fit_stack(y, v, method="EE", interval="wald", level=level)
    return Pooled(model="single_trial", k=1, ci_level=level, **fit.only(*MEAN), weights=(100.0,))
