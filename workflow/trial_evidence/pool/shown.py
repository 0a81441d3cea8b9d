"""What of the estimates is shown as the result: not every number that can be computed is."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.methods import Pooling
from trial_evidence.measures import MEASURES
from trial_evidence.words.printed import with_interval

CURVE = "digitised_curve"
# By what a standard error was worked out from.
_COMPUTED = {
    "lower limit": "{shown}% CI computed from the lower limit",
    "upper limit": "{shown}% CI computed from the upper limit",
    "p value": "{shown}% CI computed from the p value (imprecise where p is near 1)",
    "events": "{shown}% CI computed from the events",
}
# What trials are sorted by before their names; only weights fall.
_ORDERS = {"year": "year", "effect": "yi", "weight": "weight", "name": "trial", "precision": "vi"}
# Limits that differ by less than this share are one interval printed twice.
_SAME = 1e-9


def in_order(trials: pd.DataFrame, order: str) -> pd.DataFrame:
    """Trials of a group in the order that a figure asks for (``order`` of its configuration)."""
    by = _ORDERS[order]
    return trials.sort_values([by, "trial"], ascending=[by != "weight", True], kind="stable")


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


def own_values(record: Mapping[str, Any]) -> tuple[float, float, float]:
    """A trial's estimate and its limits; a rate as it was observed, its interval corrected."""
    observed = not MEASURES[record["measure"]].compares and record["corrected"] == "yes"
    estimate = record["rate" if observed else "estimate"]
    return estimate, record["estimate_low"], record["estimate_high"]


def own_result(record: Mapping[str, Any]) -> str:
    """A trial's estimate with its interval, as published where it was; ``""`` where it has none.

    As a forest plot prints it: a rate is in percent, without the sign.

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
    """Why the interval of a trial's ratio is not a published one at this level; empty where it is.

    Parameters
    ----------
    record : mapping
        A row of ``trials.csv``.
    level : float
        Level of the intervals beside it, in percent.

    Returns
    -------
    str
        An English text; ``{shown}`` in it is that of the interval shown.
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
