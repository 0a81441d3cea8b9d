"""Prediction interval from the confidence distribution of tau2 (parametric bootstrap)."""

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.results import Floats, check_effects, check_level

DRAWS = 25_000
MOST_CELLS = 2_000_000


def _spread_of_q(vi: Floats) -> Floats:
    """Eigenvalues e_j in the distribution of Q: a sum of (1 + tau2 e_j) times chi2 on 1 df.

    The e_j are the eigenvalues of the diagonal matrix of weights, restricted to the space
    orthogonal to the square roots of the weights. The chi2 variables are independent.
    """
    w = 1 / vi
    roots = np.sqrt(w / w.sum())
    # A Householder reflection maps the roots to the first axis; the others span the complement.
    axis = roots.copy()
    axis[0] += 1.0
    reflection = np.eye(vi.size) - 2 * np.outer(axis, axis) / (axis @ axis)
    basis = reflection[:, 1:]
    return np.asarray(np.linalg.eigvalsh(basis.T @ (w[:, None] * basis)))


def tau2_confidence_draws(y: Floats, v: Floats, draws: int, random: np.random.Generator) -> Floats:
    """Draws from the confidence distribution of tau2.

    Parameters
    ----------
    y, v : numpy.ndarray of float, shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    draws : int
        Number of draws.
    random : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    numpy.ndarray of float, shape (draws,)
        Zero with the probability that, without heterogeneity, Q is at least as large as observed.

    Notes
    -----
    The distribution function at t is the probability that Q under t is at least the observed Q
    (Nagashima K, Noma H, Furukawa TA. Stat Methods Med Res 2019;28:1689-1702). Q under t is
    the sum of (1 + t e_j) X_j with X_j chi2 on one degree of freedom. For each draw of the X_j,
    exactly one t gives the observed Q, and this t has exactly the required distribution, so no
    numerical inversion is needed.
    """
    w = 1 / v
    centred = y - y.mean()
    q = float((w * (centred - (w @ centred) / w.sum()) ** 2).sum())
    spread = _spread_of_q(v)
    found = []
    for part in _in_parts(np.empty(draws), y.size):
        chi2 = random.chisquare(1.0, (part.size, spread.size))
        found.append((q - chi2.sum(axis=1)) / (chi2 @ spread))
    return np.asarray(np.maximum(np.concatenate(found), 0.0))


def _in_parts(draws: Floats, k: int) -> list[Floats]:
    """Draws in parts small enough that a matrix of draws by k trials uses little memory."""
    return np.array_split(draws, max(1, draws.size * k // MOST_CELLS))


def bootstrap_prediction_interval(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    level: float = 95.0,
    *,
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[float, float]:
    """Interval for the effect in a new trial that allows for the uncertainty of tau2.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    level : float
        Level in percent.
    draws : int
        Number of draws. At the default, the Monte Carlo error of a limit is 1% to 4% of half the
        width of the interval, and larger with fewer trials.
    seed : int
        Seed of the random numbers; the same seed gives the same interval.

    Returns
    -------
    low, high : float
        Quantiles of mean + z tau - t se over the draws: tau2 from its confidence distribution, the
        mean and the Hartung-Knapp standard error with the weights at that tau2, z normal, t on
        k-1 degrees of freedom.

    Raises
    ------
    ValueError
        If there are fewer than two trials or 100 draws, or as in `check_effects` and `check_level`.

    Notes
    -----
    Nagashima K, Noma H, Furukawa TA. Stat Methods Med Res 2019;28:1689-1702.
    """
    y, v = check_effects(yi, vi, at_least=2)
    tail = 0.5 - check_level(level) / 200
    if draws < 100:
        raise ValueError(f"a prediction interval needs at least 100 draws, not {draws}")
    # The order of the trials must not matter: in a fixed order, sums are rounded identically.
    order = np.lexsort((v, y))
    y, v = y[order], v[order]
    random = np.random.default_rng(seed)
    tau2 = tau2_confidence_draws(y, v, draws, random)
    z, t = random.standard_normal(draws), random.standard_t(y.size - 1, draws)
    shift = float(y.mean())
    found = []
    for part in _in_parts(tau2, y.size):
        w = 1 / (v + part[:, None])
        total = w.sum(axis=1)
        mean = w @ (y - shift) / total
        squares = (w * (y - shift - mean[:, None]) ** 2).sum(axis=1)
        found.append((mean, np.sqrt(squares / (y.size - 1) / total)))
    mean, se = map(np.concatenate, zip(*found, strict=True))
    new = mean + z * np.sqrt(tau2) - t * se
    low, high = np.quantile(new, [tail, 1 - tail])
    return float(low) + shift, float(high) + shift
