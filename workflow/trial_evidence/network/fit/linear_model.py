"""Linear models of a network's contrasts, in terms of any coding of its treatments.

After rotation (`trial_evidence.network.fit.least_squares.rotate`), the contrasts of multi-arm
studies are independent observations with variances d + tau2, so that the methods of meta-regression
apply unchanged.
"""

from collections.abc import Mapping

import numpy as np

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.least_squares import check_method, rotate
from trial_evidence.pool.engine.likelihood import residual_tau2
from trial_evidence.pool.engine.results import Floats

# Designs are rotated from entries of -1, 0 and 1: anything smaller than this, relative to the
# largest, is rounding error.
RANK_TOLERANCE = 1e-9


class Observations:
    """Independent observations equivalent to the contrasts, for inference on the coefficients.

    Parameters
    ----------
    data : NetworkData
        Studies; connected or not.
    rows : mapping of str to numpy.ndarray of float, shape (coefficients,)
        Coding of every treatment; the row of a contrast is the difference of two of these, and at
        least one contrast has a non-zero row.

    Attributes
    ----------
    effects : numpy.ndarray of float, shape (observations,)
        Rotated effects, on the analysis scale; as many per study as it has arms beyond the first.
    variances : numpy.ndarray of float, shape (observations,)
        Their sampling variances, to which tau2 is added.
    design : numpy.ndarray of float, shape (observations, coefficients)
        Rotated design.
    basis : numpy.ndarray of float, shape (coefficients, rank)
        Orthonormal basis of the row space of the design: the combinations of coefficients on which
        the studies carry information.
    rank, df : int
        Rank of the design, and number of observations beyond it.
    reduced : numpy.ndarray of float, shape (observations, rank)
        Design of full column rank.
    """

    def __init__(self, data: NetworkData, rows: Mapping[str, Floats]) -> None:
        rotated = rotate(data)
        self.effects, self.variances = rotated.effects, rotated.variances
        table = np.array([rows[treatment] for treatment in data.treatments])
        self.design = np.asarray(rotated.design @ table, dtype=float)
        _, singular, right = np.linalg.svd(self.design, full_matrices=False)
        kept = singular > RANK_TOLERANCE * max(float(singular.max(initial=0.0)), 1.0)
        self.basis: Floats = right[kept].T
        self.rank = self.basis.shape[1]
        self.df = self.effects.size - self.rank
        self.reduced: Floats = self.design @ self.basis

    def estimable(self, functional: Floats) -> bool:
        """Whether the studies determine a linear function of the coefficients."""
        residual = functional - self.basis @ (self.basis.T @ functional)
        size = max(float(np.abs(functional).max(initial=0.0)), 1.0)
        return bool(np.abs(residual).max(initial=0.0) <= RANK_TOLERANCE * size)


class LinearFit:
    """Generalised least squares at one tau2.

    Attributes
    ----------
    observations : Observations
        What was fitted.
    tau2 : float
        Between-study variance, not negative.
    solution : numpy.ndarray of float, shape (rank,)
        Estimates of the estimable combinations ``basis.T @ coefficients``.
    covariance : numpy.ndarray of float, shape (rank, rank)
        Their covariance.
    q : float
        Weighted squared residuals with the weights 1/(variance + tau2).
    """

    def __init__(self, observations: Observations, tau2: float) -> None:
        self.observations, self.tau2 = observations, tau2
        root = 1 / np.sqrt(observations.variances + tau2)
        left, triangle = np.linalg.qr(root[:, None] * observations.reduced)
        inverse = np.linalg.inv(triangle)
        weighted = root * observations.effects
        inside = left.T @ weighted
        residuals = weighted - left @ inside
        self.solution = inverse @ inside
        self.covariance = inverse @ inverse.T
        self.q = float(residuals @ residuals)

    def estimate(self, functional: Floats) -> tuple[float, float]:
        """Estimate and standard error of a linear function of the coefficients.

        Parameters
        ----------
        functional : numpy.ndarray of float, shape (coefficients,)
            Its multipliers.

        Returns
        -------
        estimate, se : float
            NaN if the studies do not determine it.
        """
        if not self.observations.estimable(functional):
            return float("nan"), float("nan")
        inside = self.observations.basis.T @ functional
        variance = max(float(inside @ self.covariance @ inside), 0.0)
        return float(inside @ self.solution), float(np.sqrt(variance))


def fit(observations: Observations, method: str) -> LinearFit:
    """Fit by generalised least squares with an estimated tau2.

    Parameters
    ----------
    observations : Observations
        Of the coefficients.
    method : str
        Estimator of tau2: ``EE`` (zero, the common effect), ``DL``, ``ML`` or ``REML``.

    Returns
    -------
    LinearFit
        tau2 is zero if there are no more observations than coefficients to estimate it from.

    Raises
    ------
    ValueError
        If the method is unknown.

    Notes
    -----
    ``DL`` is the method of moments: the residual Q at tau2 = 0 has expectation
    ``df + tau2 tr(P)``, P the residual projection of the weights. For contrasts of multi-arm
    studies the same as netmeta's.
    """
    check_method(method)
    if observations.df < 1:
        return LinearFit(observations, 0.0)
    parts = (observations.effects, observations.variances, observations.reduced)
    return LinearFit(observations, residual_tau2(*parts, method))
