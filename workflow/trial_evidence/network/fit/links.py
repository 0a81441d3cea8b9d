"""The chain of comparisons that an estimate depends on, and its weakest link."""

from dataclasses import dataclass

import numpy as np

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.evidence.graph import DirectComparison, direct_comparisons
from trial_evidence.network.fit.contributions import conductances, evidence_flow
from trial_evidence.network.fit.effect import QTest, q_test
from trial_evidence.network.fit.league import NetworkFit, fit_network
from trial_evidence.pool.engine.results import Floats

# Comparisons with a smaller share of the flow are not links of the chain, unless all are small.
LEAST_FLOW = 0.05
# Cochran's Q has little power with the few trials of a comparison.
DISAGREEMENT_P = 0.10


@dataclass(frozen=True)
class Link:
    """A direct comparison that an estimate rests on.

    Attributes
    ----------
    comparison : DirectComparison
        Its treatments and studies.
    effects : tuple of float
        Effect in each study, the first treatment of the pair against the second, on the analysis
        scale.
    flow : float
        Share of the evidence that flows through it, 0 to 1.
    uncertainty : float
        Its share of the variance that all links add to the estimate, including the scatter of their
        own studies: flow squared, times its variance, times max(1, Q/(studies - 1)).
    scatter : QTest
        Cochran's Q among its studies.
    """

    comparison: DirectComparison
    effects: tuple[float, ...]
    flow: float
    uncertainty: float
    scatter: QTest

    @property
    def disagree(self) -> bool:
        """Whether its studies differ by more than chance."""
        return self.scatter.p_value is not None and self.scatter.p_value < DISAGREEMENT_P


@dataclass(frozen=True)
class EvidencePath:
    """The evidence that an estimate of one treatment against another depends on.

    Attributes
    ----------
    chain : tuple of str
        Treatments from the first to the second along the strongest flow; empty if the standard
        errors of a multi-arm study make the flow circular.
    links : tuple of Link
        Sorted by uncertainty: the first is the weakest, imprecise or with studies that disagree.
    without_weakest : float or None
        Factor by which the standard error grows if the studies of the weakest link are left out, at
        the same tau2; None if no path is left.
    """

    chain: tuple[str, ...]
    links: tuple[Link, ...]
    without_weakest: float | None


def evidence_path(fit: NetworkFit, first: str, second: str) -> EvidencePath:
    """The comparisons that the random-effects estimate of a connected network rests on.

    Notes
    -----
    In a network of resistors the variance of an estimate is the sum over comparisons of the
    squared flow divided by the conductance (attributed to Rücker G. Res Synth Methods
    2012;3:312-324).
    """
    position = fit.data.position
    weights = conductances(fit)
    flow = evidence_flow(fit, weights, position[first], position[second])
    least = min(LEAST_FLOW, (1 - 1e-9) * float(flow.max()))
    found = []
    for comparison in direct_comparisons(fit.data):
        i, j = (position[treatment] for treatment in comparison.pair)
        share, weight = float(max(flow[i, j], flow[j, i])), float(weights[i, j])
        if share >= least and weight > 0:
            effects, scatter = _own(fit.data, comparison)
            inflation = max(1.0, scatter.q / scatter.df) if scatter.df > 0 else 1.0
            found.append((share**2 / weight * inflation, share, comparison, effects, scatter))
    total = sum(entry[0] for entry in found)
    links = sorted(
        (Link(of, effects, share, part / total, q) for part, share, of, effects, q in found),
        key=lambda link: (-link.uncertainty, link.comparison.pair),
    )
    return EvidencePath(
        tuple(fit.data.treatments[at] for at in _chain(flow, position[first], position[second])),
        tuple(links),
        _without(fit, links[0].comparison, first, second),
    )


def _chain(flow: Floats, source: int, sink: int) -> list[int]:
    """Follow the strongest flow from each treatment; empty if this runs in a circle."""
    chain = [source]
    while chain[-1] != sink:
        ahead = int(flow[chain[-1]].argmax())
        if ahead in chain:
            return []
        chain.append(ahead)
    return chain


def _own(data: NetworkData, comparison: DirectComparison) -> tuple[tuple[float, ...], QTest]:
    """Effects of the studies of a comparison, and their scatter."""
    found = np.array([data.named[study].pair(*comparison.pair) for study in comparison.studies])
    effects, weights = found[:, 0], 1 / found[:, 1]
    mean = float(weights @ effects / weights.sum())
    q = float(weights @ (effects - mean) ** 2)
    return tuple(effects.tolist()), q_test(q, effects.size - 1)


def _without(
    fit: NetworkFit, comparison: DirectComparison, first: str, second: str
) -> float | None:
    """Factor by which the standard error grows without the studies of a comparison."""
    rest = tuple(s for s in fit.data.studies if s.study not in comparison.studies)
    if not all(any(t in study.treatments for study in rest) for t in (first, second)):
        return None
    league = fit_network(NetworkData(rest), tau2=fit.tau2 or 0.0).random
    se = float(league.se[league.cell(first, second)])
    return None if np.isnan(se) else se / float(fit.random.se[fit.random.cell(first, second)])
