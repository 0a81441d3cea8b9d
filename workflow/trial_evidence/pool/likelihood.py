"""Between-trial variance by restricted maximum likelihood, to machine precision.

PyMARE's likelihood search stops when the likelihood no longer changes, which leaves tau2 with
about five digits (three where it is nearly zero), and like every local search it may end on the
lower of two maxima. Here the zeros of the score are bracketed on a grid that must contain them
all, solved, and compared by likelihood with each other and with tau2 = 0.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from trial_evidence.pool.results import Floats

# Points of the grid on which the score changes sign; modes closer than one step are not told apart.
GRID_POINTS = 400


class RestrictedLikelihood:
    """Restricted likelihood of tau2 for trials in groups, each group with its own mean.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        Effects and sampling variances, checked.
    groups : numpy.ndarray of int, shape (k,)
        Group of each trial, 0 to g-1; all zero for a single mean.
    """

    def __init__(self, yi: Floats, vi: Floats, groups: npt.NDArray[np.intp]) -> None:
        self.membership = (groups[:, None] == np.arange(groups.max() + 1)).astype(float)
        # The likelihood does not change with a shift of all effects; small numbers lose less.
        self.yi = yi - yi.mean()
        self.vi = vi

    def _terms(self, tau2: Floats) -> tuple[Floats, Floats, Floats]:
        weights = 1 / (self.vi + tau2[:, None])
        totals = weights @ self.membership
        means = (weights * self.yi) @ self.membership / totals
        residuals = self.yi - means @ self.membership.T
        return weights, totals, residuals

    def value(self, tau2: Floats) -> Floats:
        """Logarithm of the restricted likelihood, up to a constant, at each tau2."""
        weights, totals, residuals = self._terms(tau2)
        log_weights = np.log(weights).sum(axis=1) - np.log(totals).sum(axis=1)
        fitted: Floats = 0.5 * (log_weights - (weights * residuals**2).sum(axis=1))
        return fitted

    def score(self, tau2: Floats) -> Floats:
        """Derivative of `value` (Viechtbauer 2005, equation of the REML estimator)."""
        weights, totals, residuals = self._terms(tau2)
        trace = weights.sum(axis=1) - ((weights**2 @ self.membership) / totals).sum(axis=1)
        slope: Floats = 0.5 * ((weights**2 * residuals**2).sum(axis=1) - trace)
        return slope

    def upper_bound(self) -> float:
        """A tau2 beyond which the score is never positive.

        With w <= 1/tau2 the quadratic part of the score is at most RSS/tau2**2, RSS the
        unweighted residual sum of squares; the trace is at least (k - g)/(tau2 + max vi).
        """
        k, g = self.membership.shape
        means = self.yi @ self.membership / self.membership.sum(axis=0)
        residuals = self.yi - self.membership @ means
        r: float = float(residuals @ residuals) / (k - g)
        return r / 2 + math.sqrt(r * r / 4 + r * float(self.vi.max()))


def reml_tau2(yi: Floats, vi: Floats, groups: npt.NDArray[np.intp] | None = None) -> float:
    """Between-trial variance that maximises the restricted likelihood.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        Effects and sampling variances, checked.
    groups : numpy.ndarray of int, shape (k,), optional
        Group of each trial, 0 to g-1, each with its own mean and all with one tau2. Left out: one
        mean.

    Returns
    -------
    float
        tau2, zero where the likelihood is highest there.

    Raises
    ------
    ValueError
        If there are not more trials than means: every residual is then zero and tau2 has no
        estimate.

    Notes
    -----
    Viechtbauer W. J Educ Behav Stat 2005;30:261-293.
    """
    codes = np.zeros(yi.size, dtype=np.intp) if groups is None else groups
    if yi.size <= codes.max() + 1:
        raise ValueError(
            f"tau2 needs more trials than means: {yi.size} trials, {codes.max() + 1} means"
        )
    likelihood = RestrictedLikelihood(yi, vi, codes)
    top = likelihood.upper_bound()
    if top == 0:
        return 0.0
    bottom = min(top, float(vi.min())) * 1e-6
    grid = np.concatenate([[0.0], np.geomspace(bottom, 1.01 * top, GRID_POINTS)])
    slope = likelihood.score(grid)

    def score(tau2: float) -> float:
        return float(likelihood.score(np.array([tau2]))[0])

    peaks = [0.0] + [
        float(brentq(score, grid[i], grid[i + 1], xtol=1e-16 * bottom, rtol=1e-15, maxiter=500))
        for i in np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    ]
    return peaks[int(np.argmax(likelihood.value(np.array(peaks))))]
