"""Does the effect depend on the control risk? A regression that allows for error in both."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, expit, logit

from trial_evidence.measures.effects import logit_proportion
from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.engine.results import Floats, Refused, check_level, too_few
from trial_evidence.pool.models.bivariate import (
    BivariateFit,
    TwoEffects,
    log_likelihood_at,
    profile_interval,
)
from trial_evidence.pool.models.counts import Counts
from trial_evidence.pool.probes.meta_regression import TRIALS_A_COVARIATE

WHY = "with fewer, the slope on the control risk would be a matter of chance"


class WithLimits(NamedTuple):
    """An estimate with its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class EffectAt:
    """The effect predicted at a control risk, on three scales."""

    control_risk: float
    odds_ratio: WithLimits
    risk_ratio: WithLimits
    risk_difference: WithLimits


@dataclass(frozen=True)
class ControlRiskRegression:
    """Regression of the log odds ratio on the logit of the true control risk.

    Attributes
    ----------
    slope, slope_low, slope_high : float
        Change of the log odds ratio per unit of the logit, with its profile-likelihood interval.
    p_value : float
        Likelihood-ratio test of no slope.
    tau2 : float
        Variance of the true log odds ratios around the line.
    mean : tuple of float
        Logit of the control risk and log odds ratio of the average trial.
    mean_covariance : numpy.ndarray of float, shape (2, 2)
        Covariance of these means.
    slope_variance : float
        Variance of the slope from the expected information.
    level : float
        Level of the intervals in percent.
    """

    slope: float
    slope_low: float
    slope_high: float
    p_value: float
    tau2: float
    mean: tuple[float, float]
    mean_covariance: Floats
    slope_variance: float
    level: float

    def at(self, control_risk: float) -> EffectAt:
        """The mean effect in trials with this true control risk.

        Notes
        -----
        The interval is a Wald interval on the log odds ratio; by the expected information, the
        means and the slope are independent. Risk ratio and difference follow from the odds ratio
        and the control risk.
        """
        beyond = float(logit(control_risk)) - self.mean[0]
        step = np.array([-self.slope, 1.0])
        variance = float(step @ self.mean_covariance @ step) + beyond**2 * self.slope_variance
        half = normal_quantile(self.level) * math.sqrt(variance)
        middle = self.mean[1] + self.slope * beyond
        logs = (middle, middle - half, middle + half)
        treated = [float(expit(logit(control_risk) + value)) for value in logs]
        return EffectAt(
            control_risk,
            WithLimits(*map(math.exp, logs)),
            WithLimits(*(risk / control_risk for risk in treated)),
            WithLimits(*(risk - control_risk for risk in treated)),
        )


def control_risk_regression(
    counts: Counts, level: float = 95.0, *, forced: bool = False
) -> ControlRiskRegression | Refused:
    """Regress the log odds ratios of trials on the true logit of their control risk.

    Parameters
    ----------
    counts : Counts
        Two-by-two tables of the trials; 0.5 is added to both counts of an arm with no events or
        with events in all patients.
    level : float
        Level of the intervals in percent.
    forced : bool
        Fit even with few trials.

    Notes
    -----
    In a naive regression the observed control risk appears on both sides, so that chance alone
    gives a slope. Here the two true logits of a trial are bivariate normal and the observed ones
    vary around them independently; the sampling covariance of the log odds ratio with the control
    logit is then -v0. Maximum likelihood. Thompson, Smith & Sharp 1997; Arends et al. 2000; van
    Houwelingen, Arends & Stijnen 2002, whose example it reproduces.
    """
    check_level(level)
    k = len(np.asarray(counts.events_c))
    what = "A regression on the control risk"
    if refused := too_few(k, TRIALS_A_COVARIATE, what, WHY, forced=forced):
        return refused
    control = logit_proportion(counts.events_c, counts.n_c)
    treated = logit_proportion(counts.events_e, counts.n_e)
    data = TwoEffects(
        (control.yi, control.vi), (treated.yi - control.yi, control.vi + treated.vi), -control.vi
    )
    found = BivariateFit(data)
    if not found.has_line:
        return Refused("The control risks of the trials do not differ by more than chance.")
    low, high = profile_interval(data, found, "slope", level)
    ratio = 2 * (found.log_likelihood - log_likelihood_at(data, found, slope=0.0))
    return ControlRiskRegression(
        slope=found.slope,
        slope_low=low,
        slope_high=high,
        p_value=float(chdtrc(1, max(ratio, 0.0))),
        tau2=found.residual_sd**2,
        mean=found.mean,
        mean_covariance=found.mean_covariance,
        slope_variance=found.slope_variance,
        level=level,
    )
