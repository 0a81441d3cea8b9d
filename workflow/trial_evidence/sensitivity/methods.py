"""One set of trials by every method: estimators, intervals, likelihoods, priors."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from trial_evidence.config.methods import Sensitivity
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import EMPIRICAL_PRIORS, HalfCauchy, HalfNormal, TauPrior
from trial_evidence.pool.engine.bootstrap_prediction import bootstrap_prediction_interval
from trial_evidence.pool.engine.intervals import INTERVALS, PREDICTIONS
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.pool.engine.results import Pooled
from trial_evidence.pool.engine.tau2 import TAU2_ESTIMATORS
from trial_evidence.pool.models.binomial_normal import (
    NO_MAXIMUM,
    conditional_logistic,
    unconditional_logistic,
)
from trial_evidence.pool.models.mantel_haenszel import mantel_haenszel
from trial_evidence.pool.models.peto import peto
from trial_evidence.pool.models.random_effects import common_effect
from trial_evidence.sensitivity.comparison import (
    LIMITS,
    MEAN,
    NEW_TRIAL,
    Comparison,
    nan_if_none,
    table,
)
from trial_evidence.words.models import BOOTSTRAP

METHOD_COLUMNS = [
    "setting", "analysis", "measure", "model", "tau2_estimator", "interval", "prediction",
    "prior", "k", "estimate", "ci_low", "ci_high", "ci_level", "pi_low", "pi_high", "p_value",
    "tau2", "probability_of_benefit", "probability_worthwhile", "reason",
]  # fmt: skip
ODDS_ONLY = "Defined for odds ratios alone."
NO_DEGREES = "No degrees of freedom with so few trials."
EMPIRICAL_ONLY = "The empirical prior was made for log odds ratios."


def methods_table(comparisons: tuple[Comparison, ...], choices: Sensitivity) -> pd.DataFrame:
    """Every method on every comparison.

    Returns
    -------
    DataFrame
        Columns ``METHOD_COLUMNS``, ratios on the natural scale. Random-effects rows hold either
        an interval of the mean or an interval for a new trial, since the two are chosen apart.
        What is not computed stands there with its ``reason``.
    """
    records = [
        comparison.frame() | {"k": comparison.k, "ci_level": comparison.level} | record
        for comparison in comparisons
        for record in (
            *_random_effects(comparison),
            *_counted(comparison),
            *_bayesian(comparison, choices),
        )
    ]
    return table(records, METHOD_COLUMNS)


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
    yield _of(c, "common", common_effect(c.yi, c.vi, c.level))
    counts = c.counts
    if counts is None:
        return
    yield _of(c, "mantel_haenszel", mantel_haenszel(counts, c.level))
    for name, function in (
        ("peto", peto),
        ("logistic_unconditional", unconditional_logistic),
        ("logistic_conditional", conditional_logistic),
    ):
        if c.measure != "odds_ratio":
            yield {"model": name, "reason": ODDS_ONLY}
        else:
            yield _of(c, name, function(counts, c.level))
    if c.measure == "odds_ratio":
        common = conditional_logistic(counts, c.level, common=True)
        yield _of(c, "logistic_conditional_common", common)


def _of(c: Comparison, model: str, result: Pooled | Refused | None) -> dict[str, Any]:
    if not isinstance(result, Pooled):
        return {"model": model, "reason": result.reason if result else NO_MAXIMUM}
    return {
        "model": model,
        "k": result.k,
        **c.naturals(result),
        "p_value": nan_if_none(result.p_value),
        "tau2": nan_if_none(result.tau2),
    }


def priors(c: Comparison, choices: Sensitivity) -> tuple[TauPrior, ...]:
    """Priors on tau to compare; the configured one comes first."""
    found: tuple[TauPrior, ...] = (
        HalfNormal(c.prior_scale),
        HalfNormal(choices.wide_prior_factor * c.prior_scale),
        HalfCauchy(c.prior_scale),
    )
    return (
        (*found, EMPIRICAL_PRIORS[choices.empirical_prior]) if c.measure == "odds_ratio" else found
    )


def _bayesian(c: Comparison, choices: Sensitivity) -> Iterator[dict[str, Any]]:
    timed = c.measure == "hazard_ratio"
    thresholds = (math.log(choices.worthwhile_hazard_ratio),) if timed else ()
    for prior in priors(c, choices):
        found = posterior(c.yi, c.vi, prior, c.level, thresholds=thresholds)
        yield {
            "model": "bayesian",
            "prior": found.prior,
            "estimate": c.natural(found.median),
            **c.naturals(found, LIMITS),
            "tau2": found.tau_median**2,
            "probability_of_benefit": c.benefit(found.probability_below_zero),
            "probability_worthwhile": found.probabilities_below[0] if timed else math.nan,
        }
    if c.measure != "odds_ratio":
        prior = EMPIRICAL_PRIORS[choices.empirical_prior]
        yield {"model": "bayesian", "prior": prior.label, "reason": EMPIRICAL_ONLY}
