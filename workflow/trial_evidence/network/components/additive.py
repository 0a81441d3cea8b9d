"""Additive component network meta-analysis: what each part of a combination contributes.

A treatment is a set of components, and its effect the sum of theirs. Interactions are additional
terms for treatments with all components of a given set: the effect of the whole beyond the sum of
its parts. ``Additive`` refers to the analysis scale (log odds ratio, log hazard ratio, ...), on
which all effects are given.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.effect import Effect, QTest, absent, q_test, wald
from trial_evidence.network.fit.linear_model import LinearFit, Observations, fit
from trial_evidence.pool.engine.results import Floats, Refused
from trial_evidence.words.printed import listing

# Joins the components in the name of an interaction.
TIMES = " x "

Components = Mapping[str, Sequence[str]]
Interactions = Sequence[Sequence[str]]


@dataclass(frozen=True)
class ComponentModel:
    """A fitted component model.

    Attributes
    ----------
    components : tuple of Effect
        Of each component, in alphabetical order: a treatment with it against the same treatment
        without it.
    interactions : tuple of Effect
        Of each interaction, in the order given: the joint effect of its components beyond the sum
        of their separate effects.
    fitted : LinearFit
        The fit itself: coefficients of the components, then of the interactions.
    """

    components: tuple[Effect, ...]
    interactions: tuple[Effect, ...]
    fitted: LinearFit


@dataclass(frozen=True)
class AdditivityTest:
    """Tests whether sums of component effects fit as well as one effect per treatment.

    Attributes
    ----------
    additive, standard : QTest
        Q of the component model, and of the model in which every treatment has its own effect, over
        all parts of the network if it is not connected; both at tau2 = 0.
    difference : QTest
        Their difference: a small p value is evidence against additivity. There is no p value
        without degrees of freedom, when there are as many components as treatments.
    random : QTest
        The same comparison with both models at the tau2 of the standard model: the test that allows
        for heterogeneity.
    """

    additive: QTest
    standard: QTest
    difference: QTest
    random: QTest


@dataclass(frozen=True)
class PredictedByAddition:
    """A treatment's effect with and without the assumption of additivity.

    Attributes
    ----------
    treatment, reference : str
        Treatments compared.
    observed : Effect
        From the network, with one effect per treatment.
    predicted : Effect
        Sum of the components.
    difference : Effect
        Observed minus predicted, with the variance for nested least-squares fits (that of the
        observed minus that of the predicted). Both fits use the tau2 of the standard model.
    """

    treatment: str
    reference: str
    observed: Effect
    predicted: Effect
    difference: Effect


@dataclass(frozen=True)
class _Design:
    """Components and interactions as coefficients, and the studies' observations of them."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    rows: Mapping[str, Floats]
    observations: Observations

    def effect(self, fitted: LinearFit, name: str, functional: Floats, level: float) -> Effect:
        """A linear function of the coefficients, or why the studies do not determine it."""
        estimate, se = fitted.estimate(functional)
        if math.isnan(estimate):
            return absent(name, self.why_not(functional))
        return wald(estimate, se, level, name)

    def why_not(self, functional: Floats) -> str:
        """Which effects the studies cannot distinguish."""
        # The part of the functional outside the row space of the design involves the coefficients
        # that change together in every comparison.
        basis = self.observations.basis
        residual = functional - basis @ (basis.T @ functional)
        size = float(np.abs(residual).max())
        among = [c for c, b in zip(self.labels, residual, strict=True) if abs(b) > 1e-6 * size]
        if len(among) == 1:
            return f"No trial compares treatments that differ in {among[0]}."
        return f"The trials cannot separate the effects of {listing(among)}."


def _design(
    data: NetworkData, components: Components, interactions: Interactions
) -> _Design | Refused:
    """Validate components and interactions and build their design."""
    if missing := [t for t in data.treatments if t not in components]:
        raise ValueError(f"the components of these treatments are not stated: {missing}")
    names = tuple(sorted({c for t in data.treatments for c in components[t]}))
    for term in interactions:
        if unknown := [c for c in term if c not in names]:
            raise ValueError(f"no treatment has the components {unknown} of an interaction")
        if len(set(term)) < 2 or len(set(term)) < len(term):
            raise ValueError(f"an interaction needs two or more components, not {tuple(term)}")
    terms = [{name} for name in names] + [set(term) for term in interactions]
    held = {t: tuple(float(term <= set(components[t])) for term in terms) for t in data.treatments}
    if all(len({held[t] for t in study.treatments}) == 1 for study in data.studies):
        return Refused("No trial compares treatments that differ in their components.")
    rows = {t: np.array(row) for t, row in held.items()}
    labels = (*names, *(TIMES.join(term) for term in interactions))
    return _Design(names, labels, rows, Observations(data, rows))


