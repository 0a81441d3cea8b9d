"""Additive component network meta-analysis: what each part of a combination contributes.

A treatment is a set of components, and its effect the sum of theirs. Interactions are further
terms, for treatments that hold all components of a stated set: what the whole has beyond the sum
of its parts. Effects are on the analysis scale (log odds ratio, log hazard ratio, ...), where
adding is what ``additive`` means.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.linear_model import (
    LinearFit,
    Observations,
    fit,
    fit_at,
    observe,
)
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.engine.results import Floats, check_level

# Between the components of an interaction's name.
TIMES = " x "

Components = Mapping[str, Sequence[str]]
Interactions = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Effect:
    """An effect with its Wald interval and test, or why there is none.

    Attributes
    ----------
    name : str
        What it is the effect of.
    estimate, se : float
        On the analysis scale; NaN where the studies do not determine it.
    ci_low, ci_high : float
        Wald interval.
    p_value : float
        Two-sided test of no effect.
    reason : str
        Why there is no estimate; empty where there is one.
    """

    name: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    reason: str


@dataclass(frozen=True)
class ComponentModel:
    """A fitted component model.

    Attributes
    ----------
    components : tuple of Effect
        Of each component, in alphabetical order: a treatment with it against the same treatment
        without it.
    interactions : tuple of Effect
        Of each interaction, as asked for: what the components add together beyond the sum of their
        effects.
    inactive : str or None
        The component whose effect is zero by definition.
    method : str
        Estimator of tau2.
    level : float
        Level of the intervals in percent.
    tau2 : float
        Between-study variance, common to all comparisons.
    i2 : float or None
        Share of the variability that is not chance, from Q, in percent; None without degrees of
        freedom.
    q, q_df, q_p : float, int, float or None
        Residual Q at tau2 = 0: heterogeneity, inconsistency and departure from additivity
        together.
    studies, arms : int
        Studies, and arms in them.
    rank : int
        Effects that the studies can tell apart.
    fitted : LinearFit
        The fit itself.
    """

    components: tuple[Effect, ...]
    interactions: tuple[Effect, ...]
    inactive: str | None
    method: str
    level: float
    tau2: float
    i2: float | None
    q: float
    q_df: int
    q_p: float | None
    studies: int
    arms: int
    rank: int
    fitted: LinearFit

    def comparison(self, treatment: Sequence[str], reference: Sequence[str]) -> Effect:
        """Effect of one set of components against another, seen in a trial or not.

        Parameters
        ----------
        treatment, reference : sequence of str
            Components.

        Returns
        -------
        Effect
            Sum of the effects of the components and interactions that the two do not share.

        Raises
        ------
        ValueError
            If a component is not in the model.
        """
        names = tuple(effect.name for effect in self.components)
        terms = tuple(tuple(effect.name.split(TIMES)) for effect in self.interactions)
        known = {*names, self.inactive}
        unknown = sorted({*treatment, *reference} - known)
        if unknown:
            raise ValueError(f"not a component of the model: {', '.join(unknown)}")
        functional = _row(treatment, names, terms) - _row(reference, names, terms)
        title = f"{' + '.join(treatment)} v {' + '.join(reference)}"
        return _effect(self.fitted, title, functional, (*names, *_names(terms)), self.level)


@dataclass(frozen=True)
class AdditivityTest:
    """Does the sum of the parts describe the treatments as well as one effect for each?

    Attributes
    ----------
    q_additive, q_additive_df, q_additive_p : float, int, float or None
        Q of the component model (tau2 = 0).
    q_standard, q_standard_df, q_standard_p : float, int, float or None
        Q of the model in which every treatment has its own effect (tau2 = 0); over all parts of
        the network where it is not connected.
    q_difference, df, p_value : float, int, float or None
        Their difference on chi2: a small p value speaks against additivity. None without degrees
        of freedom: there are as many components as treatments.
    tau2 : float
        Between-study variance of the standard model, by the stated method.
    wald, wald_p : float, float or None
        The same comparison with both models at that tau2: the test where heterogeneity is allowed
        for. With tau2 = 0 it is `q_difference`.
    method : str
        Estimator of tau2.
    """

    q_additive: float
    q_additive_df: int
    q_additive_p: float | None
    q_standard: float
    q_standard_df: int
    q_standard_p: float | None
    q_difference: float
    df: int
    p_value: float | None
    tau2: float
    wald: float
    wald_p: float | None
    method: str


@dataclass(frozen=True)
class PredictedByAddition:
    """A treatment's effect with and without the supposition of additivity.

    Attributes
    ----------
    treatment, reference : str
        Treatments compared.
    observed : Effect
        From the network, each treatment with an effect of its own.
    predicted : Effect
        Sum of the components.
    difference : Effect
        Observed less predicted, with the variance of nested least-squares fits (that of the
        observed less that of the predicted). Both fits are at the tau2 of the standard model.
    """

    treatment: str
    reference: str
    observed: Effect
    predicted: Effect
    difference: Effect


def component_model(
    data: NetworkData,
    components: Components,
    *,
    inactive: str | None = None,
    interactions: Interactions = (),
    method: str = "REML",
    level: float = 95.0,
) -> ComponentModel | Refused:
    """Fit the additive component model, with interactions where they are asked for.

    Parameters
    ----------
    data : NetworkData
        Studies; the network need not be connected as long as shared components connect it.
    components : mapping of str to sequence of str
        Components of every treatment; an empty sequence is a treatment without effect.
    inactive : str, optional
        A component whose effect is zero by definition (placebo, the common reference).
    interactions : sequence of sequence of str
        Sets of two or more components whose joint presence has a term of its own.
    method : str
        Estimator of tau2: ``EE`` (zero: the common-effect model), ``DL``, ``ML`` or ``REML``.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    ComponentModel or Refused
        Effects that the studies do not determine are NaN and say why; no generalised inverse stands
        in for them. Refused where no study compares treatments with different components.

    Raises
    ------
    ValueError
        If a treatment has no components stated, an interaction is not of two or more known
        components, the method is unknown, or the level is no percentage.

    Notes
    -----
    Attributed to Rücker G, Petropoulou M, Schwarzer G. Biom J 2020;62:808-821, and Welton NJ et al.
    Am J Epidemiol 2009;169:1158-1165. The same as netmeta's ``netcomb`` and ``discomb`` (with
    ``EE`` and ``DL``).
    """
    level = check_level(level)
    names = _component_names(data, components, inactive)
    terms = tuple(tuple(term) for term in interactions)
    _check_interactions(terms, names)
    observations = _observe(data, components, names, terms)
    if isinstance(observations, Refused):
        return observations
    fitted, at_zero = fit(observations, method), fit_at(observations, 0.0)
    labels = (*names, *_names(terms))
    effects = tuple(
        _effect(fitted, label, functional, labels, level)
        for label, functional in zip(labels, np.eye(len(labels)), strict=True)
    )
    df = observations.df
    return ComponentModel(
        components=effects[: len(names)],
        interactions=effects[len(names) :],
        inactive=inactive,
        method=method,
        level=level,
        tau2=fitted.tau2,
        i2=100 * max(0.0, 1 - df / at_zero.q) if df > 0 and at_zero.q > 0 else None,
        q=at_zero.q,
        q_df=df,
        q_p=at_zero.q_p,
        studies=len(data.studies),
        arms=sum(len(study.treatments) for study in data.studies),
        rank=observations.rank,
        fitted=fitted,
    )


def additivity_test(
    data: NetworkData,
    components: Components,
    *,
    inactive: str | None = None,
    interactions: Interactions = (),
    method: str = "REML",
) -> AdditivityTest | Refused:
    """Compare the component model with the one that has an effect for every treatment.

    Parameters
    ----------
    data : NetworkData
        Studies.
    components : mapping of str to sequence of str
        Components of every treatment.
    inactive : str, optional
        A component whose effect is zero by definition.
    interactions : sequence of sequence of str
        Interactions that the component model is allowed.
    method : str
        Estimator of tau2 of the standard model, for the test that allows for heterogeneity.

    Returns
    -------
    AdditivityTest or Refused

    Raises
    ------
    ValueError
        As `component_model`.

    Notes
    -----
    Attributed to Rücker G, Petropoulou M, Schwarzer G. Biom J 2020;62:808-821: the difference of Q
    at tau2 = 0. The test at the tau2 of the standard model is the generalised least-squares test of
    the same hypothesis.
    """
    names = _component_names(data, components, inactive)
    terms = tuple(tuple(term) for term in interactions)
    _check_interactions(terms, names)
    additive = _observe(data, components, names, terms)
    if isinstance(additive, Refused):
        return additive
    standard = _standard(data)
    random = fit(standard, method)
    q_additive, q_standard = fit_at(additive, 0.0), fit_at(standard, 0.0)
    df = standard.rank - additive.rank
    # Rounding must not make the larger model the worse one.
    difference = max(q_additive.q - q_standard.q, 0.0)
    wald = max(fit_at(additive, random.tau2).q - random.q, 0.0)
    return AdditivityTest(
        q_additive=q_additive.q,
        q_additive_df=additive.df,
        q_additive_p=q_additive.q_p,
        q_standard=q_standard.q,
        q_standard_df=standard.df,
        q_standard_p=q_standard.q_p,
        q_difference=difference,
        df=df,
        p_value=float(chdtrc(df, difference)) if df > 0 else None,
        tau2=random.tau2,
        wald=wald,
        wald_p=float(chdtrc(df, wald)) if df > 0 else None,
        method=method,
    )


def observed_and_predicted(
    data: NetworkData,
    components: Components,
    reference: str,
    *,
    inactive: str | None = None,
    interactions: Interactions = (),
    method: str = "REML",
    level: float = 95.0,
) -> tuple[PredictedByAddition, ...] | Refused:
    """Every treatment against a reference, with an effect of its own and as a sum of components.

    Parameters
    ----------
    data : NetworkData
        Studies.
    components : mapping of str to sequence of str
        Components of every treatment.
    reference : str
        Treatment that the others are compared with.
    inactive : str, optional
        A component whose effect is zero by definition.
    interactions : sequence of sequence of str
        Interactions that the component model is allowed.
    method : str
        Estimator of tau2 of the standard model, used for both.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    tuple of PredictedByAddition or Refused
        In the order of the network's treatments. The trials that show a treatment's own effect also
        inform the sum that predicts it, so that the difference is smaller than that of two
        independent estimates; its variance allows for that. Where the two fits cannot differ the
        difference is zero with a standard error of zero, and says so.

    Raises
    ------
    ValueError
        As `component_model`, or if the reference is not in the network.
    """
    level = check_level(level)
    names = _component_names(data, components, inactive)
    terms = tuple(tuple(term) for term in interactions)
    _check_interactions(terms, names)
    if reference not in data.treatments:
        raise ValueError(f"the reference {reference!r} is not a treatment of the network")
    additive = _observe(data, components, names, terms)
    if isinstance(additive, Refused):
        return additive
    standard = fit(_standard(data), method)
    sums = fit_at(additive, standard.tau2)
    labels = (*names, *_names(terms))
    treatments = data.treatments
    own = dict(zip(treatments, np.eye(len(treatments)), strict=True))
    rows = []
    for treatment in treatments:
        if treatment == reference:
            continue
        title = f"{treatment} v {reference}"
        observed = _effect(standard, title, own[treatment] - own[reference], (), level)
        functional = _row(components[treatment], names, terms) - _row(
            components[reference], names, terms
        )
        predicted = _effect(sums, title, functional, labels, level)
        rows.append(
            PredictedByAddition(
                treatment=treatment,
                reference=reference,
                observed=observed,
                predicted=predicted,
                difference=_nested_difference(observed, predicted, level),
            )
        )
    return tuple(rows)


def interaction_observations(
    data: NetworkData,
    components: Components,
    interaction: Sequence[str],
    *,
    inactive: str | None = None,
    others: Interactions = (),
) -> tuple[Observations, Floats] | Refused:
    """What the studies say about one interaction: observations, and its multipliers.

    Parameters
    ----------
    data : NetworkData
        Studies.
    components : mapping of str to sequence of str
        Components of every treatment.
    interaction : sequence of str
        Components whose joint presence has the term.
    inactive : str, optional
        A component whose effect is zero by definition.
    others : sequence of sequence of str
        Further interactions in the model.

    Returns
    -------
    observations : Observations
    functional : numpy.ndarray of float, shape (coefficients,)
        One for the interaction, zero elsewhere.
    Refused
        In place of both where the studies do not determine the interaction.

    Raises
    ------
    ValueError
        As `component_model`.
    """
    names = _component_names(data, components, inactive)
    terms = (tuple(interaction), *(tuple(term) for term in others))
    _check_interactions(terms, names)
    observations = _observe(data, components, names, terms)
    if isinstance(observations, Refused):
        return observations
    functional = np.zeros(len(names) + len(terms))
    functional[len(names)] = 1.0
    if not observations.estimable(functional):
        return Refused(_why_not(observations, functional, (*names, *_names(terms))))
    return observations, functional


def _component_names(
    data: NetworkData, components: Components, inactive: str | None
) -> tuple[str, ...]:
    """Components of the network's treatments, the inactive one left out."""
    missing = [t for t in data.treatments if t not in components]
    if missing:
        raise ValueError(f"the components of these treatments are not stated: {missing}")
    found = {c for t in data.treatments for c in components[t]}
    if inactive is not None and inactive not in found:
        raise ValueError(f"no treatment has the inactive component {inactive!r}")
    return tuple(sorted(found - {inactive}))


