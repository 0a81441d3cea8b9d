"""Each trial's effect as the others make it: the posterior means of the trials' own effects."""

from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.files import records
from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.sensitivity.comparison import BEGINNING, Comparison, table

SHRINKAGE_COLUMNS = [
    *BEGINNING, "trial_id", "trial", "prior", "estimate", "shrunken_estimate", "yi", "se",
    "shrunken_mean", "shrunken_sd",
]  # fmt: skip


def shrinkage_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Effect of every trial, alone and in the Bayesian models with the configured priors.

    Returns
    -------
    DataFrame
        Columns ``SHRINKAGE_COLUMNS``: ``estimate`` is the trial's own, ``shrunken_estimate`` its
        posterior mean, both on the natural scale; ``yi``, ``se``, ``shrunken_mean`` and
        ``shrunken_sd`` are the same with their standard errors on the analysis scale.
    """

    def of_each(c: Comparison) -> list[dict[str, Any]]:
        return [row for prior in c.priors.values() for row in records(_shrunken(c, prior))]

    return table(comparisons, SHRINKAGE_COLUMNS, of_each)


def _shrunken(c: Comparison, prior: TauPrior) -> pd.DataFrame:
    found = posterior(c.yi, c.vi, prior, c.level)
    return c.rows[["trial_id", "trial", "yi"]].assign(
        prior=found.prior,
        estimate=[c.natural(y) for y in c.yi],
        shrunken_estimate=[c.natural(mean) for mean in found.shrinkage_mean],
        se=np.sqrt(c.vi),
        shrunken_mean=found.shrinkage_mean,
        shrunken_sd=found.shrinkage_sd,
    )
