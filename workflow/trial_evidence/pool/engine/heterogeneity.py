"""Heterogeneity between studies: Q, I2, and the interval of tau2."""

import numpy as np
from scipy.special import chdtrc, chdtri

from trial_evidence.pool.engine.results import Floats, check_level
from trial_evidence.pool.engine.stacks import Stack
from trial_evidence.pool.engine.tau2 import solve_weighted_squares, weighted_squares


def heterogeneity(stack: Stack) -> dict[str, Floats]:
    """Cochran's Q, its p value and I2 from Q, as fields of `StackedFit`.

    Parameters
    ----------
    stack : Stack
        Analyses.

    Returns
    -------
    dict of str to numpy.ndarray of float, shape (analyses,)
        ``q`` around the common effect, ``q_p`` from chi2 (1 for a single study), and ``i2_q`` in
        percent, zero if Q is below its degrees of freedom.

    Notes
    -----
    Cochran 1954; Higgins & Thompson 2002.
    """
    q = weighted_squares(stack, np.zeros(stack.k.size))
    df = (stack.k - 1).astype(float)
    p = np.where(df > 0, chdtrc(np.maximum(df, 1.0), q), 1.0)
    excess = np.maximum(q - df, 0.0)
    i2 = 100 * np.divide(excess, q, out=np.zeros_like(q), where=(excess > 0) & (df > 0))
    return {"q": q, "q_p": p, "i2_q": i2}


def i2_from_tau2(stack: Stack, tau2: Floats) -> Floats:
    """I2 in percent: tau2 as a share of tau2 plus the typical sampling variance.

    Parameters
    ----------
    stack : Stack
        Analyses.
    tau2 : numpy.ndarray of float, shape (analyses,)
        Between-trial variances; the limits of an interval of tau2 give that of I2.

    Returns
    -------
    numpy.ndarray of float, shape (analyses,)
        Zero for a single study.

    Notes
    -----
    Typical variance by Higgins JPT, Thompson SG. Stat Med 2002;21:1539-1558, equation 9.
    """
    w = 1 / stack.vi
    total = w.sum(axis=0)
    df = stack.k - 1
    # total**2 minus the sum of w**2, without cancellation if one weight dominates.
    rest = (w * (total - w)).sum(axis=0)
    ratio = df * total / np.where(df > 0, rest, 1.0)
    with np.errstate(invalid="ignore"):
        share = tau2 / (tau2 + ratio)
    return np.where(df > 0, 100 * np.where(np.isinf(tau2), 1.0, share), 0.0)


def q_profile(stack: Stack, level: float = 95.0) -> tuple[Floats, Floats]:
    """Interval of tau2 by profiling Q.

    Parameters
    ----------
    stack : Stack
        Analyses.
    level : float
        Level in percent.

    Returns
    -------
    low, high : numpy.ndarray of float, shape (analyses,)
        The tau2 at which Q equals the upper and the lower quantile of chi2 with k - 1 degrees of
        freedom; zero if Q is smaller even at tau2 = 0 (if both limits are zero, the effects are
        more similar than expected by chance). NaN for a single study.

    Raises
    ------
    ValueError
        If the level is not a percentage.

    Notes
    -----
    Viechtbauer W. Stat Med 2007;26:37-52.
    """
    tail = 0.5 - check_level(level) / 200
    low, high = np.full(stack.k.size, np.nan), np.full(stack.k.size, np.nan)
    several = stack.k > 1
    part = stack.take(several)
    df = (part.k - 1).astype(float)
    low[several] = solve_weighted_squares(part, np.asarray(chdtri(df, tail), dtype=float))
    high[several] = solve_weighted_squares(part, np.asarray(chdtri(df, 1 - tail), dtype=float))
    return low, high
