"""Interactions of components: the synergy that the whole network shows, and its posterior."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trial_evidence.network.components.additive import (
    TIMES,
    Components,
    component_model,
    interaction_observations,
)
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.effect import Effect
from trial_evidence.network.fit.linear_model import Observations
from trial_evidence.pool.bayes.mixtures import NormalMixtures
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.bayes.tau_posterior import FINE, FLAT, TauPosterior
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.engine.results import Floats, check_level
from trial_evidence.pool.engine.stacks import Ints, Stack


@dataclass(frozen=True)
class InteractionPosterior:
    """Posterior of one interaction; it and all other effects have flat priors.

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
    """

    median: float
    ci_low: float
    ci_high: float
    probability_above_zero: float
    mixture: NormalMixtures
    tau: TauPosterior


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
        holds some of them: only the latter can show an interaction within randomisation.
    confounded_with : tuple of str
        Other pairs of components whose interaction explains the same observations: with either in
        the model the other cannot be estimated, and which of them acts is not known.
    """

    effect: Effect
    posterior: InteractionPosterior
    tau2: float
    studies_with: int
    studies_apart: int
    confounded_with: tuple[str, ...]


class _DesignPosterior(TauPosterior):
    """Posterior of tau, and of one linear function of the coefficients given tau.

    The coefficients take the place of the single mean; the quadrature over tau is the same.
    """

    def __init__(self, observations: Observations, functional: Floats, prior: TauPrior) -> None:
        self._design = observations.reduced
        self._inside = observations.basis.T @ functional
        effects, variances = observations.effects[:, None], observations.variances[:, None]
        single = Stack(effects, variances, np.array([len(effects)]))
        super().__init__(single, prior, FLAT, np.zeros(1), FINE)

    def given_tau(
        self, tau: Floats, which: Ints | slice = slice(None)
    ) -> tuple[Floats, Floats, Floats]:
        """As in `TauPosterior`, for the linear function in place of the mean."""
        y, v = self.stack.yi[:, 0], self.stack.vi[:, 0]
        weights = 1 / (v + tau**2)
        cross = np.einsum("gm,mi,mj->gij", weights, self._design, self._design)
        moment = np.einsum("gm,mi,m->gi", weights, self._design, y)
        solution = np.linalg.solve(cross, moment[:, :, None])[:, :, 0]
        spread = np.linalg.solve(cross, np.broadcast_to(self._inside[:, None], (*moment.shape, 1)))
        mean = solution @ self._inside
        variance = spread[:, :, 0] @ self._inside
        residuals = y - solution @ self._design.T
        misfit = (weights * residuals**2).sum(axis=1)
        log_likelihood = 0.5 * (np.log(weights).sum(axis=1) - np.linalg.slogdet(cross)[1] - misfit)
        return mean[:, None], 1 / variance[:, None], log_likelihood[:, None]


def functional_posterior(
    observations: Observations, functional: Floats, prior: TauPrior, level: float = 95.0
) -> InteractionPosterior:
    """Posterior of a linear function of the coefficients, flat priors on all effects.

    Parameters
    ----------
    observations : Observations
        From `trial_evidence.network.components.additive.interaction_observations`.
    functional : numpy.ndarray of float, shape (coefficients,)
        An estimable function.
    prior : TauPrior
        Prior of the between-study standard deviation.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    InteractionPosterior
        By the quadrature over tau of `trial_evidence.pool.bayes.tau_posterior`: no sampling.

    Raises
    ------
    ValueError
        If the level is no percentage or the function is not estimable.
    """
    level = check_level(level)
    if not observations.estimable(functional):
        raise ValueError("the studies do not determine this function of the coefficients")
    tau = _DesignPosterior(observations, functional, prior)
    means, precision, _ = tau.given_tau(tau.tau)
    mixture = NormalMixtures(means, np.sqrt(1 / precision), tau.weights)
    low, high, *_ = (float(x[0]) for x in mixture.intervals(level / 100))
    return InteractionPosterior(
        median=float(mixture.quantile(np.array([0.5]))[0]),
        ci_low=low,
        ci_high=high,
        probability_above_zero=1 - float(mixture.cdf(np.zeros(1))[0]),
        mixture=mixture,
        tau=tau,
    )


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
    terms = [interaction]
    model = component_model(data, components, interactions=terms, method=method, level=level)
    if isinstance(model, Refused):
        return model
    together = set(interaction)
    held = [[together & set(components[t]) for t in study.treatments] for study in data.studies]
    with_all = [arms for arms in held if together in arms]
    return Interaction(
        effect=model.interactions[0],
        posterior=functional_posterior(*found, prior, level),
        tau2=model.tau2,
        studies_with=len(with_all),
        studies_apart=sum(any(arm and arm != together for arm in arms) for arms in with_all),
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
