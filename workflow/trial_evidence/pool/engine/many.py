"""Random-effects models for one set of trials or for millions, with the same arithmetic.

A set of trials is a column of an array. Columns are processed in chunks, so that memory is bounded
and cost is linear. A single analysis is a stack of one.
"""

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.bootstrap_prediction import bootstrap_prediction_interval
from trial_evidence.pool.engine.heterogeneity import heterogeneity, i2_from_tau2
from trial_evidence.pool.engine.intervals import (
    confidence_interval,
    prediction_interval,
    weighted_mean,
)
from trial_evidence.pool.engine.results import Floats, check_level
from trial_evidence.pool.engine.stacks import Stack, by_chunks, stack
from trial_evidence.pool.engine.tau2 import estimate_tau2
from trial_evidence.words.models import BOOTSTRAP

# Numbers (studies times analyses) processed at a time: temporary arrays fit the CPU cache.
CHUNK = 49_152


@dataclass(frozen=True)
class StackedFit:
    """Results of many analyses; every field has shape (analyses,).

    Attributes
    ----------
    k : numpy.ndarray of float
        Studies.
    estimate, se : numpy.ndarray of float
        Mean effect, and the standard error that its interval uses.
    ci_low, ci_high, p_value : numpy.ndarray of float
        Confidence interval and two-sided test against no effect.
    pi_low, pi_high : numpy.ndarray of float
        Prediction interval; NaN if undefined.
    tau2 : numpy.ndarray of float
        Between-trial variance; zero for a single study, which cannot estimate it.
    i2 : numpy.ndarray of float
        I2 from tau2, in percent; zero for the common effect.
    q, q_p, i2_q : numpy.ndarray of float
        Cochran's Q, its p value, and I2 from it in percent.
    """

    k: Floats
    estimate: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    p_value: Floats
    pi_low: Floats
    pi_high: Floats
    tau2: Floats
    i2: Floats
    q: Floats
    q_p: Floats
    i2_q: Floats

    def only(self, *names: str) -> dict[str, Any]:
        """Named fields of a single-analysis stack as floats."""
        return {name: float(getattr(self, name)[0]) for name in names}


class FitChoices(TypedDict, total=False):
    """Keyword arguments of `fit_stack`, for callers that pass them on."""

    method: str
    interval: str
    prediction: str
    level: float


def fit_stack(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    method: str = "REML",
    interval: str = "hartung_knapp_conservative",
    prediction: str = "conservative_k_minus_1",
    level: float = 95.0,
) -> StackedFit:
    """Fit one model to every column.

    Parameters
    ----------
    yi, vi : array_like of shape (studies, analyses) or (studies,)
        Effects on the analysis scale and their sampling variances; NaN in both pads analyses with
        fewer studies.
    method : str
        Estimator of tau2, see `trial_evidence.pool.engine.tau2.estimate_tau2`; ``EE`` is the
        common-effect model.
    interval : str
        Interval of the mean, see `trial_evidence.pool.engine.intervals.confidence_interval`.
    prediction : str
        Interval for a new trial, see `trial_evidence.pool.engine.intervals.prediction_interval`; or
        ``bootstrap``, which does not depend on `method` and takes a few milliseconds per analysis
        (`trial_evidence.pool.engine.bootstrap_prediction.bootstrap_prediction_interval`).
    level : float
        Level of the intervals in percent.

    Returns
    -------
    StackedFit
        Every analysis has an estimate; for a single study it is the study's own, with its Wald
        interval.

    Raises
    ------
    ValueError
        If an effect cannot be pooled, a name is unknown or the level is not a percentage.
    """
    check_level(level)
    whole = stack(yi, vi)

    def fit(part: Stack) -> dict[str, Floats]:
        tau2 = estimate_tau2(part, method)
        mean = weighted_mean(part, tau2)
        if prediction == BOOTSTRAP:
            pi_low, pi_high = _bootstrap(part, level)
        else:
            pi_low, pi_high = prediction_interval(mean, prediction, level)
        return {
            "k": mean.k,
            "estimate": mean.estimate,
            **confidence_interval(mean, interval, level),
            "pi_low": pi_low,
            "pi_high": pi_high,
            "tau2": tau2,
            "i2": i2_from_tau2(part, tau2),
            **heterogeneity(part),
        }

    return StackedFit(**by_chunks(whole, CHUNK // max(len(whole.yi), 1), fit))


def _bootstrap(part: Stack, level: float) -> tuple[Floats, Floats]:
    """Bootstrap prediction limits of each analysis; NaN for a single study."""
    limits = np.full((2, part.k.size), np.nan)
    there = part.present
    for at in np.flatnonzero(part.k > 1):
        own = there[:, at]
        limits[:, at] = bootstrap_prediction_interval(part.yi[own, at], part.vi[own, at], level)
    return limits[0], limits[1]
