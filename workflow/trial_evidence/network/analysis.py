"""All that is computed of one network: each connected part, and the components over all parts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import Network
from trial_evidence.network.components.additive import (
    AdditivityTest,
    ComponentModel,
    PredictedByAddition,
    additivity_test,
    component_model,
    observed_and_predicted,
)
from trial_evidence.network.components.interactions import Interaction, estimate_interaction
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.evidence.nodes import Node
from trial_evidence.network.evidence.rows import NetworkEvidence
from trial_evidence.network.fit.contributions import Contributions, contributions
from trial_evidence.network.fit.evidence_split import Split, split_evidence
from trial_evidence.network.fit.inconsistency import Inconsistency, inconsistency
from trial_evidence.network.fit.league import NetworkFit, fit_network
from trial_evidence.network.fit.ranking import Ranking, rank_treatments
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.engine.refusals import Refused

LEADING = "REML"
BESIDE = "DL"


@dataclass(frozen=True)
class PartAnalysis:
    """One connected part of a network.

    Attributes
    ----------
    number : int
        1 for the largest part.
    data : NetworkData
    reference : str
        The regimen that the others are shown against.
    fit, beside : NetworkFit
        With tau2 by REML, and by DerSimonian and Laird.
    ranking : Ranking
    splits : tuple of Split
        Direct against indirect evidence by direct comparison.
    inconsistency : Inconsistency
    contributions : Contributions
    """

    number: int
    data: NetworkData
    reference: str
    fit: NetworkFit
    beside: NetworkFit
    ranking: Ranking
    splits: tuple[Split, ...]
    inconsistency: Inconsistency
    contributions: Contributions


@dataclass(frozen=True)
class ComponentAnalysis:
    """The additive component model over all parts, and interactions beside it.

    Attributes
    ----------
    model, common : ComponentModel or Refused
        With tau2 by REML, and without heterogeneity.
    test : AdditivityTest or Refused
    predictions : tuple of PredictedByAddition
        Every regimen against the reference of its part, observed and as a sum of components.
    interactions : tuple of (tuple of str, Interaction or Refused)
        Components, and what they do together beyond the sum.
    """

    model: ComponentModel | Refused
    common: ComponentModel | Refused
    test: AdditivityTest | Refused
    predictions: tuple[PredictedByAddition, ...]
    interactions: tuple[tuple[tuple[str, str], Interaction | Refused], ...]


@dataclass(frozen=True)
class NetworkAnalysis:
    """A network, analysed; nothing but its evidence where no trial is left.

    Attributes
    ----------
    evidence : NetworkEvidence
    level : float
        Level of the intervals in percent.
    parts : tuple of PartAnalysis
        The largest first.
    components : ComponentAnalysis or None
    """

    evidence: NetworkEvidence
    level: float
    parts: tuple[PartAnalysis, ...]
    components: ComponentAnalysis | None

    @property
    def labels(self) -> Mapping[str, str]:
        """Short names of the agents."""
        return self.evidence.labels

    @property
    def network(self) -> Network:
        """Its entry in the configuration."""
        return self.evidence.network

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Nodes by regimen."""
        return self.evidence.nodes

    def natural(self, value: float) -> float:
        """A value as it is printed: the exponential of a logarithm, a difference as it is."""
        return value if self.network.measure == "risk_difference" else math.exp(value)

    def part_of(self, regimen: str) -> PartAnalysis:
        """The part that holds a regimen."""
        return next(part for part in self.parts if regimen in part.data.treatments)


def analyse(evidence: NetworkEvidence, configuration: Configuration) -> NetworkAnalysis:
    """Fit a network part by part, and its components over all parts.

    Parameters
    ----------
    evidence : NetworkEvidence
    configuration : Configuration
        Level of the intervals and prior of tau.

    Returns
    -------
    NetworkAnalysis
    """
    level = configuration.confidence_level
    if evidence.data is None:
        return NetworkAnalysis(evidence, level, (), None)
    ordered = sorted(
        evidence.data.parts,
        key=lambda part: (-len(part.treatments), -len(part.studies), part.treatments),
    )
    parts = tuple(
        _part(number, part, evidence, level) for number, part in enumerate(ordered, start=1)
    )
    kind = "difference" if evidence.network.measure == "risk_difference" else "log_ratio"
    prior = HalfNormal(configuration.tau_prior_scale[kind])
    components = _components(evidence, evidence.data, [p.reference for p in parts], prior, level)
    return NetworkAnalysis(evidence, level, parts, components)


def reference_of(data: NetworkData, wanted: str, nodes: Mapping[str, Node]) -> str:
    """The regimen that a part of a network is shown against.

    Parameters
    ----------
    data : NetworkData
        A connected part.
    wanted : str
        The regimen that the configuration names.
    nodes : mapping
        Nodes by regimen.

    Returns
    -------
    str
        That one where the part holds it; else the regimen compared in most trials, among equals
        the one with the fewest components, then the first in the alphabet.
    """
    if wanted in data.treatments:
        return wanted
    trials = {t: sum(t in study.treatments for study in data.studies) for t in data.treatments}
    return min(trials, key=lambda t: (-trials[t], len(nodes[t].components), t))


def _part(number: int, data: NetworkData, evidence: NetworkEvidence, level: float) -> PartAnalysis:
    network = evidence.network
    fit = fit_network(data, LEADING, level=level)
    return PartAnalysis(
        number=number,
        data=data,
        reference=reference_of(data, network.reference, evidence.nodes),
        fit=fit,
        beside=fit_network(data, BESIDE, level=level),
        ranking=rank_treatments(fit, higher_is_better=not network.small_is_good),
        splits=split_evidence(fit),
        inconsistency=inconsistency(data, LEADING),
        contributions=contributions(fit),
    )


def _components(
    evidence: NetworkEvidence,
    data: NetworkData,
    references: Sequence[str],
    prior: HalfNormal,
    level: float,
) -> ComponentAnalysis:
    of = {regimen: node.components for regimen, node in evidence.nodes.items()}
    predictions: list[PredictedByAddition] = []
    parts = sorted(data.parts, key=lambda part: part.treatments)
    for reference in references:
        found = observed_and_predicted(data, of, reference, method=LEADING, level=level)
        if isinstance(found, Refused):
            continue
        (part,) = (part for part in parts if reference in part.treatments)
        predictions += [row for row in found if row.treatment in part.treatments]
    return ComponentAnalysis(
        model=component_model(data, of, method=LEADING, level=level),
        common=component_model(data, of, method="EE", level=level),
        test=additivity_test(data, of, method=LEADING),
        predictions=tuple(predictions),
        interactions=tuple(
            (pair, _interaction(data, of, pair, prior, level))
            for pair in evidence.network.interactions
        ),
    )


def _interaction(
    data: NetworkData,
    components: Mapping[str, Sequence[str]],
    pair: tuple[str, str],
    prior: HalfNormal,
    level: float,
) -> Interaction | Refused:
    known = {component for treatment in data.treatments for component in components[treatment]}
    missing = [component for component in pair if component not in known]
    if missing:
        return Refused(f"No regimen of the network holds {' or '.join(missing)}.")
    return estimate_interaction(data, components, pair, prior, method=LEADING, level=level)
