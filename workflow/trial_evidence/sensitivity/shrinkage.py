"""Each trial's effect as the others make it: the posterior means of the trials' own effects."""

import pandas as pd

from trial_evidence.pool.bayes.posterior import posterior
from trial_evidence.pool.bayes.priors import HalfNormal
from trial_evidence.sensitivity.comparison import Comparison, table

SHRINKAGE_COLUMNS = [
    "setting", "analysis", "measure", "trial_id", "trial", "prior", "estimate",
    "shrunken_estimate", "yi", "se", "shrunken_mean", "shrunken_sd",
]  # fmt: skip


def shrinkage_table(comparisons: tuple[Comparison, ...]) -> pd.DataFrame:
    """Effect of every trial, alone and in the Bayesian model with the configured prior.

    Returns
    -------
    DataFrame
        Columns ``SHRINKAGE_COLUMNS``: ``estimate`` is the trial's own, ``shrunken_estimate`` its
        posterior mean, both on the natural scale; ``yi``, ``se``, ``shrunken_mean`` and
        ``shrunken_sd`` are the same with their standard errors on the analysis scale.
    """
    records = []
    for c in comparisons:
        found = posterior(c.yi, c.vi, HalfNormal(c.prior_scale), c.level)
        for at, trial in enumerate(c.rows["trial_id"]):
            mean = found.shrinkage_mean[at]
            records.append(
                c.frame()
                | {
                    "trial_id": trial,
                    "trial": c.rows["trial"].iloc[at],
                    "prior": found.prior,
                    "estimate": c.natural(float(c.yi[at])),
                    "shrunken_estimate": c.natural(mean),
                    "yi": float(c.yi[at]),
                    "se": float(c.vi[at]) ** 0.5,
                    "shrunken_mean": mean,
                    "shrunken_sd": found.shrinkage_sd[at],
                }
            )
    return table(records, SHRINKAGE_COLUMNS)
