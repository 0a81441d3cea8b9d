"""Effect sizes of single trials: yi on the analysis scale and its sampling variance vi.

Ratios are analysed as natural logarithms; each function states the scale of differences and
proportions. The comparison is always experimental versus control: a log ratio below zero means
fewer events, or a lower hazard, in the experimental arm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CONTINUITY_CORRECTION = 0.5


@dataclass(frozen=True)
class EffectSizes:
    """One effect size per trial, in input order.

    Attributes
    ----------
    yi : numpy.ndarray of float, shape (k,)
        Effect on the analysis scale.
    vi : numpy.ndarray of float, shape (k,)
        Its sampling variance.
    corrected : numpy.ndarray of bool, shape (k,)
        True where 0.5 was added to the cells of that trial because one of them was zero.
    informative : numpy.ndarray of bool, shape (k,)
        False where the trial carries no information about the effect and must not be pooled: on a
        ratio scale, no events in either arm, or events in all patients of both. Its yi and vi then
        come from the correction alone.
    """

    yi: Floats
    vi: Floats
    corrected: Flags
    informative: Flags


def check_counts(events: npt.ArrayLike, n: npt.ArrayLike, arm: str) -> tuple[Floats, Floats]:
    """Counts of one arm per trial as arrays; the error gives the positions of impossible counts.

    Parameters
    ----------
    events, n : array_like of shape (k,)
        Patients with the event and patients analysed.
    arm : str
        Name of the arm, for the message.

    Raises
    ------
    ValueError
        If lengths differ, or events do not lie between 0 and a positive n.
    """
    x, total = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    if x.ndim != 1 or total.ndim != 1:
        raise ValueError(f"{arm}: events and n must be one-dimensional, one value a trial")
    if x.size != total.size:
        raise ValueError(f"{arm}: {x.size} values of events but {total.size} of n")
    bad = ~(np.isfinite(x) & np.isfinite(total) & (total > 0) & (x >= 0) & (x <= total))
    if bad.any():
        raise ValueError(
            f"{arm}: events must lie between 0 and n, and n above 0, "
            f"at positions {np.flatnonzero(bad).tolist()}"
        )
    return x, total


def check_tables(
    events_e: npt.ArrayLike, n_e: npt.ArrayLike, events_c: npt.ArrayLike, n_c: npt.ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """Counts of both arms per trial as arrays; raises ValueError as `check_counts` does."""
    a, n1 = check_counts(events_e, n_e, "experimental arm")
    c, n0 = check_counts(events_c, n_c, "control arm")
    if a.size != c.size:
        raise ValueError(f"{a.size} trials in the experimental arm but {c.size} in the control arm")
    return a, n1, c, n0


def _two_by_two(
    statistic: Literal["risk-ratio", "odds-ratio", "diff"],
    events_e: npt.ArrayLike,
    n_e: npt.ArrayLike,
    events_c: npt.ArrayLike,
    n_c: npt.ArrayLike,
) -> EffectSizes:
    """Effect sizes of trials with counts, experimental versus control arm.

    Parameters
    ----------
    events_e, n_e, events_c, n_c : array_like of shape (k,)
        Patients with the event and patients analysed, experimental and control arm.

    Returns
    -------
    EffectSizes
        0.5 is added to all four cells of a trial with a zero cell, and to no other trial.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, or lengths differ.

    Notes
    -----
    Zero cells are handled as by metafor's ``escalc(add=1/2, to="only0")``.
    """
    a, n1, c, n0 = check_tables(events_e, n_e, events_c, n_c)
    corrected = (a == 0) | (a == n1) | (c == 0) | (c == n0)
    # The correction is applied here because statsmodels' zero_correction also changes trials
    # without a zero cell. Adding to all four cells raises each arm's n by twice the amount.
    half = CONTINUITY_CORRECTION * corrected
    # A slow import (half of a stage's total), and most stages read effects from a table instead.
    from statsmodels.stats.meta_analysis import effectsize_2proportions

    yi, vi = effectsize_2proportions(
        a + half, n1 + 2 * half, c + half, n0 + 2 * half, statistic=statistic, zero_correction=None
    )
    # Two arms without events do show that a difference is small.
    none_or_all = ((a == 0) & (c == 0)) | ((a == n1) & (c == n0))
    informative = ~none_or_all | (statistic == "diff")
    return EffectSizes(yi=yi, vi=vi, corrected=corrected, informative=informative)


# yi = log(p1 / p0), vi = 1/a - 1/n1 + 1/c - 1/n0: the large-sample variance of Greenland S,
# Robins JM. Biometrics 1985;41:55-68.
risk_ratio = partial(_two_by_two, "risk-ratio")
# yi = log(ad / bc), vi = 1/a + 1/b + 1/c + 1/d: Woolf B. Ann Hum Genet 1955;19:251-253.
odds_ratio = partial(_two_by_two, "odds-ratio")
# yi = p1 - p0 (0.13 is 13 percentage points), vi = p1(1-p1)/n1 + p0(1-p0)/n0.
risk_difference = partial(_two_by_two, "diff")


def _critical_value(level: Floats) -> Floats:
    """Normal quantile for a two-sided interval; NaN unless the level is between 0 and 100."""
    return np.where((level > 0) & (level < 100), ndtri(0.5 + level / 200), np.nan)


def _log(values: Floats) -> Floats:
    """Natural logarithm; NaN for values that are not positive."""
    return np.log(values, out=np.full_like(values, np.nan), where=values > 0)


def log_hazard_ratio(
    hr: npt.ArrayLike,
    ci_low: npt.ArrayLike,
    ci_high: npt.ArrayLike,
    ci_level: npt.ArrayLike,
    p_value: npt.ArrayLike,
    p_operator: npt.ArrayLike,
    p_sided: npt.ArrayLike,
    events_e: npt.ArrayLike,
    events_c: npt.ArrayLike,
) -> pd.DataFrame:
    """Log hazard ratio and its standard error, by the best method each row allows.

    In order of preference: the confidence interval at its own level; a single limit, if only one
    is given; the p value, if it is an exact number and not a bound; the events of the two arms.

    Parameters
    ----------
    hr : array_like of shape (k,)
        Hazard ratio, experimental versus control.
    ci_low, ci_high : array_like of shape (k,)
        Limits of its confidence interval; NaN where not reported.
    ci_level : array_like of shape (k,)
        Level of the interval in percent, two-sided. A limit without a level is not used.
    p_value : array_like of shape (k,)
        p value of the comparison; NaN where not reported.
    p_operator : array_like of str, shape (k,)
        ``"="`` where `p_value` is a number; anything else (``"<"``) makes it a bound, not usable.
    p_sided : array_like of str, shape (k,)
        ``"two"`` or ``"one"``; with anything else the p value is not used.
    events_e, events_c : array_like of shape (k,)
        Events in the experimental and control arm; NaN where not reported.

    Returns
    -------
    pandas.DataFrame
        One row per input row, columns ``yi`` (log HR), ``vi``, ``se`` and ``se_source``, which is
        ``interval``, ``lower limit``, ``upper limit``, ``p value``, ``events`` or ``""``. Rows for
        which no method works have NaN in all three numbers.

    Raises
    ------
    ValueError
        If the inputs differ in length.

    Notes
    -----
    Tierney JF, Stewart LA, Ghersi D, Burdett S, Sydes MR. Trials 2007;8:16. From events the
    variance is ``1/e1 + 1/e0``, which assumes proportional hazards and arms of similar size. No
    standard error can be derived from the p value of a hazard ratio of exactly 1.
    """
    columns = (hr, ci_low, ci_high, ci_level, p_value, events_e, events_c)
    ratio, low, high, level, p, e1, e0 = (np.asarray(c, dtype=float) for c in columns)
    operator = np.asarray(p_operator, dtype=object)
    sided = np.asarray(p_sided, dtype=object)
    lengths = {a.shape for a in (ratio, low, high, level, p, e1, e0, operator, sided)}
    if len(lengths) != 1 or ratio.ndim != 1:
        raise ValueError("all columns of a hazard ratio must have one value a row")

    yi, log_low, log_high, z = _log(ratio), _log(low), _log(high), _critical_value(level)
    one, two = (operator == "=") & (sided == "one"), (operator == "=") & (sided == "two")
    with np.errstate(divide="ignore", invalid="ignore"):
        z_of_p = np.abs(ndtri(np.select([one, two], [p, p / 2], np.nan)))
        ways = {
            "interval": (log_high - log_low) / (2 * z),
            "lower limit": (yi - log_low) / z,
            "upper limit": (log_high - yi) / z,
            "p value": np.abs(yi) / z_of_p,
            "events": np.sqrt(1 / e1 + 1 / e0),
        }
    se = np.full_like(yi, np.nan)
    source = np.full(yi.shape, "", dtype=object)
    for name, candidate in ways.items():
        take = (source == "") & np.isfinite(yi) & np.isfinite(candidate) & (candidate > 0)
        se[take] = candidate[take]
        source[take] = name
    return pd.DataFrame(
        {
            "yi": np.where(source == "", np.nan, yi),
            "vi": se**2,
            "se": se,
            "se_source": pd.Series(source, dtype="str"),
        }
    )


def logit_proportion(events: npt.ArrayLike, n: npt.ArrayLike) -> EffectSizes:
    """Logit of the proportion of patients with the event in single arms.

    Parameters
    ----------
    events, n : array_like of shape (k,)
        Patients with the event and patients analysed.

    Returns
    -------
    EffectSizes
        ``yi = log(x / (n - x))``, ``vi = 1/x + 1/(n - x)``; 0.5 is added to both counts of an arm
        with no events or with events in all patients. Every arm is informative.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, or lengths differ.
    """
    x, total = check_counts(events, n, "arm")
    corrected = (x == 0) | (x == total)
    with_event = x + CONTINUITY_CORRECTION * corrected
    without = total - x + CONTINUITY_CORRECTION * corrected
    return EffectSizes(
        yi=np.log(with_event / without),
        vi=1 / with_event + 1 / without,
        corrected=corrected,
        informative=np.ones_like(corrected),
    )


def wilson_interval(
    events: npt.ArrayLike, n: npt.ArrayLike, level: float = 95.0
) -> tuple[Floats, Floats]:
    """Wilson score interval of a proportion.

    Parameters
    ----------
    events, n : array_like of shape (k,)
        Patients with the event and patients analysed.
    level : float
        Confidence level in percent.

    Returns
    -------
    low, high : numpy.ndarray of float, shape (k,)
        Limits as proportions.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, or lengths differ.

    Notes
    -----
    Wilson EB. J Am Stat Assoc 1927;22:209-212.
    """
    x, total = check_counts(events, n, "arm")
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(x, total, alpha=1 - level / 100, method="wilson")
    return np.asarray(low, dtype=float), np.asarray(high, dtype=float)


FROM_COUNTS: Mapping[str, Callable[..., EffectSizes]] = {
    "risk_ratio": risk_ratio,
    "odds_ratio": odds_ratio,
    "risk_difference": risk_difference,
    "proportion": logit_proportion,
}
