"""How much information a pooled result needs, and how much a trial of a given size provides."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from trial_evidence.measures import Measure
from trial_evidence.pool.engine.results import Floats

# Variance of a log hazard ratio times its events, with half of them in each arm.
VARIANCE_OF_ONE_EVENT = 4.0
_EDGE = 1e-9


def risk_with(measure: Measure, control_risk: float, effect: float) -> float:
    """The experimental risk at which a measure of counts has this effect; NaN if there is none.

    Parameters
    ----------
    measure : Measure
        A measure computed from counts.
    control_risk : float
        Between 0 and 1.
    effect : float
        On the analysis scale.
    """

    def beyond(risk: float) -> float:
        return float(measure.effects([risk], [1.0], [control_risk], [1.0]).yi[0]) - effect

    if not 0 < control_risk < 1 or beyond(_EDGE) > 0 or beyond(1 - _EDGE) < 0:
        return math.nan
    return float(brentq(beyond, _EDGE, 1 - _EDGE, xtol=1e-14, rtol=1e-13))


def variance_of_one_patient(measure: Measure, control_risk: float, effect: float) -> float:
    """Variance of a measure of counts times the number of patients per arm, for equal arms.

    Parameters
    ----------
    measure : Measure
        A measure computed from counts.
    control_risk : float
        Between 0 and 1.
    effect : float
        On the analysis scale; the result is NaN if no experimental risk gives this effect.
    """
    risk = risk_with(measure, control_risk, effect)
    if math.isnan(risk):
        return math.nan
    return float(measure.effects([risk], [1.0], [control_risk], [1.0]).vi[0])


def events_required(log_ratio: float, alpha: float, power: float) -> float:
    """Number of events with which a trial with equal arms detects a hazard ratio.

    Parameters
    ----------
    log_ratio : float
        Log hazard ratio.
    alpha, power : float
        In percent, alpha two-sided.

    Notes
    -----
    4 ((z(1 - alpha/2) + z(power)) / log ratio)^2: Schoenfeld DA. Biometrics 1983;39:499-503.
    """
    return float(4 * (_quantiles(alpha, power) / log_ratio) ** 2)


def patients_required(
    control_risk: float, experimental_risk: float, alpha: float, power: float
) -> float:
    """Total number of patients (both arms) with which a difference between two risks is detected.

    Parameters
    ----------
    control_risk, experimental_risk : float
        Between 0 and 1.
    alpha, power : float
        In percent, alpha two-sided.

    Notes
    -----
    4 (z(1 - alpha/2) + z(power))^2 p (1 - p) / (difference)^2, where p is the mean of the risks:
    Wetterslev J, Thorlund K, Brok J, Gluud C. J Clin Epidemiol 2008;61:64-75.
    """
    mean = (control_risk + experimental_risk) / 2
    z = _quantiles(alpha, power)
    return 4 * z**2 * mean * (1 - mean) / (experimental_risk - control_risk) ** 2


def diversity(vi: Floats, tau2: float) -> float:
    """Diversity D2: the share of the pooled information that is lost to heterogeneity.

    Parameters
    ----------
    vi : numpy.ndarray of float, shape (k,)
        Sampling variances.
    tau2 : float
        Between-trial variance.

    Notes
    -----
    1 - variance of the common effect / variance of the random-effects mean. The required
    information is divided by 1 - D2. Wetterslev J, Thorlund K, Brok J, Gluud C. BMC Med Res
    Methodol 2009;9:86.
    """
    return float(1 - np.sum(1 / (vi + tau2)) / np.sum(1 / vi))


def _quantiles(alpha: float, power: float) -> float:
    return float(ndtri(1 - alpha / 200) + ndtri(power / 100))
