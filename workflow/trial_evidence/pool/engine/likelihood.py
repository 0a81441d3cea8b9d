"""Between-trial variance if the mean depends on covariates or groups.

PyMARE's likelihood search stops when the likelihood no longer changes, which leaves tau2 accurate
to about five digits (three if it is nearly zero), and like every local search it may end at the
lower of two maxima. Here the zeros of the score are bracketed on a grid that covers all of them,
solved, and compared by likelihood with each other and with tau2 = 0.
"""

import math

import numpy as np
from scipy.optimize import brentq

from trial_evidence.pool.engine.results import Floats

# Grid points for finding sign changes of the score; modes within one step are not distinguished.
GRID_POINTS = 400


class Likelihood:
    """Likelihood of tau2 in a mixed-effects model, with the coefficients profiled out.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        Effects and sampling variances, checked.
    design : numpy.ndarray of float, shape (k, coefficients)
        Design matrix of full column rank, with fewer columns than trials.
    restricted : bool
        Use the restricted likelihood (REML); otherwise the full likelihood (ML).
    """

    def __init__(self, yi: Floats, vi: Floats, design: Floats, restricted: bool) -> None:
        # Neither a change of basis nor subtracting what the design explains changes the shape of
        # the likelihood; an orthonormal basis and small residuals lose less to rounding.
        self.design = np.linalg.qr(design)[0]
        self.yi = yi - self.design @ (self.design.T @ yi)
        self.vi = vi
        self.restricted = restricted

    def _terms(self, tau2: Floats) -> tuple[Floats, Floats, Floats]:
        """Weights, cross product of the design, and residuals, for each tau2."""
        weights = 1 / (self.vi + tau2[:, None])
        cross = np.einsum("gk,ki,kj->gij", weights, self.design, self.design)
        moment = np.einsum("gk,ki,k->gi", weights, self.design, self.yi)
        coefficients = np.linalg.solve(cross, moment[:, :, None])[:, :, 0]
        return weights, cross, self.yi - coefficients @ self.design.T

    def value(self, tau2: Floats) -> Floats:
        """Logarithm of the likelihood, up to a constant, at each tau2."""
        weights, cross, residuals = self._terms(tau2)
        log_weights = np.log(weights).sum(axis=1)
        if self.restricted:
            log_weights = log_weights - np.linalg.slogdet(cross)[1]
        return np.asarray(0.5 * (log_weights - (weights * residuals**2).sum(axis=1)))

    def score(self, tau2: Floats) -> Floats:
        """Derivative of `value` (Viechtbauer 2005)."""
        weights, cross, residuals = self._terms(tau2)
        trace = weights.sum(axis=1)
        if self.restricted:
            squared = np.einsum("gk,ki,kj->gij", weights**2, self.design, self.design)
            trace = trace - np.trace(np.linalg.solve(cross, squared), axis1=1, axis2=2)
        return np.asarray(0.5 * ((weights**2 * residuals**2).sum(axis=1) - trace))

    def upper_bound(self) -> float:
        """A tau2 beyond which the score is never positive.

        Since w <= 1/tau2, the quadratic part of the score is at most RSS/tau2**2, where RSS is the
        unweighted residual sum of squares; the trace is at least (k - p)/(tau2 + max vi).
        """
        k, p = self.design.shape
        r: float = float(self.yi @ self.yi) / (k - p)
        return r / 2 + math.sqrt(r * r / 4 + r * float(self.vi.max()))


def mixed_effects_tau2(yi: Floats, vi: Floats, design: Floats, *, restricted: bool = True) -> float:
    """Residual between-trial variance that maximises the likelihood.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        Effects and sampling variances, checked.
    design : numpy.ndarray of float, shape (k, coefficients)
        Design matrix of full column rank.
    restricted : bool
        REML; otherwise ML.

    Returns
    -------
    float
        tau2; zero if the likelihood is highest there.

    Raises
    ------
    ValueError
        Unless there are more trials than coefficients; otherwise every residual is zero and tau2
        cannot be estimated.

    Notes
    -----
    Viechtbauer W. J Educ Behav Stat 2005;30:261-293.
    """
    k, p = design.shape
    if k <= p:
        raise ValueError(f"tau2 needs more trials than means: {k} trials, {p} means")
    likelihood = Likelihood(yi, vi, design, restricted)
    top = likelihood.upper_bound()
    # If the design explains the effects exactly, the residuals are only rounding errors.
    if top <= 1e-28 * float(yi @ yi):
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


def residual_tau2(y: Floats, v: Floats, design: Floats, method: str) -> float:
    """Residual between-trial variance by ``REML``, ``ML`` or ``DL``; zero for ``EE``.

    Raises
    ------
    ValueError
        If the method is unknown, or as in `mixed_effects_tau2`.
    """
    if method == "EE":
        return 0.0
    if method in ("REML", "ML"):
        return mixed_effects_tau2(y, v, design, restricted=method == "REML")
    if method == "DL":
        return _moments(y, v, design)
    raise ValueError(f"tau2 estimator {method!r} is not one of EE, DL, ML, REML")


def _moments(y: Floats, v: Floats, design: Floats) -> float:
    """DerSimonian-Laird tau2: Q minus its degrees of freedom, divided by the trace of P.

    Both are computed on the space orthogonal to the weighted design, which avoids cancellation if
    one trial dominates the weights.
    """
    k, p = design.shape
    root = 1 / np.sqrt(v)
    basis = np.linalg.qr(root[:, None] * np.linalg.qr(design)[0], mode="complete")[0]
    rest = basis[:, p:]
    q = float(((rest.T @ (root * y)) ** 2).sum())
    trace = float(((root[:, None] * rest) ** 2).sum())
    return float(max(0.0, (q - (k - p)) / trace))
