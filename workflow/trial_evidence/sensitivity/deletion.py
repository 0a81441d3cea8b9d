"""What each trial does to the pooled result: left out, added in turn, weighed."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.files import records
from trial_evidence.pool.bayes.posterior import posterior_stack
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.pool.engine.many import StackedFit
from trial_evidence.pool.engine.stacks import subsets
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.probes.influence import Influence, cumulative, influence, leave_one_out
from trial_evidence.sensitivity.comparison import BEGINNING, Comparison, table

_RESULT = [
    "k", "model", "leads", "estimate", "ci_low", "ci_high", "ci_level", "p_value", "pi_low",
    "pi_high", "tau2", "i2",
]  # fmt: skip
LEAVE_ONE_OUT_COLUMNS = [*BEGINNING, "without", "trial", *_RESULT]
CUMULATIVE_COLUMNS = [*BEGINNING, "added", "trial", "year", *_RESULT]
INFLUENCE_COLUMNS = [*BEGINNING, "trial_id", "trial", *(f.name for f in fields(Influence))]


def leave_one_out_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """The pooled result without each trial in turn.

    Returns
    -------
    DataFrame
        Columns ``LEAVE_ONE_OUT_COLUMNS``: for each trial left out (``without``, an id), the
        random-effects and the Bayesian result of the others; ``leads`` marks the one that leads
        for that number of trials.
    """

    def without_each(c: Comparison) -> Iterator[dict[str, Any]]:
        for trial, found in _both_models(c, leave_one_out, ~np.eye(c.k, dtype=bool)):
            yield {"without": trial["trial_id"], "trial": trial["trial"]} | found

    return table(comparisons, LEAVE_ONE_OUT_COLUMNS, without_each)


def cumulative_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """The pooled result as trials were reported.

    Returns
    -------
    DataFrame
        Columns ``CUMULATIVE_COLUMNS``, a step a trial added, by year of report.
    """

    def up_to_each(c: Comparison) -> Iterator[dict[str, Any]]:
        by_year = replace(c, rows=c.rows.sort_values(["year", "trial"], kind="stable"))
        so_far = np.triu(np.ones((c.k, c.k), dtype=bool))
        for trial, found in _both_models(by_year, cumulative, so_far):
            yield {"added": trial["trial_id"], **trial[["trial", "year"]]} | found

    return table(comparisons, CUMULATIVE_COLUMNS, up_to_each)


def influence_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Deletion diagnostics of each trial in the random-effects model with Wald's variance.

    Returns
    -------
    DataFrame
        Columns ``INFLUENCE_COLUMNS``, on the analysis scale; see
        :class:`trial_evidence.pool.probes.influence.Influence`.
    """

    def of_each(c: Comparison) -> list[dict[str, Any]]:
        found = vars(influence(c.yi, c.vi, method=c.pooling.tau2_estimator))
        return records(c.rows[["trial_id", "trial"]].assign(**found))

    return table(comparisons, INFLUENCE_COLUMNS, of_each)


def _both_models(
    c: Comparison, refit: Callable[..., StackedFit], kept: np.ndarray[Any, np.dtype[np.bool_]]
) -> Iterator[tuple[pd.Series, dict[str, Any]]]:
    """Random-effects and Bayesian results of each column of `kept`, with the trial it is about."""
    fit = refit(c.yi, c.vi, **c.choices)
    bayes = posterior_stack(*subsets(c.yi, c.vi, kept), HalfNormal(c.prior_scale), c.level)
    for at in range(kept.shape[1]):
        k = int(fit.k[at])
        own = {
            "model": "single_trial" if k == 1 else c.pooling.model,
            **c.naturals(fit, at=at),
            "p_value": fit.p_value[at],
        }
        results = [own]
        if k > 1:
            own |= {"tau2": fit.tau2[at], "i2": fit.i2[at]}
            results.append(c.bayesian(bayes, at))
        lead = leading_model(k, c.pooling).model
        for result in results:
            leads = "yes" if result["model"] == lead else "no"
            yield c.rows.iloc[at], {"k": k, "leads": leads} | result