def _check_interactions(terms: Interactions, names: Sequence[str]) -> None:
    for term in terms:
        unknown = [c for c in term if c not in names]
        if unknown:
            raise ValueError(f"no treatment has the components {unknown} of an interaction")
        if len(set(term)) < 2 or len(set(term)) < len(term):
            raise ValueError(f"an interaction needs two or more components, not {tuple(term)}")


def _names(terms: Interactions) -> tuple[str, ...]:
    return tuple(TIMES.join(term) for term in terms)


def _row(treatment: Sequence[str], names: Sequence[str], terms: Interactions) -> Floats:
    """Which components and interactions a treatment has."""
    have = set(treatment)
    return np.array(
        [float(name in have) for name in names] + [float(have.issuperset(t)) for t in terms]
    )


def _observe(
    data: NetworkData, components: Components, names: Sequence[str], terms: Interactions
) -> Observations | Refused:
    rows = {t: _row(components[t], names, terms) for t in data.treatments}
    if all(
        np.array_equal(rows[t], rows[s.treatments[0]]) for s in data.studies for t in s.treatments
    ):
        return Refused("No study compares treatments that differ in their components.")
    return observe(data, rows)


def _standard(data: NetworkData) -> Observations:
    """Each treatment its own component."""
    treatments = data.treatments
    return observe(data, dict(zip(treatments, np.eye(len(treatments)), strict=True)))


