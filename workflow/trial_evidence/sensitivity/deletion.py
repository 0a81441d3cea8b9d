"""Each trial in relation to the others: left out, added in turn, weighted, shrunken."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.files import records
from trial_evidence.pool.bayes.posterior import posterior, posterior_stack
from trial_evidence.pool.engine.many import StackedFit
from trial_evidence.pool.engine.stacks import subsets
from trial_evidence.pool.probes.influence import Influence, cumulative, influence, leave_one_out
from trial_evidence.sensitivity.comparison import BEGINNING, MANY, Comparison, table

SINGLE_TRIAL = "single_trial"

_RESULT = [
    "k", "model", "leads", "estimate", "ci_low", "ci_high", "ci_level", "p_value", "pi_low",
    "pi_high", "tau2", "i2",
]  # fmt: skip
LEAVE_ONE_OUT_COLUMNS = [*BEGINNING, "without", "trial", *_RESULT]
CUMULATIVE_COLUMNS = [*BEGINNING, "added", "trial", "year", *_RESULT]
INFLUENCE_COLUMNS = [*BEGINNING, "trial_id", "trial", *(f.name for f in fields(Influence))]
SHRINKAGE_COLUMNS = [
    *BEGINNING, "trial_id", "trial", "prior", "estimate", "shrunken_estimate", "yi", "se",
    "shrunken_mean", "shrunken_sd",
]  # fmt: skip


def leave_one_out_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """The pooled result without each trial in turn.

    Returns
    -------
    DataFrame
        Columns ``LEAVE_ONE_OUT_COLUMNS``: for each trial left out (``without``, an id), the
        random-effects and the Bayesian results of the others, in the order of the forest plot;
        ``leads`` marks the model that leads with all trials, or the result of the only trial left.
    """

    def without_each(c: Comparison) -> Iterator[dict[str, Any]]:
        # The model for all trials: a change of model would be mistaken for the effect of the trial.
        lead = c.lead(c.k).model
        without = _by_model(c, leave_one_out, ~np.eye(c.k, dtype=bool))
        place = {trial_id: at for at, trial_id in enumerate(c.listed)}
        for trial, found in sorted(without, key=lambda one: place.get(one[0]["trial_id"], 0)):
            named = {"without": trial["trial_id"], "trial": trial["trial"]}
            yield named | _leads(found, lead)

    return table(comparisons, LEAVE_ONE_OUT_COLUMNS, without_each)


def cumulative_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """The pooled result as trials accumulated.

    Returns
    -------
    DataFrame
        Columns ``CUMULATIVE_COLUMNS``, one step per trial added, by year of report.
    """

    def up_to_each(c: Comparison) -> Iterator[dict[str, Any]]:
        by_year = replace(c, rows=c.rows.sort_values(["year", "trial"], kind="stable"))
        so_far = np.triu(np.ones((c.k, c.k), dtype=bool))
        for trial, found in _by_model(by_year, cumulative, so_far):
            named = {"added": trial["trial_id"], **trial[["trial", "year"]]}
            yield named | _leads(found, c.lead(found["k"]).model)

    return table(comparisons, CUMULATIVE_COLUMNS, up_to_each)


def influence_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Deletion diagnostics of each trial in the random-effects model with the Wald variance.

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


def _by_model(
    c: Comparison, refit: Callable[..., StackedFit], kept: np.ndarray[Any, np.dtype[np.bool_]]
) -> Iterator[tuple[pd.Series, dict[str, Any]]]:
    """Random-effects and Bayesian results for each column of `kept`, with the trial concerned.

    Sets of more than `MANY` trials have no Bayesian results, unless these lead.
    """
    fit = refit(c.yi, c.vi, **c.choices)
    sizes = fit.k.astype(int).tolist()
    asked = [at for at, k in enumerate(sizes) if k <= MANY or c.lead(k).model != c.pooling.model]
    place = {at: among for among, at in enumerate(asked)}
    here = kept[:, asked]
    held = here.any(axis=1)
    parts = subsets(c.yi[held], c.vi[held], here[held])
    priors = c.priors.items() if asked else ()
    bayes = {name: posterior_stack(*parts, prior, c.level) for name, prior in priors}
    for at in range(kept.shape[1]):
        k = sizes[at]
        own = {
            "k": k,
            "model": SINGLE_TRIAL if k == 1 else c.pooling.model,
            **c.naturals(fit, at=at),
            "p_value": fit.p_value[at],
        }
        if k == 1:
            own |= c.published(int(np.argmax(kept[:, at])))
        else:
            own |= {"tau2": fit.tau2[at], "i2": fit.i2[at]}
        yield c.rows.iloc[at], own
        for name, found in bayes.items() if k > 1 and at in place else ():
            yield c.rows.iloc[at], {"k": k} | c.bayesian(found, name, place[at])


def _leads(found: dict[str, Any], lead: str) -> dict[str, Any]:
    return found | {"leads": "yes" if found["model"] in (lead, SINGLE_TRIAL) else "no"}


def shrinkage_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Effect of every trial, alone and in the Bayesian models with the configured priors.

    Returns
    -------
    DataFrame
        Columns ``SHRINKAGE_COLUMNS``: ``estimate`` is the trial's own, ``shrunken_estimate`` its
        posterior mean, both on the natural scale; ``yi``, ``se``, ``shrunken_mean`` and
        ``shrunken_sd`` are the same with their standard errors on the analysis scale.
    """

    def of_each(c: Comparison) -> Iterator[dict[str, Any]]:
        for prior in c.priors.values():
            found = posterior(c.yi, c.vi, prior, c.level)
            shrunken = c.rows[["trial_id", "trial", "yi"]].assign(
                prior=found.prior,
                estimate=[c.natural(y) for y in c.yi],
                shrunken_estimate=[c.natural(mean) for mean in found.shrinkage_mean],
                se=np.sqrt(c.vi),
                shrunken_mean=found.shrinkage_mean,
                shrunken_sd=found.shrinkage_sd,
            )
            yield from records(shrunken)

    return table(comparisons, SHRINKAGE_COLUMNS, of_each)
