"""Names of models and intervals, as figures, tables and pages print them."""

from itertools import product
from typing import Final

TAU2_ESTIMATOR_NAMES = ("DL", "REML", "ML", "PM", "HE", "SJ", "EB", "HS")
# Confidence interval of the mean: suffix of the model's name, short name, full name.
INTERVAL_WORDS = {
    "wald": ("wald", "Wald", "Wald interval"),
    "t": ("t", "t", "t interval"),
    "hartung_knapp": ("hk_plain", "Hartung–Knapp", "Hartung–Knapp interval"),
    "hartung_knapp_conservative": (
        "hk", "floored Hartung–Knapp",
        "floored Hartung–Knapp interval, never narrower than Wald",
    ),
}  # fmt: skip
BOOTSTRAP = "bootstrap"
PREDICTION_WORDS = {
    "t_k_minus_1": "t with k − 1 degrees of freedom and Wald’s standard error",
    "t_k_minus_2": "t with k − 2 degrees of freedom and Wald’s standard error",
    "hartung_knapp_k_minus_1":
        "t with k − 1 degrees of freedom and the unfloored Hartung–Knapp standard error",
    "hartung_knapp_k_minus_2":
        "t with k − 2 degrees of freedom and the unfloored Hartung–Knapp standard error",
    "conservative_k_minus_1":
        "t with k − 1 degrees of freedom and the floored Hartung–Knapp standard error",
    "conservative_k_minus_2":
        "t with k − 2 degrees of freedom and the floored Hartung–Knapp standard error",
    BOOTSTRAP: "bootstrap of the confidence distribution of τ²",
}  # fmt: skip


_NUMBERS = ("none", "one", "two", "three", "four")


def number_word(number: int) -> str:
    """A whole number, as a word up to four (zero is ``none``) and in digits beyond."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def number_range(first: int, last: int | None) -> str:
    """A range in words: ``two``, ``two to four``; ``five or more`` if there is no last number."""
    if last is None:
        return f"{number_word(first)} or more"
    return number_word(first) if last == first else f"{number_word(first)} to {number_word(last)}"


def random_model(tau2_estimator: str, estimate_interval: str) -> str:
    """Name of a random-effects model in the column ``model``, for example ``random_reml_hk``."""
    return f"random_{tau2_estimator.lower()}_{INTERVAL_WORDS[estimate_interval][0]}"


def is_random_effects(model: str) -> bool:
    """Whether a name in the column ``model`` is a random-effects model, ``random_...``."""
    return model.startswith("random_")


# The Bayesian models: prior for tau from other meta-analyses, and cautious half-normal prior.
EMPIRICAL: Final = "bayesian_empirical"
CAUTIOUS: Final = "bayesian"


PRIOR_NAMES = {EMPIRICAL: "empirical prior", CAUTIOUS: "cautious prior"}
MODEL_PHRASES = {
    model: f"the Bayesian model with the {prior}" for model, prior in PRIOR_NAMES.items()
}


def is_bayesian(model: str) -> bool:
    """Whether a name in the column ``model`` is one of the Bayesian models."""
    return model in (EMPIRICAL, CAUTIOUS)


_RANDOM = {
    random_model(estimator, interval): f"{estimator}, {words[1]}"
    for estimator, (interval, words) in product(TAU2_ESTIMATOR_NAMES, INTERVAL_WORDS.items())
}
_OTHERS = {
    **{model: f"Bayesian, {prior}" for model, prior in PRIOR_NAMES.items()},
    "common": "Common effect",
    "dersimonian_laird": "DerSimonian–Laird",
    "mantel_haenszel": "Mantel–Haenszel",
}
MODEL_NAMES = {model: f"Random effects ({name})" for model, name in _RANDOM.items()} | _OTHERS
# Network tables show all their intervals together, whatever is configured.
_OF_NETWORKS = {"random_reml": "REML, Wald", "random_dl": "DL, Wald"}
SHORT_MODEL_NAMES = _RANDOM | _OTHERS | _OF_NETWORKS | {"single_trial": "one trial"}
# Methods of the sensitivity analyses, and tests for small-study effects.
METHOD_NAMES = SHORT_MODEL_NAMES | {
    "random_effects": "Random effects",
    "peto": "Peto",
    "logistic_unconditional": "Logistic, unconditional",
    "logistic_conditional": "Logistic, conditional",
    "logistic_conditional_common": "Logistic, conditional, common effect",
    "egger": "Egger",
    "harbord": "Harbord",
    "peters": "Peters",
    "trim_and_fill": "Trim and fill",
    "pet_peese": "PET-PEESE",
    "selection_model": "Selection model",
}
