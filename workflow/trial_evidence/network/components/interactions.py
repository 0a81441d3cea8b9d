"""Interactions of components: the synergy that the whole network shows, and its posterior."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trial_evidence.network.components.additive import TIMES, Components, interaction_observations
from trial_evidence.network.components.identification import Identification, identification
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.effect import Effect, wald
from trial_evidence.network.fit.linear_model import Observations, fit
from trial_evidence.network.fit.posterior import DesignPosterior
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.engine.results import Floats, Refused, check_level


class InteractionPosterior:
    """Posterior of one interaction; it and all other effects have flat priors.

    By the quadrature of `trial_evidence.network.fit.posterior`: no sampling.

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
        Probability that together the components do more than their effects add up to. Whether
        that is synergy depends on the outcome: for a response it is, for a hazard
        ``1 - probability_above_zero`` is.
    mixture : NormalMixtures
        The posterior itself, a mixture of normals over tau.
    tau : TauPosterior
        Posterior of the between-study standard deviation; its ``prior`` is that of tau.

    Raises
    ------
    ValueError
        If the level is no percentage or the function is not estimable.
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
    """One interaction, alone in addition to the additive terms.

    Attributes
    ----------
    effect : Effect
        Estimate, Wald interval and test, on the analysis scale.
    posterior : InteractionPosterior
        Its Bayesian counterpart.
    tau2 : float
        Between-study variance of the model with the interaction.
    studies_with, studies_apart : int
        Studies with an arm that holds all the components, and those of them in which another arm
        holds some of them. None shows an interaction by itself that lacks an arm with none.
    identified : Identification
        What it rests on.
    confounded_with : tuple of str
        Other pairs of components whose interaction explains the same observations: with either in
        the model the other cannot be estimated, and which of them acts is not known.
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
    """What a set of components adds together beyond the sum of their effects.

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
        Refused, with the reason, where the studies do not determine the interaction.

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
    """Pairs of components whose interaction cannot be told from one that the studies determine.

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
