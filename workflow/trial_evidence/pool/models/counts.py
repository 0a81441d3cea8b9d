"""Pooling of two-by-two tables without continuity correction: Mantel-Haenszel and Peto."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trial_evidence.measures import COUNT_COLUMNS
from trial_evidence.measures.effects import FROM_COUNTS, check_tables
from trial_evidence.pool.engine.results import (
    Floats,
    Pooled,
    check_level,
    percent_weights,
    q_test,
    wald,
)


@dataclass(frozen=True)
class Counts:
    """Two-by-two tables of the trials in one analysis, and the measure to pool.

    Attributes
    ----------
    events_e, n_e, events_c, n_c : array_like of shape (k,)
        Patients with the event and patients analysed, experimental and control arm.
    measure : str
        ``risk_ratio``, ``odds_ratio`` or ``risk_difference``.
    """

    events_e: npt.ArrayLike
    n_e: npt.ArrayLike
    events_c: npt.ArrayLike
    n_c: npt.ArrayLike
    measure: str

    @property
    def tables(self) -> tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]:
        """The counts in the argument order of the effect-size functions."""
        return self.events_e, self.n_e, self.events_c, self.n_c

    @property
    def has_empty_arm(self) -> bool:
        """Whether any arm of any trial has no events."""
        return bool((np.array([self.events_e, self.events_c]) == 0).any())

    def of_odds(self, method: str) -> tuple[Floats, Floats, Floats, Floats]:
        """Events and patients of both arms, for trials with both events and non-events.

        Parameters
        ----------
        method : str
            Name of the calling method, which is only valid for odds ratios, for the message.

        Raises
        ------
        ValueError
            If the measure is not the odds ratio, there is no trial, a count is missing, negative or
            above n, n is not positive, or lengths differ.
        """
        if self.measure != "odds_ratio":
            raise ValueError(f"{method} is for odds ratios, not {self.measure}")
        a, n1, c, n0 = check_tables(*self.tables)
        if not a.size:
            raise ValueError(f"{method} needs a trial")
        keep = (a + c > 0) & (a + c < n1 + n0)
        return a[keep], n1[keep], c[keep], n0[keep]


def counts_of(rows: pd.DataFrame, measure: str) -> Counts | None:
    """Two-by-two tables from rows of the evidence; None if the measure does not use them."""
    if measure not in ESTIMATES:
        return None
    events_e, n_e, events_c, n_c = (rows[column].to_numpy(float) for column in COUNT_COLUMNS)
    return Counts(events_e, n_e, events_c, n_c, measure)


def mantel_haenszel(counts: Counts, level: float = 95.0) -> Pooled | None:
    """Mantel-Haenszel common effect, without continuity correction.

    Parameters
    ----------
    counts : Counts
        The trials' tables. For a ratio, a trial with no events in either arm, or with events in all
        patients of both, is dropped: it counts neither in k nor in Q, and has no weight in the
        result.
    level : float
        Level of the interval in percent.

    Returns
    -------
    Pooled or None
        Log ratio or risk difference. Q compares the trials' own effects with it; for these, zero
        cells get 0.5 as in `trial_evidence.measures.effects`. None if the ratio has no estimate
        (no events or, for odds, only events, in one arm of all the trials), or if the difference
        has no standard error (no events, or only events, in every arm).

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, lengths differ, there are
        fewer than two trials, or the level is not a percentage.

    Notes
    -----
    Standard errors: risk ratio Greenland S, Robins JM. Biometrics 1985;41:55-68; odds ratio
    Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323; risk difference Sato T,
    Greenland S, Robins JM. Biometrics 1989;45:1323-1324. Same choices as metafor's ``rma.mh``.
    """
    level = check_level(level)
    trials = FROM_COUNTS[counts.measure](*counts.tables)
    if trials.yi.size < 2:
        raise ValueError(f"needs at least 2 trials, not {trials.yi.size}")
    # Trials without information about a ratio contribute nothing and do not count.
    says = trials.informative
    k = int(says.sum())
    fitted = ESTIMATES[counts.measure](*(np.asarray(x, dtype=float)[says] for x in counts.tables))
    if fitted is None or not fitted[1] > 0:
        return None
    estimate, se, weights = fitted
    q = float(((trials.yi[says] - estimate) ** 2 / trials.vi[says]).sum())
    return Pooled(
        model="mantel_haenszel",
        k=k,
        **wald(estimate, se, level),
        **q_test(q, k - 1),
        weights=percent_weights(weights),
    )


def _risk_ratio(a: Floats, n1: Floats, c: Floats, n0: Floats) -> tuple[float, float, Floats] | None:
    n = n1 + n0
    top, bottom = float((a * n0 / n).sum()), float((c * n1 / n).sum())
    if top == 0 or bottom == 0:
        return None
    spread = float(((n1 * n0 * (a + c) - a * c * n) / n**2).sum())
    return float(np.log(top / bottom)), float(np.sqrt(spread / (top * bottom))), c * n1 / n


def _odds_ratio(a: Floats, n1: Floats, c: Floats, n0: Floats) -> tuple[float, float, Floats] | None:
    b, d, n = n1 - a, n0 - c, n1 + n0
    if (a * d).sum() == 0 or (b * c).sum() == 0:
        return None
    # A slow import, only needed where odds ratios are pooled.
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables = StratifiedTable(np.array([[a, b], [c, d]]))
    return float(tables.logodds_pooled), float(tables.logodds_pooled_se), b * c / n


def _risk_difference(a: Floats, n1: Floats, c: Floats, n0: Floats) -> tuple[float, float, Floats]:
    n = n1 + n0
    weights = n1 * n0 / n
    total = float(weights.sum())
    estimate = float((a * n0 / n - c * n1 / n).sum()) / total
    p = (c * (n1 / n) ** 2 - a * (n0 / n) ** 2 + n1 * n0 * (n0 - n1) / (2 * n**2)).sum()
    q = ((a * (n0 - c) + c * (n1 - a)) / (2 * n)).sum()
    # Zero up to rounding if all patients in one arm and none in the other have the event.
    return estimate, float(np.sqrt(max(estimate * p + q, 0.0))) / total, weights


ESTIMATES = {
    "risk_ratio": _risk_ratio,
    "odds_ratio": _odds_ratio,
    "risk_difference": _risk_difference,
}


def score(a: Floats, n1: Floats, c: Floats, n0: Floats) -> tuple[Floats, Floats]:
    """Observed minus expected events in the experimental arm, and their hypergeometric variance."""
    events, n = a + c, n1 + n0
    variance = n1 * n0 * events * (n - events) / (n**2 * (n - 1))
    return a - events * n1 / n, variance


def peto(counts: Counts, level: float = 95.0) -> Pooled | None:
    """Peto's common odds ratio from observed minus expected events, uncorrected.

    Parameters
    ----------
    counts : Counts
        The trials' tables, measure ``odds_ratio``. A trial with no events, or with events in all
        patients, has no variance and contributes nothing.
    level : float
        Level of the interval in percent.

    Returns
    -------
    Pooled or None
        Log odds ratio sum(O - E)/sum(V), with V the hypergeometric variance. It is biased if the
        effect is large or the arms differ greatly in size. None if no trial has both events and
        non-events.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, lengths differ, the measure
        is not the odds ratio, or the level is not a percentage.

    Notes
    -----
    Yusuf S, Peto R, Lewis J, Collins R, Sleight P. Prog Cardiovasc Dis 1985;27:335-371. As in
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
