"""Generalised least squares for a whole network, and the estimate of tau2.

The contrasts of a study against its base arm have covariance V + tau2 G, where G has ones on the
diagonal and one half elsewhere: the heterogeneity of every pairwise comparison is the same tau2. V
and G can be diagonalised simultaneously, independently of tau2. Each study then consists of
independent observations with variances d + tau2. The design stays sparse, with at most one entry
per arm in a row, and the only matrices to invert have the size of the number of treatments.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq
from scipy.sparse import csr_array

from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts
from trial_evidence.pool.engine.results import Floats

METHODS = ("EE", "DL", "ML", "REML")

# Step of the search for sign changes of the slope of the likelihood, in
# log(1 + tau2/smallest variance).
SEARCH_STEP = 0.5


def check_method(method: str) -> None:
    """Raise a ValueError for an unknown estimator of tau2."""
    if method not in METHODS:
        raise ValueError(f"tau2 estimator {method!r} is not one of {', '.join(METHODS)}")


@dataclass(frozen=True, eq=False)
class Rotated:
    """The contrasts of a network as independent observations.

    Attributes
    ----------
    effects : numpy.ndarray of float, shape (contrasts,)
        Rotated effects, on the analysis scale.
    variances : numpy.ndarray of float, shape (contrasts,)
        Their sampling variances, to which tau2 is added.
    design : scipy.sparse.csr_array, shape (contrasts, treatments)
        Rotated design, one column per treatment; every row sums to zero.
    kept : numpy.ndarray of int, shape (treatments - subnetworks,)
        Treatments that are parameters: all but the first of every subnetwork.
    """

    effects: Floats
    variances: Floats
    design: csr_array
    kept: npt.NDArray[np.intp]

    @property
    def df(self) -> int:
        """Number of observations minus number of parameters."""
        return int(self.effects.size - self.kept.size)

    @cached_property
    def reduced(self) -> csr_array:
        """Design of the parameters, with full column rank."""
        return csr_array(self.design[:, self.kept])


@dataclass(frozen=True, eq=False)
class Solution:
    """Generalised least squares at one tau2.

    Attributes
    ----------
    levels : numpy.ndarray of float, shape (treatments,)
        Effect of each treatment against the first of its subnetwork.
    covariance : numpy.ndarray of float, shape (treatments, treatments)
        Covariance of the levels.
    q : float
        Weighted squared residuals, with the weights 1/(variance + tau2).
    """

    levels: Floats
    covariance: Floats
    q: float


def rotate(data: NetworkData) -> Rotated:
    """Transform the contrasts of a network into independent observations.

    Parameters
    ----------
    data : NetworkData
        Connected or not.
    """
    alike: dict[int, list[StudyContrasts]] = defaultdict(list)
    for study in data.studies:
        alike[study.effects.size].append(study)
    effects, variances = [], []
    design = np.zeros((sum(study.effects.size for study in data.studies), len(data.treatments)))
    before = 0
    for size, studies in sorted(alike.items()):
        root = np.linalg.cholesky(0.5 * (np.eye(size) + np.ones((size, size))))
        inverse = np.linalg.inv(root)
        covariance = np.stack([study.covariance for study in studies])
        d, vectors = np.linalg.eigh(inverse @ covariance @ inverse.T)
        turn = vectors.swapaxes(1, 2) @ inverse
        y = np.einsum("kij,kj->ki", turn, np.stack([study.effects for study in studies]))
        places = np.array([[data.position[t] for t in study.treatments] for study in studies])
        row = before + np.arange(y.size).reshape(y.shape)
        # An observation weights the non-base arms by the rotation, and the base arm so that the
        # weights sum to zero.
        arms = np.concatenate([-turn.sum(axis=2)[:, :, None], turn], axis=2)
        design[row[:, :, None], places[:, None, :]] = arms
        effects.append(y.ravel())
        variances.append(d.ravel())
        before += y.size
    first = np.unique(data.labels, return_index=True)[1]
    kept = np.setdiff1d(np.arange(len(data.treatments)), first)
    joined = np.concatenate(effects), np.concatenate(variances)
    return Rotated(*joined, design=csr_array(design), kept=kept)


def _cross(design: csr_array, weights: Floats) -> Floats:
    """The weighted cross product of a design."""
    weighted = design.multiply(weights[:, None])
    return np.asarray((design.T @ weighted).toarray(), dtype=float)


def laplacian(observations: Rotated, tau2: float) -> Floats:
    """The weighted Laplacian of the network, seen as an electrical one.

    Parameters
    ----------
    observations : Rotated
        From `rotate`.
    tau2 : float
        Between-study variance.

    Returns
    -------
    numpy.ndarray of float, shape (treatments, treatments)
        Off the diagonal, minus the weight (conductance) of the direct comparison of two treatments,
        with the arms of multi-arm studies reweighted for their correlation; rows sum to zero.

    Notes
    -----
    Attributed to Rücker G. Res Synth Methods 2012;3:312-324.
    """
    return _cross(observations.design, 1 / (observations.variances + tau2))


class _At:
    """Normal equations at one tau2."""

    def __init__(self, observations: Rotated, tau2: float) -> None:
        self.design = observations.reduced
        self.weights = 1 / (observations.variances + tau2)
        self.factor = cho_factor(_cross(self.design, self.weights), lower=True)
        moment = self.design.T @ (self.weights * observations.effects)
        self.coefficients: Floats = cho_solve(self.factor, moment)
        self.residuals: Floats = observations.effects - self.design @ self.coefficients
        self.q = float((self.weights * self.residuals**2).sum())

    def trace(self) -> float:
        """Trace of the residual projection P = W - W X (X'WX)^-1 X'W."""
        squared = _cross(self.design, self.weights**2)
        return float(self.weights.sum() - np.trace(cho_solve(self.factor, squared)))

    def slope(self, restricted: bool) -> float:
        """Twice the derivative of the log likelihood."""
        trace = self.trace() if restricted else float(self.weights.sum())
        return float((self.weights**2 * self.residuals**2).sum()) - trace

    def value(self, restricted: bool) -> float:
        """Twice the log likelihood, up to a constant."""
        result = float(np.log(self.weights).sum()) - self.q
        if restricted:
            result -= 2 * float(np.log(np.diag(self.factor[0])).sum())
        return result


def solve(observations: Rotated, tau2: float) -> Solution:
    """Generalised least squares at a given tau2.

    Parameters
    ----------
    observations : Rotated
        From `rotate`.
    tau2 : float
        Between-study variance, not negative.
    """
    fit = _At(observations, tau2)
    kept = observations.kept
    levels = np.zeros(observations.design.shape[1])
    levels[kept] = fit.coefficients
    covariance = np.zeros((levels.size, levels.size))
    inverse = cho_solve(fit.factor, np.eye(kept.size))
    covariance[np.ix_(kept, kept)] = (inverse + inverse.T) / 2
    return Solution(levels=levels, covariance=covariance, q=fit.q)


def estimate_tau2(parts: Sequence[Rotated], method: str) -> float | None:
    """Between-study variance common to all comparisons.

    Parameters
    ----------
    parts : sequence of Rotated
        A network; or several that share no treatment, each with its own parameters.
    method : str
        ``EE`` (zero: the common-effect model), ``DL``, ``ML`` or ``REML``.

    Returns
    -------
    float or None
        None if there are no more observations than parameters, and so no information on
        heterogeneity.

    Raises
    ------
    ValueError
        If the method is unknown.

    Notes
    -----
    ``DL``: residual Q at tau2 = 0 has expectation ``df + tau2 tr(P)``; the network form of
    DerSimonian and Laird is attributed to Jackson D, White IR, Riley RD. Stat Med 2012;31:
    3805-3820, and is netmeta's. ``ML``, ``REML``: every local maximum of the likelihood lies
    between two points of a grid where the slope changes sign; the highest is taken, including zero
    as a candidate.
    """
    check_method(method)
    if method == "EE":
        return 0.0
    df = sum(part.df for part in parts)
    if df < 1:
        return None
    if method == "DL":
        fits = [_At(part, 0.0) for part in parts]
        return max((sum(fit.q for fit in fits) - df) / sum(fit.trace() for fit in fits), 0.0)
    return _maximum_likelihood(parts, restricted=method == "REML")


def _upper_bound(parts: Sequence[Rotated]) -> float:
    """A tau2 beyond which the likelihood never increases.

    With w <= 1/tau2 the quadratic part of the slope is at most RSS/tau2**2, RSS the unweighted
    residual sum of squares; the trace is at least df/(tau2 + largest variance).
    """
    equal = [replace(part, variances=np.ones_like(part.variances)) for part in parts]
    squares = sum(_At(part, 0.0).q for part in equal)
    mean_square = squares / sum(part.df for part in parts)
    largest = max(float(part.variances.max()) for part in parts)
    return mean_square / 2 + math.sqrt(mean_square**2 / 4 + mean_square * largest)


def _maximum_likelihood(parts: Sequence[Rotated], *, restricted: bool) -> float:
    smallest = min(float(part.variances.min()) for part in parts)
    reach = math.log1p(1.01 * _upper_bound(parts) / smallest)
    steps = max(math.ceil(reach / SEARCH_STEP), 1)
    grid = smallest * np.expm1(np.linspace(0.0, reach, steps + 1))

    def slope(tau2: float) -> float:
        return sum(_At(part, tau2).slope(restricted) for part in parts)

    def value(tau2: float) -> float:
        return sum(_At(part, tau2).value(restricted) for part in parts)

    # Where the slope crosses zero downward; zero itself if the slope is negative there.
    at = [slope(point) for point in grid.tolist()]
    peaks = [] if at[0] > 0 else [0.0]
    peaks += [
        float(brentq(slope, low, high, xtol=1e-15 * smallest, rtol=1e-14, maxiter=500))
        for (low, high), (rising, falling) in zip(
            pairwise(grid.tolist()), pairwise(at), strict=True
        )
        if rising > 0 >= falling
    ]
    return max(peaks or [0.0], key=value)
