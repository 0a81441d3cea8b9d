"""One set of trials by every method: estimators, intervals, likelihoods, priors."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.methods import Sensitivity
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import EMPIRICAL_PRIORS, HalfCauchy, HalfNormal, TauPrior
from trial_evidence.pool.engine.bootstrap_prediction import bootstrap_prediction_interval
from trial_evidence.pool.engine.intervals import INTERVALS, PREDICTIONS
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.results import Pooled, Refused
from trial_evidence.pool.engine.tau2 import TAU2_ESTIMATORS
from trial_evidence.pool.models.binomial_normal import (
    NO_MAXIMUM,
    conditional_logistic,
    unconditional_logistic,
)
from trial_evidence.pool.models.counts import Counts, mantel_haenszel, peto
from trial_evidence.pool.models.random_effects import common_effect
from trial_evidence.sensitivity.comparison import (
    BEGINNING,
    MEAN,
    NEW_TRIAL,
    NOT_ODDS,
    Comparison,
    table,
)
from trial_evidence.words.models import BOOTSTRAP, CAUTIOUS, EMPIRICAL

METHOD_COLUMNS = [
    *BEGINNING, "model", "tau2_estimator", "interval", "prediction", "prior", "k", "estimate",
    "ci_low", "ci_high", "ci_level", "pi_low", "pi_high", "p_value", "tau2",
    "probability_of_benefit", "probability_worthwhile", "reason",
]  # fmt: skip
ODDS_MODELS: Mapping[str, Callable[[Counts, float], Pooled | Refused | None]] = {
    "peto": peto,
    "logistic_unconditional": unconditional_logistic,
    "logistic_conditional": conditional_logistic,
}
NO_DEGREES = "No degrees of freedom with so few trials."
ODDS_ONLY = "This prior was made for log odds ratios."


def methods_table(comparisons: tuple[Comparison, ...], choices: Sensitivity) -> pd.DataFrame:
    """Every method on every comparison.

    Returns
    -------
    DataFrame
        Columns ``METHOD_COLUMNS``, ratios on the natural scale. Random-effects rows have either an
        interval for the mean or one for a new trial, since the two are chosen separately. Methods
        that are not computed are listed with the ``reason``.
    """

    def by_every_method(c: Comparison) -> Iterator[dict[str, Any]]:
        yield from _random_effects(c)
        yield from _counted(c)
        yield from _bayesian(c, choices)

    return table(comparisons, METHOD_COLUMNS, by_every_method)


def _random_effects(c: Comparison) -> Iterator[dict[str, Any]]:
    for method in TAU2_ESTIMATORS:
        shared = {"model": "random_effects", "tau2_estimator": method}
        for interval in INTERVALS:
            fit = fit_stack(c.yi, c.vi, method=method, interval=interval, level=c.level)
            yield shared | {
                "interval": interval,
                **c.naturals(fit, MEAN, 0),
                **fit.only("p_value", "tau2"),
            }
        for prediction in PREDICTIONS:
            fit = fit_stack(c.yi, c.vi, method=method, prediction=prediction, level=c.level)
            yield shared | {
                "prediction": prediction,
                **c.naturals(fit, ("estimate", *NEW_TRIAL), 0),
                **fit.only("tau2"),
                "reason": NO_DEGREES if math.isnan(fit.pi_low[0]) else "",
            }
    low, high = bootstrap_prediction_interval(c.yi, c.vi, c.level)
    yield {
        "model": "random_effects",
        "prediction": BOOTSTRAP,
        "pi_low": c.natural(low),
        "pi_high": c.natural(high),
    }


def _counted(c: Comparison) -> Iterator[dict[str, Any]]:
    found: dict[str, Pooled | Refused | None] = {"common": common_effect(c.yi, c.vi, c.level)}
    counts, odds = c.counts, c.measure == "odds_ratio"
    if counts is not None:
        found["mantel_haenszel"] = mantel_haenszel(counts, c.level)
        for name, model in ODDS_MODELS.items():
            found[name] = model(counts, c.level) if odds else NOT_ODDS
        if odds:
            common = conditional_logistic(counts, c.level, common=True)
            found["logistic_conditional_common"] = common
    for name, result in found.items():
        if isinstance(result, Pooled):
            numbers = {n: getattr(result, n) for n in ("k", "p_value", "tau2")}
            yield {"model": name} | c.naturals(result) | numbers
        else:
            yield {"model": name, "reason": result.reason if result else NO_MAXIMUM}


def _bayesian(c: Comparison, choices: Sensitivity) -> Iterator[dict[str, Any]]:
    worthwhile = (math.log(choices.worthwhile_hazard_ratio),)
    turner = EMPIRICAL_PRIORS[choices.empirical_prior]
    scale = c.cautious_scale
    # The configured priors come first.
    priors: list[tuple[str, TauPrior]] = [
        *c.priors.items(),
        (CAUTIOUS, HalfNormal(choices.wide_prior_factor * scale)),
        (CAUTIOUS, HalfCauchy(scale)),
    ]
    if c.measure == "odds_ratio":
        priors.append((EMPIRICAL, turner))
    for model, prior in priors:
        found = posterior(c.yi, c.vi, prior, c.level, thresholds=worthwhile)
        timed = c.measure == "hazard_ratio"
        yield c.bayesian(found, model) | {
            "prior": found.prior,
            "probability_of_benefit": c.benefit(found.probability_below_zero),
            "probability_worthwhile": found.probabilities_below[0] if timed else None,
        }
    if c.measure != "odds_ratio":
        yield {"model": EMPIRICAL, "prior": turner.label, "reason": ODDS_ONLY}
