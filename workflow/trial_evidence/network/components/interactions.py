"""Interactions of components: the synergy that the whole network shows, and its posterior."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trial_evidence.network.components.additive import (
    TIMES,
    Components,
    Effect,
    Interactions,
    component_model,
    interaction_observations,
)
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.linear_model import Observations
from trial_evidence.pool.bayes.mixtures import NormalMixtures
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.bayes.tau_posterior import FINE, FLAT, MeanPrior, TauPosterior
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.engine.results import Floats, check_level
from trial_evidence.pool.engine.stacks import Ints, Stack


@dataclass(frozen=True)
class InteractionPosterior:
    """Posterior of one interaction.

    Attributes
    ----------
    tau_prior, interaction_prior : str
        Priors in words; all other effects have flat priors.
    level : float
        Level of the intervals in percent.
    mean, sd, median : float
        On the analysis scale.
    ci_low, ci_high : float
        Shortest interval.
    central_low, central_high : float
        Interval of equal tails.
    probability_above_zero : float
        Probability that together the components do more than their effects add up to. Whether
        that is synergy depends on the outcome: for a response it is, for a hazard
        ``1 - probability_above_zero`` is.
    tau_median : float
        Posterior median of the between-study standard deviation.
    """

    tau_prior: str
    interaction_prior: str
    level: float
    mean: float
    sd: float
    median: float
    ci_low: float
    ci_high: float
    central_low: float
    central_high: float
    probability_above_zero: float
    tau_median: float


@dataclass(frozen=True)
class Interaction:
    """One interaction, alone beside the additive terms.

    Attributes
    ----------
    components : tuple of str
        What acts together.
    effect : Effect
        Estimate, Wald interval and test, on the analysis scale.
    posterior : InteractionPosterior
        Its Bayesian counterpart.
    tau2 : float
        Between-study variance of the model with the interaction.
    method : str
        Estimator of tau2.
    studies_with, studies_apart : int
        Studies with an arm that holds all the components, and those of them in which another arm
        holds some of them: only the latter can show an interaction within randomisation.
    confounded_with : tuple of str
        Other pairs of components whose interaction explains the same observations: with either in
        the model the other cannot be estimated, and which of them acts is not known.
    """

    components: tuple[str, ...]
    effect: Effect
    posterior: InteractionPosterior
    tau2: float
    method: str
    studies_with: int
    studies_apart: int
    confounded_with: tuple[str, ...]


class _DesignPosterior(TauPosterior):
    """Posterior of tau, and of one linear function of the coefficients given tau.

    The coefficients take the place of the single mean; the quadrature over tau is the same.
    """

    def __init__(
        self, observations: Observations, functional: Floats, prior: TauPrior, mean_prior: MeanPrior
    ) -> None:
        self._design = observations.reduced
        self._inside = observations.basis.T @ functional
        self._known = 1 / mean_prior.sd**2
        self._centre = mean_prior.mean
        size = observations.effects.size
        single = Stack(
            observations.effects[:, None], observations.variances[:, None], np.array([size])
        )
        super().__init__(single, prior, FLAT, np.zeros(1), FINE)

    def given_tau(
        self, tau: Floats, which: Ints | slice = slice(None)
    ) -> tuple[Floats, Floats, Floats]:
        """As in `TauPosterior`, for the linear function in place of the mean."""
        y, v = self.stack.yi[:, 0], self.stack.vi[:, 0]
        weights = 1 / (v + tau**2)
        cross = np.einsum("gm,mi,mj->gij", weights, self._design, self._design)
        moment = np.einsum("gm,mi,m->gi", weights, self._design, y)
        cross = cross + self._known * np.outer(self._inside, self._inside)
        if self._known > 0:
            moment = moment + self._known * self._centre * self._inside
        solution = np.linalg.solve(cross, moment[:, :, None])[:, :, 0]
        spread = np.linalg.solve(cross, np.broadcast_to(self._inside[:, None], (*moment.shape, 1)))
        mean = solution @ self._inside
        variance = spread[:, :, 0] @ self._inside
        residuals = y - solution @ self._design.T
        misfit = (weights * residuals**2).sum(axis=1)
        if self._known > 0:
            misfit = misfit + self._known * (mean - self._centre) ** 2
        log_likelihood = 0.5 * (np.log(weights).sum(axis=1) - np.linalg.slogdet(cross)[1] - misfit)
        return mean[:, None], 1 / variance[:, None], log_likelihood[:, None]


def functional_posterior(
    observations: Observations,
    functional: Floats,
    prior: TauPrior,
    level: float = 95.0,
    *,
    interaction_prior: MeanPrior = FLAT,
) -> InteractionPosterior:
    """Posterior of a linear function of the coefficients, flat priors on all else.

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
    interaction_prior : MeanPrior
        Normal prior of the function itself; flat by default.

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
    tau = _DesignPosterior(observations, functional, prior, interaction_prior)
    means, precision, _ = tau.given_tau(tau.tau)
    variances = 1 / precision
    mixture = NormalMixtures(means, np.sqrt(variances), tau.weights)
    mean = float((tau.weights * means).sum())
    low, high, central_low, central_high = (float(x[0]) for x in mixture.intervals(level / 100))
    half = np.array([0.5])
    flat = not np.isfinite(interaction_prior.sd)
    return InteractionPosterior(
        tau_prior=prior.label,
        interaction_prior="flat"
        if flat
        else f"normal({interaction_prior.mean:g}, {interaction_prior.sd:g}\u00b2)",
        level=level,
        mean=mean,
        sd=float(np.sqrt((tau.weights * (variances + (means - mean) ** 2)).sum())),
        median=float(mixture.quantile(half)[0]),
        ci_low=low,
        ci_high=high,
        central_low=central_low,
        central_high=central_high,
        probability_above_zero=1 - float(mixture.cdf(np.zeros(1))[0]),
        tau_median=float(tau.quantile(half)[0]),
    )


