"""Interactions of components: the synergy that the whole network shows, and its evidence base."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from trial_evidence.network.components.additive import TIMES, Components, interaction_observations
from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts
from trial_evidence.network.fit.effect import Effect, wald
from trial_evidence.network.fit.linear_model import Observations, fit
from trial_evidence.network.fit.posterior import DesignPosterior
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.engine.results import Floats, Refused, check_level


@dataclass(frozen=True)
class Identification:
    """The studies that an interaction rests on.

    Attributes
    ----------
    alone : tuple of str
        Studies that determine it by themselves: with all of the components, each of them and none.
    with_pair : bool
        Whether the studies that include all the components determine it without others.
    resting_on : tuple of (str, tuple of (str, str))
        If they do not: each study that completes them, and the pairs of components that must be
        additive for this.
    needed : bool
        Whether nothing else determines it: without the studies in ``resting_on`` it cannot be
        estimated.
    """

    alone: tuple[str, ...]
    with_pair: bool
    resting_on: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    needed: bool


def identification(
    data: NetworkData, components: Components, interaction: Sequence[str]
) -> Identification:
    """Which studies identify an interaction that the whole network determines."""
    together = set(interaction)

    def held(compared: Iterable[tuple[str, ...]]) -> set[str]:
        return {c for treatments in compared for t in treatments for c in components[t]}

    # Studies that compare the same treatments are equivalent here.
    @cache
    def determined(compared: frozenset[tuple[str, ...]], *others: tuple[str, str]) -> bool:
        """Whether the differences between arms separate the interaction from all other terms."""
        names = held(compared)
        if not together <= names:
            return False
        pairs = [set(pair) for pair in others if set(pair) <= names]
        terms = [together, *({name} for name in names), *pairs]
        rows = [
            [(term <= set(components[t])) - (term <= set(components[base])) for term in terms]
            for base, *treatments in compared
            for t in treatments
        ]
        asked = np.eye(1, len(terms))
        return bool(np.linalg.matrix_rank(np.vstack([rows, asked])) == np.linalg.matrix_rank(rows))

    def compared(studies: Iterable[StudyContrasts]) -> frozenset[tuple[str, ...]]:
        return frozenset(study.treatments for study in studies)

    def holds(study: StudyContrasts) -> bool:
        return any(together <= set(components[t]) for t in study.treatments)

    own = compared(filter(holds, data.studies))
    rest = [study for study in data.studies if not holds(study)]
    alone = tuple(study.study for study in data.studies if determined(compared([study])))
    if determined(own):
        return Identification(alone, True, (), False)
    resting_on = []
    for study in rest:
        completed = own | {study.treatments}
        if determined(completed):
            pairs = [p for p in combinations(sorted(held(completed)), 2) if set(p) != together]
            supposed = tuple(p for p in pairs if not determined(completed, p))
            resting_on.append((study.study, supposed))
    named = {name for name, _ in resting_on}
    others = compared(study for study in data.studies if study.study not in named)
    return Identification(
        alone, False, tuple(resting_on), bool(resting_on) and not determined(others)
    )


class InteractionPosterior:
    """Posterior of one interaction; it and all other effects have flat priors.

    By the quadrature of `trial_evidence.network.fit.posterior`, without sampling.

    Parameters
    ----------
    observations : Observations
        From `trial_evidence.network.components.additive.interaction_observations`.
    functional : numpy.ndarray of float, shape (coefficients,)
        The interaction, or another estimable function of the coefficients.
    prior : TauPrior
        Prior of the between-study standard deviation.
    level : float
        Level of the intervals in percent.

    Attributes
    ----------
    median, ci_low, ci_high : float
        On the analysis scale, with the shortest interval.
    probability_above_zero : float
        Probability that the joint effect of the components exceeds the sum of their effects. For a
        response this is the probability of synergy, for a hazard ``1 - probability_above_zero`` is.
    mixture : NormalMixtures
        The posterior itself, a mixture of normals over tau.
    tau : TauPosterior
        Posterior of the between-study standard deviation; its ``prior`` is that of tau.

    Raises
    ------
    ValueError
        If the level is not a percentage or the function is not estimable.
    """

    def __init__(
        self, observations: Observations, functional: Floats, prior: TauPrior, level: float = 95.0
    ) -> None:
        level = check_level(level)
        self.tau = DesignPosterior(observations, prior)
        self.mixture, _ = self.tau.of(functional[None, :])
        self.median = float(self.mixture.quantile(np.array([0.5]))[0])
        self.ci_low, self.ci_high, *_ = (float(x[0]) for x in self.mixture.intervals(level / 100))
        self.probability_above_zero = 1 - float(self.mixture.cdf(np.zeros(1))[0])


@dataclass(frozen=True)
class Interaction:
    """One interaction, added alone to the additive terms.

    Attributes
    ----------
    effect : Effect
        Estimate, Wald interval and test, on the analysis scale.
    posterior : InteractionPosterior
        Its Bayesian counterpart.
    tau2 : float
        Between-study variance of the model with the interaction.
    studies_with, studies_apart : int
        Studies with an arm that contains all the components, and those of them in which another arm
        contains some of them. A study without an arm with none of them does not show an interaction
        by itself.
    identified : Identification
        The studies it rests on.
    confounded_with : tuple of str
        Other pairs of components whose interaction explains the same observations: with one of them
        in the model the other cannot be estimated, and which of them acts is unknown.
    """

    effect: Effect
    posterior: InteractionPosterior
    tau2: float
    studies_with: int
    studies_apart: int
    identified: Identification
    confounded_with: tuple[str, ...]


def estimate_interaction(
    data: NetworkData,
    components: Components,
    interaction: Sequence[str],
    prior: TauPrior,
    *,
    method: str = "REML",
    level: float = 95.0,
) -> Interaction | Refused:
    """The joint effect of a set of components beyond the sum of their effects.

    Parameters
    ----------
    data, components, method, level
        As for `trial_evidence.network.components.additive.component_model`.
    interaction : sequence of str
        Two or more components.
    prior : TauPrior
        Prior of the between-study standard deviation.

    Returns
    -------
    Interaction or Refused
        Refused, with the reason, if the studies do not determine the interaction.

    Raises
    ------
    ValueError
        As `trial_evidence.network.components.additive.component_model`.
    """
    found = interaction_observations(data, components, interaction)
    if isinstance(found, Refused):
        return found
    observations, functional = found
    fitted = fit(observations, method)
    together = set(interaction)
    held = [[together & set(components[t]) for t in study.treatments] for study in data.studies]
    with_all = [arms for arms in held if together in arms]
    return Interaction(
        effect=wald(*fitted.estimate(functional), level, TIMES.join(interaction)),
        posterior=InteractionPosterior(*found, prior, level),
        tau2=fitted.tau2,
        studies_with=len(with_all),
        studies_apart=sum(any(arm and arm != together for arm in arms) for arms in with_all),
        identified=identification(data, components, interaction),
        confounded_with=confounded_with(data, components, interaction),
    )


def confounded_with(
    data: NetworkData, components: Components, interaction: Sequence[str]
) -> tuple[str, ...]:
    """Pairs of components whose interaction cannot be distinguished from a given estimable one.

    In alphabetical order: pairs that are estimable alone in addition to the additive terms, but not
    together with this one.
    """
    held = (sorted(set(components[treatment])) for treatment in data.treatments)
    pairs = {pair for names in held for pair in combinations(names, 2)}

    def refused(*terms: Sequence[str]) -> bool:
        return isinstance(interaction_observations(data, components, *terms), Refused)

    return tuple(
        TIMES.join(pair)
        for pair in sorted(pairs)
        if set(pair) != set(interaction) and not refused(pair) and refused(pair, interaction)
    )
