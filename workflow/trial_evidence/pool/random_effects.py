"""Random-effects and common-effect models by inverse variance."""

import math

import numpy as np
import numpy.typing as npt
from pymare import Dataset
from pymare.estimators import DerSimonianLaird, WeightedLeastSquares
from pymare.stats import q_gen, q_profile
from scipy.stats import chi2, norm, t

from trial_evidence.pool.likelihood import reml_tau2
from trial_evidence.pool.results import (
    Floats,
    Pooled,
    check_effects,
    check_level,
    percent_weights,
)

PREDICTION_T = "t distribution with k-1 degrees of freedom"


def _heterogeneity(yi: Floats, vi: Floats) -> tuple[float, int, float, float]:
    """Cochran's Q, its degrees of freedom and p value, and I2 from Q in percent."""
    df = yi.size - 1
    q = float(q_gen(yi[:, None], vi[:, None], np.ones((yi.size, 1)), 0.0)[0])
    i2 = 100 * (q - df) / q if q > df else 0.0
    return q, df, float(chi2.sf(q, df)), i2


def _i2_from_tau2(vi: Floats, tau2: float) -> float:
    """I2 in percent: tau2 against itself and the typical sampling variance.

    Typical variance by Higgins JPT, Thompson SG. Stat Med 2002;21:1539-1558, equation 9.
    """
    w = 1 / vi
    typical = (vi.size - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
    return float(100 * tau2 / (tau2 + typical))


def _tau2_interval(yi: Floats, vi: Floats, level: float) -> tuple[float, float]:
    limits = q_profile(yi, vi, np.ones((yi.size, 1)), alpha=1 - level / 100)
    return float(limits["ci_l"]), float(limits["ci_u"])


def _prediction(
    estimate: float, se: float, tau2: float, k: int, level: float
) -> tuple[float, float]:
    half = float(t.ppf(0.5 + level / 200, k - 1)) * math.sqrt(tau2 + se**2)
    return estimate - half, estimate + half


def _weighted(
    yi: Floats, vi: Floats, tau2: float, correction: str, level: float
) -> dict[str, float]:
    """Weighted mean at a given tau2 with standard error, interval and p value."""
    model = WeightedLeastSquares(tau2=tau2, small_sample_correction=correction)
    model.fit_dataset(Dataset(yi, vi))
    stats = model.summary().get_fe_stats(alpha=1 - level / 100)
    return {name: float(stats[name].item()) for name in ("est", "se", "ci_l", "ci_u", "p")}


def reml_hartung_knapp(yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0) -> Pooled:
    """Random-effects model by REML with the conservative Hartung-Knapp interval.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Pooled
        Interval and test on t with k-1 degrees of freedom. The Hartung-Knapp variance is the Wald
        variance times ``max(1, Q(tau2)/(k-1))``, so the interval is never narrower than Wald's.
        The prediction interval is on t with k-1 degrees of freedom with variance
        ``tau2 + se**2``, se the same floored Hartung-Knapp standard error.

    Raises
    ------
    ValueError
        If there are fewer than two trials, or `check_effects` or `check_level` refuses the input.

    Notes
    -----
    Viechtbauer 2005 (REML); Hartung & Knapp 2001 and Röver, Knapp & Friede 2015 (interval and its
    floor); Viechtbauer 2007 (Q-profile); Higgins, Thompson & Spiegelhalter 2009 (prediction).
    The same as metafor's ``rma(method="REML", test="adhoc")``.
    """
    y, v = check_effects(yi, vi, at_least=2)
    level = check_level(level)
    tau2 = reml_tau2(y, v)
    fit = _weighted(y, v, tau2, "knapp-hartung-conservative", level)
    return _random(y, v, tau2, fit, level, hartung_knapp=True)


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
    estimator = DerSimonianLaird(small_sample_correction="wald")
    estimator.fit(y[:, None], v[:, None], np.ones((y.size, 1)))
    tau2 = float(np.ravel(estimator.params_["tau2"])[0])
    return _random(y, v, tau2, _weighted(y, v, tau2, "wald", level), level, hartung_knapp=False)


def _random(
    y: Floats, v: Floats, tau2: float, fit: dict[str, float], level: float, *, hartung_knapp: bool
) -> Pooled:
    q, q_df, q_p, i2_q = _heterogeneity(y, v)
    tau2_low, tau2_high = _tau2_interval(y, v, level)
    pi_low, pi_high = _prediction(fit["est"], fit["se"], tau2, y.size, level)
    return Pooled(
        model="random_reml_hk" if hartung_knapp else "dersimonian_laird",
        k=y.size,
        estimate=fit["est"],
        se=fit["se"],
        ci_low=fit["ci_l"],
        ci_high=fit["ci_u"],
        ci_level=level,
        p_value=fit["p"],
        df=y.size - 1 if hartung_knapp else None,
        tau2=tau2,
        tau2_low=tau2_low,
        tau2_high=tau2_high,
        i2=_i2_from_tau2(v, tau2),
        i2_q=i2_q,
        q=q,
        q_df=q_df,
        q_p=q_p,
        pi_low=pi_low,
        pi_high=pi_high,
        pi_method=PREDICTION_T,
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
    fit = _weighted(y, v, 0.0, "wald", level)
    q, q_df, q_p, i2_q = _heterogeneity(y, v)
    return Pooled(
        model="common",
        k=y.size,
        estimate=fit["est"],
        se=fit["se"],
        ci_low=fit["ci_l"],
        ci_high=fit["ci_u"],
        ci_level=level,
        p_value=fit["p"],
        df=None,
        tau2=None,
        tau2_low=None,
        tau2_high=None,
        i2=None,
        i2_q=i2_q,
        q=q,
        q_df=q_df,
        q_p=q_p,
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
    estimate, se = float(y[0]), math.sqrt(v[0])
    half = float(norm.ppf(0.5 + level / 200)) * se
    return Pooled(
        model="single_trial",
        k=1,
        estimate=estimate,
        se=se,
        ci_low=estimate - half,
        ci_high=estimate + half,
        ci_level=level,
        p_value=float(2 * norm.sf(abs(estimate) / se)),
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
