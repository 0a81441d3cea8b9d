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
        numbers = (c.trials(), c.yi.tolist(), c.vi.tolist(), found.shrinkage_mean)
        for trial, y, v, mean, sd in zip(*numbers, found.shrinkage_sd, strict=True):
            estimates = {"estimate": c.natural(y), "shrunken_estimate": c.natural(mean)}
            own = {"yi": y, "se": v**0.5, "shrunken_mean": mean, "shrunken_sd": sd}
            records.append(c.frame() | trial | {"prior": found.prior} | estimates | own)
    return table(records, SHRINKAGE_COLUMNS)
