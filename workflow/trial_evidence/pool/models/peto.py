"""Peto's one-step odds ratio, for rare events."""

import numpy as np

from trial_evidence.pool.engine.results import (
    Floats,
    Pooled,
    check_level,
    percent_weights,
    q_test,
    wald,
)
from trial_evidence.pool.models.mantel_haenszel import Counts


def score(a: Floats, n1: Floats, c: Floats, n0: Floats) -> tuple[Floats, Floats]:
    """Observed less expected events of the experimental arm, and their hypergeometric variance."""
    events, n = a + c, n1 + n0
    variance = n1 * n0 * events * (n - events) / (n**2 * (n - 1))
    return a - events * n1 / n, variance


def peto(counts: Counts, level: float = 95.0) -> Pooled | None:
    """Common odds ratio from observed less expected events, without continuity correction.

    Parameters
    ----------
    counts : Counts
        The trials' tables, measure ``odds_ratio``. A trial without any event, or with events only,
        has no variance and adds nothing.
    level : float
        Level of the interval in percent.

    Returns
    -------
    Pooled or None
        Log odds ratio sum(O - E)/sum(V), with V the hypergeometric variance. It is biased where the
        effect is large or the arms are of very different size. None where no trial has both events
        and non-events.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, lengths differ, the measure
        is not the odds ratio, or the level is no percentage.

    Notes
    -----
    Yusuf S, Peto R, Lewis J, Collins R, Sleight P. Prog Cardiovasc Dis 1985;27:335-371. As
    metafor's ``rma.peto``.
    """
    level = check_level(level)
    tables = counts.of_odds("Peto's method")
    difference, variance = score(*tables)
    if not difference.size:
        return None
    total = float(variance.sum())
    estimate, se = float(difference.sum()) / total, 1 / float(np.sqrt(total))
    k = difference.size
    q = float((variance * (difference / variance - estimate) ** 2).sum())
    return Pooled(
        model="peto",
        k=k,
        **wald(estimate, se, level),
        **q_test(q, k - 1),
        weights=percent_weights(variance),
    )