def estimate_interaction(
    data: NetworkData,
    components: Components,
    interaction: Sequence[str],
    prior: TauPrior,
    *,
    inactive: str | None = None,
    others: Interactions = (),
    method: str = "REML",
    level: float = 95.0,
    interaction_prior: MeanPrior = FLAT,
) -> Interaction | Refused:
    """What a set of components adds together beyond the sum of their effects.

    Parameters
    ----------
    data : NetworkData
        Studies.
    components : mapping of str to sequence of str
        Components of every treatment.
    interaction : sequence of str
        Two or more components.
    prior : TauPrior
        Prior of the between-study standard deviation.
    inactive : str, optional
        A component whose effect is zero by definition.
    others : sequence of sequence of str
        Further interactions in the same model.
    method : str
        Estimator of tau2 of the frequentist estimate.
    level : float
        Level of the intervals in percent.
    interaction_prior : MeanPrior
        Prior of the interaction; flat by default.

    Returns
    -------
    Interaction or Refused
        Refused, with the reason, where the studies do not determine the interaction.

    Raises
    ------
    ValueError
        As `trial_evidence.network.components.additive.component_model`.
    """
    found = interaction_observations(
        data, components, interaction, inactive=inactive, others=others
    )
    if isinstance(found, Refused):
        return found
    model = component_model(
        data,
        components,
        inactive=inactive,
        interactions=(interaction, *others),
        method=method,
        level=level,
    )
    if isinstance(model, Refused):
        return model
    together = set(interaction)
    held = [[together & set(components[t]) for t in study.treatments] for study in data.studies]
    return Interaction(
        components=tuple(interaction),
        effect=next(e for e in model.interactions if e.name == TIMES.join(interaction)),
        posterior=functional_posterior(*found, prior, level, interaction_prior=interaction_prior),
        tau2=model.tau2,
        method=method,
        studies_with=sum(together in arms for arms in held),
        studies_apart=sum(
            together in arms and any(arm and arm != together for arm in arms) for arms in held
        ),
        confounded_with=confounded_with(data, components, interaction, inactive=inactive),
    )


def confounded_with(
    data: NetworkData,
    components: Components,
    interaction: Sequence[str],
    *,
    inactive: str | None = None,
) -> tuple[str, ...]:
    """Pairs of components whose interaction cannot be told from a given one.

    Parameters
    ----------
    data : NetworkData
        Studies.
    components : mapping of str to sequence of str
        Components of every treatment.
    interaction : sequence of str
        An interaction that the studies determine beside the additive terms.
    inactive : str, optional
        A component whose effect is zero by definition.

    Returns
    -------
    tuple of str
        In alphabetical order: pairs that are estimable alone beside the additive terms, but
        not together with this one.
    """
    found = []
    for pair in sorted(
        {
            pair
            for treatment in data.treatments
            for pair in combinations(sorted(set(components[treatment]) - {inactive}), 2)
        }
    ):
        if set(pair) == set(interaction):
            continue
        alone = interaction_observations(data, components, pair, inactive=inactive)
        beside = interaction_observations(
            data, components, pair, inactive=inactive, others=(interaction,)
        )
        if isinstance(beside, Refused) and not isinstance(alone, Refused):
            found.append(TIMES.join(pair))
    return tuple(found)
