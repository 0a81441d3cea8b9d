"""The complete analysis of one network: each connected part, and the components over all parts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import Network
from trial_evidence.measures import MEASURES
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
from trial_evidence.network.evidence.nodes import Node, nodes_of
from trial_evidence.network.evidence.rows import NetworkEvidence
from trial_evidence.network.fit.contributions import Contributions, contributions
from trial_evidence.network.fit.evidence_split import Split, readable, split_evidence
from trial_evidence.network.fit.inconsistency import Inconsistency, inconsistency
from trial_evidence.network.fit.league import NetworkFit, fit_network
from trial_evidence.network.fit.posterior import NetworkPosterior
from trial_evidence.network.fit.ranking import Ranking, rank_treatments
from trial_evidence.network.models import LEADING, NetworkModel, network_models
from trial_evidence.pool.bayes.priors import TauPrior, model_priors
from trial_evidence.pool.engine.results import Refused
from trial_evidence.words.models import CAUTIOUS

ESTIMATOR = "REML"
SECOND_ESTIMATOR = "DL"


@dataclass(frozen=True)
class PartAnalysis:
    """One connected part of a network.

    Attributes
    ----------
    number : int
        1 for the largest part.
    reference : str
        The regimen that the others are compared with.
    fit, second_fit : NetworkFit
        With tau2 by REML, and by DerSimonian and Laird.
    models : tuple of NetworkModel
        Every model with its intervals; one of them has the leading role.
    splits : tuple of Split
        Direct and indirect evidence for each direct comparison.
    """

    number: int
    data: NetworkData
    reference: str
    fit: NetworkFit
    second_fit: NetworkFit
    models: tuple[NetworkModel, ...]
    ranking: Ranking
    splits: tuple[Split, ...]
    inconsistency: Inconsistency
    contributions: Contributions

    @property
    def leading(self) -> NetworkModel:
        """The model whose intervals are shown first."""
        return next(model for model in self.models if model.role == LEADING)

    @property
    def has_loop(self) -> bool:
        """Whether designs could disagree at all."""
        return self.inconsistency.between.df > 0


@dataclass(frozen=True)
class ComponentAnalysis:
    """The additive component model over all parts, and interactions one at a time.

    Attributes
    ----------
    model, common : ComponentModel or Refused
        With tau2 by REML, and without heterogeneity.
    predictions : tuple of PredictedByAddition
        Every regimen against the reference of its part, observed and as a sum of components.
    interactions : tuple of (tuple of str, Interaction or Refused)
        Pairs of components, and their joint effect beyond the sum.
    """

    model: ComponentModel | Refused
    common: ComponentModel | Refused
    test: AdditivityTest | Refused
    predictions: tuple[PredictedByAddition, ...]
    interactions: tuple[tuple[tuple[str, str], Interaction | Refused], ...]


@dataclass(frozen=True)
class NetworkAnalysis:
    """An analysed network; only its evidence if no trial is left.

    ``level`` of the intervals is in percent; the largest of the ``parts`` is first.
    """

    evidence: NetworkEvidence
    level: float
    parts: tuple[PartAnalysis, ...]
    components: ComponentAnalysis | None

    @property
    def network(self) -> Network:
        """Its entry in the configuration."""
        return self.evidence.network

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Nodes by regimen."""
        return self.evidence.nodes

    @property
    def added(self) -> dict[str, float]:
        """Effect of adding each component, on the analysis scale, if the trials determine it."""
        model = self.components.model if self.components else None
        effects = model.components if isinstance(model, ComponentModel) else ()
        return {effect.name: effect.estimate for effect in effects if not effect.reason}

    def natural(self, value: float) -> float:
        """A value as printed: ratios back-transformed from logarithms, differences unchanged."""
        return float(MEASURES[self.network.measure].scale.to_natural(value))

    def interval(self, model: NetworkModel, at: tuple[int, int]) -> list[float]:
        """Estimate and limits of a comparison, as printed."""
        return [self.natural(m[at]) for m in (model.effects, model.ci_low, model.ci_high)]

    def benefit(self, model: NetworkModel, at: tuple[int, int]) -> float:
        """Probability that the first regimen is better; NaN for a model without a posterior."""
        below = float(model.below_zero[at])
        return below if self.network.fewer_is_better else 1 - below

    def codes(self, *regimens: str) -> tuple[str, ...]:
        """Short names of regimens, whether or not the network has trials of them."""
        about = self.evidence
        named = nodes_of(set(regimens) - {*self.nodes}, about.labels, about.abbreviations)
        return tuple((self.nodes.get(r) or named[r]).code for r in regimens)

    def trial_names(self, studies: Iterable[str]) -> str:
        """Trials, named as in figures."""
        trials = self.evidence.trials.set_index("trial_id")["label"]
        return "; ".join(trials[list(studies)])

    @cached_property
    def part_of(self) -> Mapping[str, PartAnalysis]:
        """The part that contains each regimen."""
        return {regimen: part for part in self.parts for regimen in part.data.treatments}


