"""Which estimates are shown as results; not every number that can be computed should be."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.methods import Pooling
from trial_evidence.measures import MEASURES
from trial_evidence.sheet.values import CURVE
from trial_evidence.words.printed import with_interval

# Remark, by the source of the standard error.
_COMPUTED = {
    "lower limit": "{shown}% CI computed from the lower limit",
    "upper limit": "{shown}% CI computed from the upper limit",
    "p value": "{shown}% CI computed from the p value (imprecise where p is near 1)",
    "events": "{shown}% CI computed from the events",
}
# Column that trials are sorted by before their names; only weight is descending.
_ORDERS = {"year": "year", "effect": "yi", "weight": "weight", "name": "trial", "precision": "vi"}
# Intervals whose limits differ by less than this relative amount are identical.
_SAME = 1e-9


def in_order(trials: pd.DataFrame, order: str) -> pd.DataFrame:
    """Trials of a group in the order that a figure specifies (``order`` in its configuration)."""
    by = _ORDERS[order]
    return trials.sort_values([by, "trial"], ascending=[by != "weight", True], kind="stable")


def shown_estimates(estimates: pd.DataFrame, pooling: Pooling) -> pd.DataFrame:
    """Estimates with uninformative prediction intervals removed.

    With fewer trials than configured, the heterogeneity behind the interval cannot be estimated; an
    interval equal to that of the mean, as when tau2 is zero, only repeats it.

    Parameters
    ----------
    estimates : DataFrame
        Columns ``trial_evidence.pool.columns.ESTIMATE_COLUMNS``.
    pooling : Pooling
        Gives the smallest number of trials for a prediction interval.
    """
    ends = estimates[["pi_low", "pi_high"]].to_numpy(float)
    mean = estimates[["ci_low", "ci_high"]].to_numpy(float)
    repeats = np.isclose(ends, mean, rtol=_SAME, atol=0).all(axis=1)
    few = estimates["k"].to_numpy(float) < pooling.prediction_from_trials
    hidden = repeats | few
    low, high = (estimates[end].mask(hidden) for end in ("pi_low", "pi_high"))
    return estimates.assign(pi_low=low, pi_high=high)


def own_values(record: Mapping[str, Any]) -> tuple[float, float, float]:
    """A trial's estimate and limits; a rate is the one observed, without continuity correction."""
    observed = not MEASURES[record["measure"]].compares and record["corrected"] == "yes"
    estimate = record["rate" if observed else "estimate"]
    return estimate, record["estimate_low"], record["estimate_high"]


def own_result(record: Mapping[str, Any]) -> str:
    """A trial's estimate with its interval, as published if possible; ``""`` if missing.

    In the form used in forest plots: a rate is in percent, without the % sign.

    Parameters
    ----------
    record : mapping
        A row of ``trials.csv`` or ``rates.csv``.
    """
    if math.isnan(record["estimate"]):
        return ""
    if record.get("published"):
        return str(record["published"])
    measure = MEASURES[record["measure"]]
    estimate, low, high = (measure.factor * value for value in own_values(record))
    return with_interval(estimate, low, high, digits=measure.digits)


def interval_remark(record: Mapping[str, Any], level: float) -> str:
    """Remark on a trial's interval if it is not published at this level; otherwise ``""``.

    Parameters
    ----------
    record : mapping
        A row of ``trials.csv``.
    level : float
        Level of the other intervals shown, in percent.

    Returns
    -------
    str
        English text; ``{shown}`` stands for the level of the trial's interval.
    """
    if "published" not in record or MEASURES[record["measure"]].kind != "contrasts":
        return ""
    if record["published"]:
        return "{shown}% CI as published" if record["estimate_level"] != level else ""
    if record["inverted"] == "yes":
        return "Published ratio and interval inverted"
    if record["se_source"] == "interval":
        return (
            "Read from the published curve" if record["derivation"] == CURVE else "Not as published"
        )
    return _COMPUTED.get(record["se_source"], "")
