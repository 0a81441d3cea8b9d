"""The models of a network, their intervals, and which one leads, as for pairwise comparisons."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from trial_evidence.config.methods import Pooling
from trial_evidence.network.fit.league import NetworkFit
from trial_evidence.network.fit.posterior import NetworkPosterior
from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.words.models import EMPIRICAL
from trial_evidence.words.numbers import format_number

WALD, HARTUNG_KNAPP, DERSIMONIAN_LAIRD, COMMON = (
    "random_reml", "random_reml_hk", "random_dl", "common",
)  # fmt: skip
LEADING, CO_PRIMARY = "lead", "co-primary"
# Two tests in the table of a network's inconsistency.
BETWEEN_DESIGNS = "between designs (inconsistency)"
DESIGN_INTERACTION = "design-by-treatment interaction, random effects"
NO_FREEDOM = "No degrees of freedom: nothing shows how far trials of one comparison differ."


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """One model of a part of a network, every treatment against every other.

    Attributes
    ----------
    name : str
        As in the column ``model`` of the tables.
    interval : str
        The kind of interval, as printed.
    role : str
        ``lead``, ``co-primary`` or empty.
    effects, ci_low, ci_high : numpy.ndarray of float, shape (treatments, treatments)
        On the analysis scale; empty if the part has no such interval.
    p_value, pi_low, pi_high, below_zero : likewise, NaN if the model has none
        Further results of the model; ``below_zero`` is a posterior probability.
    tau2 : float or None
        Between-trial variance; for a posterior, the squared median of tau.
    factor : float or None
        Factor by which variances are multiplied.
    prior : str
        Prior on tau, as printed.
    """

    name: str
    interval: str
    role: str
    effects: Floats
    ci_low: Floats
    ci_high: Floats
    p_value: Floats
    pi_low: Floats
    pi_high: Floats
    below_zero: Floats
    tau2: float | None
    factor: float = math.nan
    prior: str = ""


def roles(df: int, pooling: Pooling, posteriors: Mapping[str, NetworkPosterior]) -> dict[str, str]:
    """Which model leads, and which is co-primary with it.

    In a pairwise analysis the leading model depends on the number of trials, which is one more than
    the degrees of freedom; a part of a network is treated according to its degrees of freedom in
    the same way. Without any, the effects are those of the trials themselves, with Wald intervals.
    A network has one interval from t, the floored one: it leads unless Wald's is configured.
    """
    lead = leading_model(df + 1, pooling, empirical=EMPIRICAL in posteriors)

    def named(model: str) -> str:
        if model in posteriors:
            return model
        return HARTUNG_KNAPP if df and pooling.estimate_interval != "wald" else WALD

    found = {named(lead.co_primary): CO_PRIMARY} if lead.co_primary else {}
    return found | {named(lead.model): LEADING}


def network_models(
    fit: NetworkFit,
    second_fit: NetworkFit,
    posteriors: Mapping[str, NetworkPosterior],
    pooling: Pooling,
) -> Iterator[NetworkModel]:
    """Every model of a connected part, with tau2 by REML and (``second_fit``) DerSimonian-Laird."""
    df = fit.heterogeneity.df
    role = roles(df, pooling, posteriors)
    t = f"t with {df} degree{'' if df == 1 else 's'} of freedom"
    unknown = np.full_like(fit.common.effects, math.nan)
    for name, tau2, league, interval in (
        (WALD, fit.tau2, fit.random, "Wald"),
        (HARTUNG_KNAPP, fit.tau2, fit.hartung_knapp, f"Hartung–Knapp type, floored, {t}"),
        (DERSIMONIAN_LAIRD, second_fit.tau2, second_fit.random, "Wald"),
        (COMMON, 0.0, fit.common, "Wald"),
    ):
        if league is not None:
            yield NetworkModel(
                name,
                interval,
                role.get(name, ""),
                *(league.effects, league.ci_low, league.ci_high, league.p_value),
                # As in a pairwise analysis, the standard error is that of the model's interval.
                *(league.pi_low, league.pi_high),
                below_zero=unknown,
                tau2=tau2,
                factor=league.factor,
            )
    for name, found in posteriors.items():
        yield NetworkModel(
            name,
            "Bayesian, shortest",
            role.get(name, ""),
            *(found.effects, found.ci_low, found.ci_high, unknown, found.pi_low, found.pi_high),
            below_zero=found.below_zero,
            tau2=found.tau_median**2,
            prior=found.prior,
        )


def interval_words(model: NetworkModel, df: int) -> str:
    """The interval of a model, described for the note of a figure."""
    of = f"{df} degree{'' if df == 1 else 's'} of freedom"
    if model.prior:
        return f"Bayesian, {model.prior} prior on τ, {of} for heterogeneity"
    if model.name == HARTUNG_KNAPP:
        times = format_number(model.factor, 2)
        factor = "" if times == format_number(1.0, 2) else f", variances × {times}"
        return f"Hartung–Knapp type, t with {of}{factor}, never narrower than Wald’s"
    return "Wald"


def interval_heading(model: NetworkModel) -> str:
    """The interval of a model as a column heading."""
    if model.prior:
        return "Bayesian\n" + model.prior.replace("(", "\n(", 1)
    return "Hartung–\nKnapp type" if model.name == HARTUNG_KNAPP else "Wald\ninterval"
