"""How much each direct comparison contributes to an estimate.

An estimate of one treatment against another is a flow of evidence from the first to the second
through the direct comparisons. A random walk that leaves each treatment along its outgoing flows,
in proportion to them, follows each chain of comparisons with some probability; the probability of a
chain is divided equally among its comparisons.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trial_evidence.network.evidence.graph import direct_comparisons
from trial_evidence.network.fit.league import NetworkFit
from trial_evidence.network.fit.least_squares import laplacian, rotate
from trial_evidence.pool.engine.results import Floats

# Smaller flows are rounding error; the total flow is 1.
NO_FLOW = 1e-10


@dataclass(frozen=True, eq=False)
class Contributions:
    """Contribution of direct comparisons to estimates.

    Attributes
    ----------
    estimates : tuple of (str, str)
        Comparisons with a network estimate, in alphabetical order: rows.
    comparisons : tuple of (str, str)
        Direct comparisons, in alphabetical order: columns.
    shares : numpy.ndarray of float, shape (estimates, comparisons)
        Contribution, 0 to 1; every row sums to 1. NaN if the flow is circular, which only happens
        if the standard errors of a multi-arm study give a comparison a negative weight.
    """

    estimates: tuple[tuple[str, str], ...]
    comparisons: tuple[tuple[str, str], ...]
    shares: Floats


def contributions(fit: NetworkFit) -> Contributions:
    """Contribution of every direct comparison to every random-effects estimate of a network.

    Notes
    -----
    The random walk is attributed to Davies AL, Papakonstantinou T, Nikolakopoulou A, Rücker G,
    Galla T. Stat Med 2022;41:2091-2114; as netmeta's ``netcontrib(method = "randomwalk")``. All
    chains of the same length are computed together, so that their number does not matter.
    """
    league = fit.random
    weights = conductances(fit)
    pairs = tuple(comparison.pair for comparison in direct_comparisons(fit.data))
    into, out = np.array([[fit.data.position[t] for t in pair] for pair in pairs]).T
    estimates, shares = [], []
    for (a, first), (b, second) in combinations(enumerate(league.treatments), 2):
        if np.isnan(league.effects[a, b]):
            continue
        visits = _walk(evidence_flow(fit, weights, a, b), a, b)
        estimates.append((first, second))
        shares.append(visits[into, out] + visits[out, into])
    return Contributions(tuple(estimates), pairs, np.array(shares))


def conductances(fit: NetworkFit) -> Floats:
    """Weight of the direct comparison of every pair of treatments, at the tau2 of a network."""
    weights = -laplacian(rotate(fit.data), fit.tau2 or 0.0)
    np.fill_diagonal(weights, 0.0)
    return weights


def evidence_flow(fit: NetworkFit, weights: Floats, source: int, sink: int) -> Floats:
    """Share of an estimate that flows from each treatment to each other, given `conductances`.

    Returns
    -------
    numpy.ndarray of float, shape (treatments, treatments)
        From the row to the column, at least zero; a total of one leaves the source and enters the
        sink.
    """
    potential = fit.random.covariance[:, source] - fit.random.covariance[:, sink]
    flow = np.maximum(weights * (potential[:, None] - potential[None, :]), 0.0)
    flow[flow < NO_FLOW] = 0.0
    return np.asarray(flow)


def _walk(flow: Floats, source: int, sink: int) -> Floats:
    """Share of every directed comparison in a walk from source to sink."""
    size = flow.shape[0]
    leaving = flow.sum(axis=1, keepdims=True)
    step = np.divide(flow, leaving, out=np.zeros_like(flow), where=leaving > 0)
    step[sink] = 0.0
    # Probability of having come from the source, and of reaching the sink, in a given number of
    # steps.
    here, ahead = np.zeros((size, size)), np.zeros((size, size))
    here[0, source] = ahead[0, sink] = 1.0
    for steps in range(1, size):
        here[steps] = here[steps - 1] @ step
        ahead[steps] = step @ ahead[steps - 1]
    if (here[-1] @ step).max() > NO_FLOW:
        return np.full_like(flow, np.nan)
    length = 1 + np.add.outer(np.arange(size), np.arange(size))
    return np.asarray(step * (here.T @ (1 / length) @ ahead))
