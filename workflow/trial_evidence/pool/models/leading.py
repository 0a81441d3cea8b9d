"""The choice of the leading model by number of trials, with the reason."""

from dataclasses import dataclass

from trial_evidence.config.methods import LeadingModel, Pooling
from trial_evidence.words.models import (
    CAUTIOUS,
    EMPIRICAL,
    INTERVAL_WORDS,
    METHOD_NAMES,
    number_range,
    number_word,
)

NO_EMPIRICAL = (
    "there is no prior on heterogeneity from other meta-analyses for this kind of result, so the "
    "Bayesian model with the cautious prior leads"
)


@dataclass(frozen=True)
class Lead:
    """The model whose result is reported first.

    Attributes
    ----------
    model : str
        The leading model.
    co_primary : str or None
        A second model of equal rank, shown with it.
    reason : str
        The reason for the choice, in one sentence for the reader.
    """

    model: str
    co_primary: str | None
    reason: str


def leading_model(k: int, pooling: Pooling, *, empirical: bool = True) -> Lead:
    """Choose the leading model by the number of trials.

    Parameters
    ----------
    k : int
        Trials pooled.
    pooling : Pooling
        The rules, and the random-effects model to which they refer.
    empirical : bool
        Whether there is a prior from other meta-analyses; if not, the cautious prior replaces it.

    Raises
    ------
    ValueError
        If there is no trial.

    Notes
    -----
    Two trials carry no usable information about heterogeneity, and three or four little more; every
    frequentist interval then depends on convention: Röver C, Knapp G, Friede T. BMC Med Res
    Methodol 2015;15:99; Röver C et al. Res Synth Methods 2021;12:448-474.
    """
    if k < 1:
        raise ValueError("there is no trial to choose a model for")
    if k == 1:
        return Lead("single_trial", None, "One trial: its own result, nothing is pooled.")
    rule = [rule for rule in pooling.leading if rule.from_trials <= k][-1]
    model, reason = rule.model, rule.reason
    co_primary = rule.co_primary
    if not empirical and EMPIRICAL in (model, co_primary):
        model, co_primary, reason = CAUTIOUS if model == EMPIRICAL else model, None, NO_EMPIRICAL
    reason = reason or _described(model, pooling).replace("–", "-")
    number = number_word(k)
    return Lead(
        _name(model, pooling),
        None if co_primary is None else _name(co_primary, pooling),
        f"{number[0].upper()}{number[1:]} trials: {reason.removesuffix('.')}.",
    )


def without_correction(lead: Lead) -> Lead:
    """The lead if an arm has no events: uncorrected Mantel-Haenszel; all other models add 0.5.

    Notes
    -----
    If events are rare, the Mantel-Haenszel method without a continuity correction is the least
    biased of the common methods: Bradburn MJ, Deeks JJ, Berlin JA, Localio AR. Stat Med
    2007;26:53-77.
    """
    return Lead(
        "mantel_haenszel",
        lead.model,
        "An arm without an event: pooled by Mantel and Haenszel without a continuity correction, "
        "under one common effect; the model that leads elsewhere, with 0.5 added, as co-primary.",
    )


def random_effects_words(pooling: Pooling) -> str:
    """The estimator and interval of the random-effects model, in words."""
    interval = INTERVAL_WORDS[pooling.estimate_interval][1]
    return f"by {pooling.tau2_estimator} with the {interval} interval"


def leads_by_trials(pooling: Pooling, *, empirical: bool = True) -> str:
    """The leading model for each number of trials, from one upwards, as the end of a sentence."""
    parts = ["one trial, its own result"]
    for model, first, last in pooling.lead_ranges:
        random = f"random effects {random_effects_words(pooling)}"
        model = model if empirical or model != EMPIRICAL else CAUTIOUS
        said = random if model == "random_effects" else METHOD_NAMES[model]
        parts.append(f"{number_range(first, last)}, {said}")
    return "; ".join(parts)


def _name(model: LeadingModel, pooling: Pooling) -> str:
    return pooling.model if model == "random_effects" else model


def _described(model: LeadingModel, pooling: Pooling) -> str:
    if model == "random_effects":
        return f"random-effects model {random_effects_words(pooling)}"
    kind = "empirical" if model == EMPIRICAL else "cautious"
    return f"Bayesian model with the {kind} prior on heterogeneity"