def analyse(evidence: NetworkEvidence, configuration: Configuration) -> NetworkAnalysis:
    """Fit a network part by part, and its components over all parts."""
    level = configuration.confidence_level
    if evidence.data is None:
        return NetworkAnalysis(evidence, level, (), None)
    ordered = sorted(
        evidence.data.parts,
        key=lambda part: (-len(part.treatments), -len(part.studies), part.treatments),
    )
    parts = tuple(
        _part(n, part, evidence, configuration) for n, part in enumerate(ordered, start=1)
    )
    # Interactions are differences of effects, for which the empirical prior was not derived.
    prior = model_priors(configuration.tau_priors[evidence.network.measure])[CAUTIOUS]
    return NetworkAnalysis(evidence, level, parts, _components(evidence, parts, prior, level))


def reference_of(data: NetworkData, wanted: str, nodes: Mapping[str, Node]) -> str:
    """The regimen that the others in a connected part are compared with.

    The configured one if the part contains it; otherwise the regimen in most trials, then the one
    with the fewest components, then the first in alphabetical order.
    """
    if wanted in data.treatments:
        return wanted
    trials = {t: sum(t in study.treatments for study in data.studies) for t in data.treatments}
    return min(trials, key=lambda t: (-trials[t], len(nodes[t].components), t))


def _part(
    number: int, data: NetworkData, evidence: NetworkEvidence, configuration: Configuration
) -> PartAnalysis:
    network, level = evidence.network, configuration.confidence_level
    fit, second_fit = (
        fit_network(data, method, level=level) for method in (ESTIMATOR, SECOND_ESTIMATOR)
    )
    priors = model_priors(configuration.tau_priors[network.measure])
    posteriors = {name: NetworkPosterior(data, prior, level) for name, prior in priors.items()}
    return PartAnalysis(
        number=number,
        data=data,
        reference=reference_of(data, network.reference, evidence.nodes),
        fit=fit,
        second_fit=second_fit,
        models=tuple(network_models(fit, second_fit, posteriors, configuration.pooling)),
        ranking=rank_treatments(fit, higher_is_better=not network.fewer_is_better),
        splits=tuple(
            readable(split, data, network.least_indirect_share) for split in split_evidence(fit)
        ),
        inconsistency=inconsistency(data, ESTIMATOR),
        contributions=contributions(fit),
    )


def _components(
    evidence: NetworkEvidence, parts: Sequence[PartAnalysis], prior: TauPrior, level: float
) -> ComponentAnalysis:
    data = evidence.data
    assert data is not None
    of = {regimen: node.components for regimen, node in evidence.nodes.items()}
    known = {component for treatment in data.treatments for component in of[treatment]}
    predictions: list[PredictedByAddition] = []
    for part in parts:
        found = observed_and_predicted(data, of, part.reference, method=ESTIMATOR, level=level)
        if not isinstance(found, Refused):
            predictions += [row for row in found if row.treatment in part.data.treatments]

    def interaction(pair: tuple[str, str]) -> Interaction | Refused:
        if missing := [component for component in pair if component not in known]:
            return Refused(f"No regimen of the network holds {' or '.join(missing)}.")
        return estimate_interaction(data, of, pair, prior, method=ESTIMATOR, level=level)

    return ComponentAnalysis(
        model=component_model(data, of, method=ESTIMATOR, level=level),
        common=component_model(data, of, method="EE", level=level),
        test=additivity_test(data, of, method=ESTIMATOR),
        predictions=tuple(predictions),
        interactions=tuple((pair, interaction(pair)) for pair in evidence.network.interactions),
    )
