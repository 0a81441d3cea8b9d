"""Which model leads for how many trials, and why."""

from dataclasses import dataclass

from trial_evidence.config.methods import LeadingModel, Pooling
from trial_evidence.pool.engine.results import ModelName
from trial_evidence.words.models import INTERVAL_WORDS, number_word


@dataclass(frozen=True)
class Lead:
    """The model whose result is reported first.

    Attributes
    ----------
    model : str
        The leading model.
    co_primary : str or None
        A second model of equal rank, shown beside it.
    reason : str
        Why, in one sentence for the reader.
    """

    model: ModelName
    co_primary: ModelName | None
    reason: str


def leading_model(k: int, pooling: Pooling) -> Lead:
    """Choose the leading model by the number of trials.

    Parameters
    ----------
    k : int
        Trials pooled.
    pooling : Pooling
        The rules, and the random-effects model they speak of.

    Raises
    ------
    ValueError
        If there is no trial.

    Notes
    -----
    Two trials carry no usable information on heterogeneity, and every frequentist interval then
    depends on its convention: Röver C, Knapp G, Friede T. BMC Med Res Methodol 2015;15:99;
    Röver C et al. Res Synth Methods 2021;12:448-474.
    """
    if k < 1:
        raise ValueError("there is no trial to choose a model for")
    if k == 1:
        return Lead("single_trial", None, "One trial: its own result, nothing is pooled.")
    rule = [rule for rule in pooling.leading if rule.from_trials <= k][-1]
    reason = rule.reason or _described(rule.model, pooling).replace("–", "-")
    co_primary = None if rule.co_primary is None else _name(rule.co_primary, pooling)
    number = number_word(k)
    return Lead(
        _name(rule.model, pooling),
        co_primary,
        f"{number[0].upper()}{number[1:]} trials: {reason.removesuffix('.')}.",
    )


def random_effects_words(pooling: Pooling) -> str:
    """The random-effects model in words: by which estimator, with which interval."""
    interval = pooling.estimate_interval
    kind = "conservative " if interval.endswith("_conservative") else ""
    return f"by {pooling.tau2_estimator} with the {kind}{INTERVAL_WORDS[interval][1]} interval"


def leads_by_trials(pooling: Pooling) -> str:
    """Which model leads for how many trials, from one upwards, as the rest of a sentence."""
    parts = ["one trial, its own result"]
    for model, first, last in pooling.lead_ranges:
        trials = number_word(first)
        if last is None:
            trials += " or more"
        elif last > first:
            trials += f" to {number_word(last)}"
        random = f"random effects {random_effects_words(pooling)}"
        parts.append(f"{trials}, {'Bayesian' if model == 'bayesian' else random}")
    return "; ".join(parts)


def _name(model: LeadingModel, pooling: Pooling) -> ModelName:
    return pooling.model if model == "random_effects" else "bayesian"


def _described(model: LeadingModel, pooling: Pooling) -> str:
    if model == "bayesian":
        return "Bayesian model with a weakly informative prior on heterogeneity"
    return f"random-effects model {random_effects_words(pooling)}"