def _effect(
    fitted: LinearFit, name: str, functional: Floats, labels: Sequence[str], level: float
) -> Effect:
    estimate, se = fitted.estimate(functional)
    if math.isnan(estimate):
        return _absent(name, _why_not(fitted.observations, functional, labels))
    return _wald(name, estimate, se, level)


def _wald(name: str, estimate: float, se: float, level: float) -> Effect:
    half = float(ndtri(0.5 + level / 200)) * se
    p = float(2 * ndtr(-abs(estimate) / se)) if se > 0 else math.nan
    return Effect(name, estimate, se, estimate - half, estimate + half, p, "")


def _absent(name: str, reason: str) -> Effect:
    none = math.nan
    return Effect(name, none, none, none, none, none, reason)


def _why_not(observations: Observations, functional: Floats, labels: Sequence[str]) -> str:
    """Which effects the studies cannot tell from each other."""
    if not labels:
        return "No chain of comparisons joins the two treatments."
    # What of the functional lies outside the rows of the design involves the coefficients that
    # change together in every comparison.
    beside = functional - observations.basis @ (observations.basis.T @ functional)
    size = float(np.abs(beside).max())
    among = [label for label, b in zip(labels, beside, strict=True) if abs(b) > 1e-6 * size]
    if len(among) == 1:
        return f"No study compares treatments that differ in {among[0]}."
    return f"The studies cannot tell apart the effects of {', '.join(among)}."


def _nested_difference(observed: Effect, predicted: Effect, level: float) -> Effect:
    if observed.reason or predicted.reason:
        return _absent(observed.name, observed.reason or predicted.reason)
    gap = observed.estimate - predicted.estimate
    variance = observed.se**2 - predicted.se**2
    if variance <= 1e-12 * observed.se**2:
        return Effect(observed.name, 0.0, 0.0, 0.0, 0.0, math.nan, "The two cannot differ.")
    return _wald(observed.name, gap, math.sqrt(variance), level)