def component_model(
    data: NetworkData,
    components: Components,
    *,
    interactions: Interactions = (),
    method: str = "REML",
    level: float = 95.0,
) -> ComponentModel | Refused:
    """Fit the additive component model, with interactions if requested.

    Parameters
    ----------
    data : NetworkData
        Studies; the network need not be connected as long as shared components connect it.
    components : mapping of str to sequence of str
        Components of every treatment; an empty sequence is a treatment without effect.
    interactions : sequence of sequence of str
        Sets of two or more components whose joint presence gets its own term.
    method : str
        Estimator of tau2: ``EE`` (zero: the common-effect model), ``DL``, ``ML`` or ``REML``.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    ComponentModel or Refused
        Effects that the studies do not determine are NaN and give the reason; no generalised
        inverse replaces them. Refused if no study compares treatments with different components.

    Raises
    ------
    ValueError
        If the components of a treatment are not given, an interaction is not of two or more known
        components, the method is unknown, or the level is not a percentage.

    Notes
    -----
    Attributed to Rücker G, Petropoulou M, Schwarzer G. Biom J 2020;62:808-821, and Welton NJ et al.
    Am J Epidemiol 2009;169:1158-1165. The same as netmeta's ``netcomb`` and ``discomb`` (with
    ``EE`` and ``DL``); their inactive component corresponds to one omitted from all treatments.
    """
    if isinstance(design := _design(data, components, interactions), Refused):
        return design
    fitted = fit(design.observations, method)
    effects = tuple(
        design.effect(fitted, label, functional, level)
        for label, functional in zip(design.labels, np.eye(len(design.labels)), strict=True)
    )
    size = len(design.names)
    return ComponentModel(effects[:size], effects[size:], fitted)


def additivity_test(
    data: NetworkData,
    components: Components,
    *,
    interactions: Interactions = (),
    method: str = "REML",
) -> AdditivityTest | Refused:
    """Compare the component model with the one that has an effect for every treatment.

    Parameters
    ----------
    data, components, interactions
        As for `component_model`.
    method : str
        Estimator of tau2 of the standard model, for the test that allows for heterogeneity.

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
    if isinstance(design := _design(data, components, interactions), Refused):
        return design
    additive, standard = design.observations, Observations(data, _units(data))
    random = fit(standard, method)
    q_additive, q_standard = LinearFit(additive, 0.0).q, LinearFit(standard, 0.0).q
    df = standard.rank - additive.rank
    return AdditivityTest(
        additive=q_test(q_additive, additive.df),
        standard=q_test(q_standard, standard.df),
        difference=q_test(q_additive - q_standard, df),
        random=q_test(LinearFit(additive, random.tau2).q - random.q, df),
    )


def observed_and_predicted(
    data: NetworkData,
    components: Components,
    reference: str,
    *,
    method: str = "REML",
    level: float = 95.0,
) -> tuple[PredictedByAddition, ...] | Refused:
    """Every treatment against a reference, with its own effect and as a sum of components.

    Parameters
    ----------
    data, components, level
        As for `component_model`.
    reference : str
        Treatment that the others are compared with.
    method : str
        Estimator of tau2 of the standard model, used for both.

    Returns
    -------
    tuple of PredictedByAddition or Refused
        In the order of the network's treatments. The trials behind a treatment's own effect also
        inform the sum that predicts it, so the difference is smaller than that of two independent
        estimates; its variance allows for this. If the two fits cannot differ, the difference is
        zero with a standard error of zero, and the reason says so.

    Raises
    ------
    ValueError
        As `component_model`, or if the reference is not in the network.
    """
    if reference not in data.treatments:
        raise ValueError(f"the reference {reference!r} is not a treatment of the network")
    if isinstance(design := _design(data, components, ()), Refused):
        return design
    own = _units(data)
    standard = fit(Observations(data, own), method)
    sums = LinearFit(design.observations, standard.tau2)
    rows = []
    for treatment in (t for t in data.treatments if t != reference):
        title = f"{treatment} v {reference}"
        estimate, se = standard.estimate(own[treatment] - own[reference])
        observed = wald(estimate, se, level, title)
        if math.isnan(estimate):
            observed = absent(title, "No chain of comparisons joins the two treatments.")
        functional = design.rows[treatment] - design.rows[reference]
        predicted = design.effect(sums, title, functional, level)
        difference = _nested_difference(observed, predicted, level)
        rows.append(PredictedByAddition(treatment, reference, observed, predicted, difference))
    return tuple(rows)


def interaction_observations(
    data: NetworkData, components: Components, interaction: Sequence[str], *others: Sequence[str]
) -> tuple[Observations, Floats] | Refused:
    """The observations for one interaction, and the multipliers that select it.

    Parameters
    ----------
    data, components
        As for `component_model`.
    interaction : sequence of str
        Components whose joint presence has the term.
    *others : sequence of str
        Further interactions in the model.

    Returns
    -------
    observations : Observations
    functional : numpy.ndarray of float, shape (coefficients,)
        One for the interaction, zero elsewhere.
    Refused
        Instead of both if the studies do not determine the interaction.

    Raises
    ------
    ValueError
        As `component_model`.
    """
    if isinstance(design := _design(data, components, (interaction, *others)), Refused):
        return design
    functional = np.eye(len(design.labels))[len(design.names)]
    if not design.observations.estimable(functional):
        return Refused(design.why_not(functional))
    return design.observations, functional


def _units(data: NetworkData) -> dict[str, Floats]:
    """Each treatment as its own component."""
    return dict(zip(data.treatments, np.eye(len(data.treatments)), strict=True))


def _nested_difference(observed: Effect, predicted: Effect, level: float) -> Effect:
    if observed.reason or predicted.reason:
        return absent(observed.name, observed.reason or predicted.reason)
    variance = observed.se**2 - predicted.se**2
    if variance <= 1e-12 * observed.se**2:
        reason = "The two cannot differ."
        return Effect(0.0, 0.0, 0.0, 0.0, math.nan, observed.name, reason)
    gap = observed.estimate - predicted.estimate
    return wald(gap, math.sqrt(variance), level, observed.name)
