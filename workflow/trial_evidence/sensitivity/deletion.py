"""What each trial does to the pooled result: left out, added in turn, weighed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.pool.bayes.posterior import posterior_stack
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.engine.many import StackedFit
from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.probes.influence import Influence, cumulative, influence, leave_one_out
from trial_evidence.sensitivity.comparison import Comparison, table

_RESULT = [
    "k", "model", "leads", "estimate", "ci_low", "ci_high", "ci_level", "p_value", "pi_low",
    "pi_high", "tau2", "i2",
]  # fmt: skip
LEAVE_ONE_OUT_COLUMNS = ["setting", "analysis", "measure", "without", "trial", *_RESULT]
CUMULATIVE_COLUMNS = ["setting", "analysis", "measure", "added", "trial", "year", *_RESULT]
INFLUENCE_COLUMNS = [
    "setting", "analysis", "measure", "trial_id", "trial", *(f.name for f in fields(Influence))
]  # fmt: skip


def leave_one_out_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """The pooled result without each trial in turn.

    Returns
    -------
    DataFrame
        Columns ``LEAVE_ONE_OUT_COLUMNS``: for each trial left out (``without``, an id), the
        random-effects and the Bayesian result of the others; ``leads`` marks the one that leads
        for that number of trials.
    """
    records = []
    for c in comparisons:
        kept = ~np.eye(c.k, dtype=bool)
        for at, found in _both_models(c, leave_one_out, kept):
            trial = c.rows.iloc[at]
            name = {"without": trial["trial_id"], "trial": trial["trial"]}
            records.append(c.frame() | name | found)
    return table(records, LEAVE_ONE_OUT_COLUMNS)


def cumulative_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """The pooled result as trials were reported.

    Returns
    -------
    DataFrame
        Columns ``CUMULATIVE_COLUMNS``, a step a trial added, by year of report.
    """
    records = []
    for unsorted in comparisons:
        c = unsorted.by_year()
        kept = np.triu(np.ones((c.k, c.k), dtype=bool))
        for at, found in _both_models(c, cumulative, kept):
            trial = c.rows.iloc[at]
            name = {"added": trial["trial_id"], "trial": trial["trial"], "year": trial["year"]}
            records.append(c.frame() | name | found)
    return table(records, CUMULATIVE_COLUMNS)


def influence_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Deletion diagnostics of each trial in the random-effects model with Wald's variance.

    Returns
    -------
    DataFrame
        Columns ``INFLUENCE_COLUMNS``, on the analysis scale; see
        :class:`trial_evidence.pool.probes.influence.Influence`.
    """
    records = []
    for c in comparisons:
        found = influence(c.yi, c.vi, method=c.pooling.tau2_estimator)
        for at, (trial_id, trial) in enumerate(
            zip(c.rows["trial_id"], c.rows["trial"], strict=True)
        ):
            values = {f.name: float(getattr(found, f.name)[at]) for f in fields(Influence)}
            records.append(c.frame() | {"trial_id": trial_id, "trial": trial} | values)
    return table(records, INFLUENCE_COLUMNS)


def _both_models(
    c: Comparison, refit: Callable[..., StackedFit], kept: np.ndarray[Any, np.dtype[np.bool_]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Random-effects and Bayesian results of each column of `kept`, with its number."""
    fit = refit(
        c.yi,
        c.vi,
        method=c.pooling.tau2_estimator,
        interval=c.pooling.estimate_interval,
        prediction=c.pooling.prediction_interval,
        level=c.level,
    )
    bayes = posterior_stack(
        np.where(kept, c.yi[:, None], np.nan),
        np.where(kept, c.vi[:, None], np.nan),
        HalfNormal(c.prior_scale),
        c.level,
    )
    for at in range(kept.shape[1]):
        k = int(fit.k[at])
        lead = leading_model(k, c.pooling)
        shared = {"k": k, "ci_level": c.level}

        def natural(values: Floats, at: int = at) -> float:
            return c.natural(float(values[at]))

        own = "single_trial" if k == 1 else c.pooling.model
        yield (
            at,
            shared
            | {
                "model": own,
                "leads": "yes" if lead.model == own else "no",
                "estimate": natural(fit.estimate),
                "ci_low": natural(fit.ci_low),
                "ci_high": natural(fit.ci_high),
                "p_value": float(fit.p_value[at]),
                "pi_low": natural(fit.pi_low) if k > 1 else math.nan,
                "pi_high": natural(fit.pi_high) if k > 1 else math.nan,
                "tau2": float(fit.tau2[at]) if k > 1 else math.nan,
                "i2": float(fit.i2[at]) if k > 1 else math.nan,
            },
        )
        if k > 1:
            yield (
                at,
                shared
                | {
                    "model": "bayesian",
                    "leads": "yes" if lead.model == "bayesian" else "no",
                    "estimate": natural(bayes.median),
                    "ci_low": natural(bayes.ci_low),
                    "ci_high": natural(bayes.ci_high),
                    "pi_low": natural(bayes.pi_low),
                    "pi_high": natural(bayes.pi_high),
                    "tau2": float(bayes.tau_median[at]) ** 2,
                },
            )
