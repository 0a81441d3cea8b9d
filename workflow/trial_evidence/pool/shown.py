"""What of the estimates is shown as the result: not every number that can be computed is."""

import numpy as np
import pandas as pd

from trial_evidence.config.methods import Pooling

# Limits that differ by less than this share are one interval printed twice.
_SAME = 1e-9


def shown_estimates(estimates: pd.DataFrame, pooling: Pooling) -> pd.DataFrame:
    """Estimates without prediction intervals that tell a reader nothing.

    Those of fewer trials than the configuration asks for rest on a heterogeneity that so few cannot
    show; one that equals the interval of the mean, as where tau2 is zero, repeats it.

    Parameters
    ----------
    estimates : DataFrame
        Columns ``trial_evidence.pool.columns.ESTIMATE_COLUMNS``.
    pooling : Pooling
        Says from how many trials on.
    """
    ends = estimates[["pi_low", "pi_high"]].to_numpy(float)
    mean = estimates[["ci_low", "ci_high"]].to_numpy(float)
    repeats = np.isclose(ends, mean, rtol=_SAME, atol=0).all(axis=1)
    few = estimates["k"].to_numpy(float) < pooling.prediction_from_trials
    hidden = repeats | few
    low, high = (estimates[end].mask(hidden) for end in ("pi_low", "pi_high"))
    return estimates.assign(pi_low=low, pi_high=high)
