"""Every model for one set of trials."""

import numpy as np
import numpy.typing as npt

from trial_evidence.config.methods import Pooling
from trial_evidence.pool.bayes.posterior import bayesian
from trial_evidence.pool.bayes.priors import Priors
from trial_evidence.pool.engine.results import Pooled, check_effects
from trial_evidence.pool.models.counts import Counts, mantel_haenszel
from trial_evidence.pool.models.random_effects import (
    common_effect,
    dersimonian_laird_wald,
    random_effects,
    single_trial,
)


def pool_all(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    pooling: Pooling,
    level: float,
    priors: Priors,
    counts: Counts | None = None,
) -> tuple[Pooled, ...]:
    """All models for one set of trials, in a fixed order.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    pooling : Pooling
        The configured random-effects model.
    level : float
        Level of the intervals in percent.
    priors : mapping of str to TauPrior
        Bayesian model -> its prior for tau, in units of `yi`.
    counts : Counts, optional
        The same trials' two-by-two tables, for Mantel-Haenszel.

    Returns
    -------
    tuple of Pooled
        The random-effects model (``random_reml_hk`` or similar), ``common``,
        ``dersimonian_laird``, ``mantel_haenszel`` (with counts, if it has an estimate), then the
        Bayesian models; for one trial only ``single_trial``.

    Raises
    ------
    ValueError
        If the input cannot be pooled, or the numbers of tables and effects differ.
    """
    y, v = check_effects(yi, vi)
    if y.size == 1:
        return (single_trial(y, v, level),)
    models = [
        random_effects(
            y,
            v,
            level,
            tau2_estimator=pooling.tau2_estimator,
            estimate_interval=pooling.estimate_interval,
            prediction_interval=pooling.prediction_interval,
        ),
        common_effect(y, v, level),
        dersimonian_laird_wald(y, v, level),
    ]
    if counts is not None:
        tables = len(np.asarray(counts.events_e))
        if tables != y.size:
            raise ValueError(f"{y.size} effects but {tables} two-by-two tables")
        by_counts = mantel_haenszel(counts, level)
        if by_counts is not None:
            models.append(by_counts)
    by_prior = (bayesian(y, v, prior, name, level) for name, prior in priors.items())
    return (*models, *by_prior)
