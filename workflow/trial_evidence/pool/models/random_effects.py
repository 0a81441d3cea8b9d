"""Random-effects and common-effect models by inverse variance."""

import math

import numpy.typing as npt

from trial_evidence.pool.engine.heterogeneity import q_profile
from trial_evidence.pool.engine.many import StackedFit, fit_stack
from trial_evidence.pool.engine.results import (
    Floats,
    ModelName,
    Pooled,
    check_effects,
    check_level,
    percent_weights,
)
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.words.models import PREDICTION_WORDS, random_model


def _value(values: Floats) -> float:
    """The only element of a stack of one."""
    return float(values[0])


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
        Q-profile's.

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
    level = check_level(level)
    fit = fit_stack(
        y,
        v,
        method=tau2_estimator,
        interval=estimate_interval,
        prediction=prediction_interval,
        level=level,
    )
    return _random(
        random_model(tau2_estimator, estimate_interval),
        y,
        v,
        fit,
        level,
        df=None if estimate_interval == "wald" else y.size - 1,
        prediction=prediction_interval,
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
    y, v = check_effects(yi, vi, at_least=2)
    level = check_level(level)
    fit = fit_stack(y, v, method="DL", interval="wald", prediction="t_k_minus_1", level=level)
    return _random("dersimonian_laird", y, v, fit, level, df=None, prediction="t_k_minus_1")


def _random(
    model: ModelName,
    y: Floats,
    v: Floats,
    fit: StackedFit,
    level: float,
    *,
    df: int | None,
    prediction: str,
) -> Pooled:
    tau2_low, tau2_high = q_profile(stack(y, v), level)
    tau2 = _value(fit.tau2)
    predicts = math.isfinite(_value(fit.pi_low))
    return Pooled(
        model=model,
        k=y.size,
        estimate=_value(fit.estimate),
        se=_value(fit.se),
        ci_low=_value(fit.ci_low),
        ci_high=_value(fit.ci_high),
        ci_level=level,
        p_value=_value(fit.p_value),
        df=df,
        tau2=tau2,
        tau2_low=_value(tau2_low),
        tau2_high=_value(tau2_high),
        i2=_value(fit.i2),
        i2_q=_value(fit.i2_q),
        q=_value(fit.q),
        q_df=y.size - 1,
        q_p=_value(fit.q_p),
        pi_low=_value(fit.pi_low) if predicts else None,
        pi_high=_value(fit.pi_high) if predicts else None,
        pi_method=PREDICTION_WORDS[prediction] if predicts else "",
        weights=percent_weights(1 / (v + tau2)),
    )


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
    level = check_level(level)
    fit = fit_stack(y, v, method="EE", interval="wald", level=level)
    return Pooled(
        model="common",
        k=y.size,
        estimate=_value(fit.estimate),
        se=_value(fit.se),
        ci_low=_value(fit.ci_low),
        ci_high=_value(fit.ci_high),
        ci_level=level,
        p_value=_value(fit.p_value),
        df=None,
        tau2=None,
        tau2_low=None,
        tau2_high=None,
        i2=None,
        i2_q=_value(fit.i2_q),
        q=_value(fit.q),
        q_df=y.size - 1,
        q_p=_value(fit.q_p),
        pi_low=None,
        pi_high=None,
        pi_method="",
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

    Returns
    -------
    Pooled

    Raises
    ------
    ValueError
        If there is not exactly one trial, or `check_effects` or `check_level` refuses the input.
    """
    y, v = check_effects(yi, vi)
    level = check_level(level)
    if y.size != 1:
        raise ValueError(f"a single trial was expected, not {y.size}")
    fit = fit_stack(y, v, method="EE", interval="wald", level=level)
    return Pooled(
        model="single_trial",
        k=1,
        estimate=_value(fit.estimate),
        se=_value(fit.se),
        ci_low=_value(fit.ci_low),
        ci_high=_value(fit.ci_high),
        ci_level=level,
        p_value=_value(fit.p_value),
        df=None,
        tau2=None,
        tau2_low=None,
        tau2_high=None,
        i2=None,
        i2_q=None,
        q=None,
        q_df=None,
        q_p=None,
        pi_low=None,
        pi_high=None,
        pi_method="",
        weights=(100.0,),
    )
