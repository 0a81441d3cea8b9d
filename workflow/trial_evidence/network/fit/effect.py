"""Results of a fit: an effect with its Wald interval and test, and tests of Q."""

import math
from dataclasses import dataclass

from scipy.special import chdtrc

from trial_evidence.pool.engine import results


@dataclass(frozen=True)
class Effect:
    """An effect on the analysis scale.

    Attributes
    ----------
    estimate, se : float
        NaN if the studies do not determine it.
    ci_low, ci_high, p_value : float
        Wald interval, and two-sided test of no effect.
    name : str
        What it is the effect of.
    reason : str
        Why there is no estimate; empty if there is one.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    name: str = ""
    reason: str = ""


def wald(estimate: float, se: float, level: float, name: str = "") -> Effect:
    """An effect with its interval at a level in percent; no test if the standard error is zero."""
    return Effect(**results.wald(estimate, se, results.check_level(level)), name=name)


def absent(name: str, reason: str) -> Effect:
    """A missing effect, with the reason."""
    return Effect(math.nan, math.nan, math.nan, math.nan, math.nan, name, reason)


@dataclass(frozen=True)
class QTest:
    """A Q statistic with its chi2 test; no p value without degrees of freedom."""

    q: float
    df: int
    p_value: float | None


def q_test(q: float, df: int) -> QTest:
    """Test a sum of squares, which may be negative by rounding; zero without degrees of freedom."""
    if df <= 0:
        return QTest(0.0, df, None)
    return QTest(max(q, 0.0), df, float(chdtrc(df, max(q, 0.0))))
