"""Small-study effects: do small trials report larger effects?

With fewer than ten trials these tests have hardly any power and trim-and-fill is guesswork; each
then refuses and gives the reason, unless forced.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, t
from statsmodels.regression.linear_model import WLS
from statsmodels.tools import add_constant

from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.results import Floats, Refused, check_effects, check_level, too_few
from trial_evidence.pool.models.counts import Counts, score
from trial_evidence.pool.probes.meta_regression import meta_regression

NEEDED = 10
WHY = "with fewer, small-study effects cannot be distinguished from chance"


@dataclass(frozen=True)
class RegressionTest:
    """A regression of effects on a measure of trial size.

    Attributes
    ----------
    slope, slope_se : float
        Coefficient of the predictor, which is tested against zero.
    limit, limit_se, limit_low, limit_high : float
        Expected effect if the predictor is zero (an infinitely large trial).
    statistic, p_value : float
        Test of the slope.
    df : int or None
        Degrees of freedom of t; None if normal.
    """

    slope: float
    slope_se: float
    limit: float
    limit_se: float
    limit_low: float
    limit_high: float
    statistic: float
    p_value: float
    df: int | None


def _refusal(k: int, what: str, forced: bool) -> Refused | None:
    refusal = too_few(k, NEEDED, what, WHY, forced=forced)
    if refusal is None and k < 3:
        return Refused(f"{what} cannot be computed with {k} trials; it takes 3.")
    return refusal


def _weighted_line(
    name: str, effects: Floats, predictor: Floats, weights: Floats, level: float
) -> RegressionTest | Refused:
    """Least squares with weights known up to a factor, which is estimated from the residuals."""
    if np.ptp(predictor) <= 1e-12 * float(np.abs(predictor).max()):
        return Refused(f"{name}: all trials are of one size.")
    fit = WLS(effects, add_constant(predictor), weights=weights).fit()
    if not np.sqrt(weights @ fit.resid**2) > 1e-10 * np.sqrt(weights @ effects**2):
        return Refused(f"{name}: the line goes through every trial, so its error is not known.")
    low, high = fit.conf_int(alpha=1 - level / 100)[0]
    return RegressionTest(
        slope=float(fit.params[1]),
        slope_se=float(fit.bse[1]),
        limit=float(fit.params[0]),
        limit_se=float(fit.bse[0]),
        limit_low=float(low),
        limit_high=float(high),
        statistic=float(fit.tvalues[1]),
        p_value=float(fit.pvalues[1]),
        df=int(fit.df_resid),
    )


def _regression_test(
    name: str, effects: Floats, predictor: Floats, weights: Floats, level: float, forced: bool
) -> RegressionTest | Refused:
    level = check_level(level)
    refusal = _refusal(effects.size, name, forced)
    return refusal or _weighted_line(name, effects, predictor, weights, level)


def egger(
    yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0, *, forced: bool = False
) -> RegressionTest | Refused:
    """Egger's test: effects regressed on their standard errors, weights 1/v.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    level : float
        Level of the limit's interval in percent.
    forced : bool
        Test even with fewer than ten trials.

    Returns
    -------
    RegressionTest or Refused
        t on k-2. For odds ratios, whose standard error depends on the effect, the test is positive
        too often: use `harbord` or `peters`.

    Raises
    ------
    ValueError
        If the input cannot be pooled or the level is not a percentage.

    Notes
    -----
    Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629-634. By statsmodels WLS; as
    in metafor's ``regtest(model="lm")``.
    """
    y, v = check_effects(yi, vi)
    return _regression_test("Egger's test", y, np.sqrt(v), 1 / v, level, forced)


def harbord(
    counts: Counts, level: float = 95.0, *, forced: bool = False
) -> RegressionTest | Refused:
    """Harbord's test for odds ratios: score / variance regressed on 1 / sqrt(variance).

    Parameters
    ----------
    counts : Counts
        The trials' tables, measure ``odds_ratio``; trials with no events, or with events in all
        patients, are dropped.
    level : float
        Level of the limit's interval in percent.
    forced : bool
        Test even with fewer than ten trials.

    Returns
    -------
    RegressionTest or Refused
        t on k-2.

    Raises
    ------
    ValueError
        If a count is impossible, the measure is not the odds ratio or the level is not a
        percentage.

    Notes
    -----
    Harbord RM, Egger M, Sterne JAC. Stat Med 2006;25:3443-3457. As in meta's
    ``metabias(method.bias="Harbord")``.
    """
    name = "Harbord's test"
    difference, variance = score(*counts.of_odds(name))
    size = 1 / np.sqrt(variance)
    return _regression_test(name, difference / variance, size, variance, level, forced)


def peters(
    counts: Counts, level: float = 95.0, *, forced: bool = False
) -> RegressionTest | Refused:
    """Peters' test for odds ratios: log odds ratio regressed on 1 / number of patients.

    Parameters
    ----------
    counts : Counts
        The trials' tables, measure ``odds_ratio``; trials with no events, or with events in all
        patients, are dropped. 0.5 is added to the cells of a trial with a zero cell.
    level : float
        Level of the limit's interval in percent.
    forced : bool
        Test even with fewer than ten trials.

    Returns
    -------
    RegressionTest or Refused
        t on k-2.

    Raises
    ------
    ValueError
        If a count is impossible, the measure is not the odds ratio or the level is not a
        percentage.

    Notes
    -----
    Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L. JAMA 2006;295:676-680. As in
    meta's ``metabias(method.bias="Peters")``.
    """
    name = "Peters' test"
    a, n1, c, n0 = counts.of_odds(name)
    half = 0.5 * ((a == 0) | (a == n1) | (c == 0) | (c == n0))
    log_odds = np.log((a + half) * (n0 - c + half) / ((n1 - a + half) * (c + half)))
    n, events = n1 + n0, a + c
    return _regression_test(name, log_odds, 1 / n, events * (n - events) / n, level, forced)


@dataclass(frozen=True)
class TrimAndFill:
    """The pooled result after imputing mirror images of trials that seem to lack a counterpart.

    Attributes
    ----------
    side : str
        Side of the funnel on which trials are missing, ``left`` or ``right``.
    missing : int
        Estimated number of missing trials.
    missing_se : float
        Its standard error; NaN if L0 is so far below zero that its variance is undefined.
    filled_yi, filled_vi : tuple of float
        The imputed trials.
    estimate, se, ci_low, ci_high, tau2 : float
        Pooled result with them.
    """

    side: str
    missing: int
    missing_se: float
    filled_yi: tuple[float, ...]
    filled_vi: tuple[float, ...]
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    tau2: float


def trim_and_fill(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    estimator: Literal["L0", "R0"] = "L0",
    side: Literal["auto", "left", "right"] = "auto",
    method: str = "REML",
    interval: str = "hartung_knapp_conservative",
    level: float = 95.0,
    forced: bool = False,
) -> TrimAndFill | Refused:
    """Duval and Tweedie's trim-and-fill.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    estimator : str
        Estimator of the number of missing trials, ``L0`` or ``R0``.
    side : str
        Side on which trials are missing; ``auto``: opposite to the slope of Egger's regression.
    method, interval, level
        As `trial_evidence.pool.engine.many.fit_stack`.
    forced : bool
        Run even with fewer than ten trials.

    Raises
    ------
    ValueError
        If the input cannot be pooled or a name is unknown.

    Notes
    -----
    Duval S, Tweedie R. Biometrics 2000;56:455-463. As in metafor's ``trimfill``.
    """
    y, v = check_effects(yi, vi)
    if estimator not in ("L0", "R0"):
        raise ValueError(f"estimator {estimator!r} is not one of L0, R0")
    if side not in ("auto", "left", "right"):
        raise ValueError(f"side {side!r} is not one of auto, left, right")
    if refusal := _refusal(y.size, "Trim-and-fill", forced):
        return refusal
    if side == "auto":
        design_method = method if method in ("EE", "DL", "ML") else "REML"
        line = meta_regression(
            y, v, {"se": np.sqrt(v)}, method=design_method, interval="wald", forced=True
        )
        if isinstance(line, Refused):
            return Refused("Trim-and-fill: all trials are of one size, so no side is the thin one.")
        side = "right" if line.coefficients[1] < 0 else "left"
    turn = -1.0 if side == "right" else 1.0
    # Break ties by variance: the order of the trials must not matter.
    order = np.lexsort((v, turn * y))
    effects, variances = turn * y[order], v[order]
    missing, unrounded, centre = _missing(effects, variances, estimator, method)
    k = y.size
    top = slice(k - missing, k)
    filled = turn * (2 * centre - effects[top])
    effects, variances = np.concatenate([y, filled]), np.concatenate([v, variances[top]])
    fit = fit_stack(effects, variances, method=method, interval=interval, level=level)
    if estimator == "R0":
        missing_se = math.sqrt(2 * missing + 2)
    else:
        m = unrounded
        spread = (
            k * (k + 1) * (2 * k + 1) + 10 * m**3 + 27 * m**2 + 17 * m
            - 18 * k * m**2 - 18 * k * m + 6 * k**2 * m
        ) / 24  # fmt: skip
        missing_se = 4 * math.sqrt(spread) / (2 * k - 1) if spread >= 0 else math.nan
    return TrimAndFill(
        side=side,
        missing=missing,
        missing_se=missing_se,
        filled_yi=tuple(filled.tolist()),
        filled_vi=tuple(variances[k:].tolist()),
        **fit.only("estimate", "se", "ci_low", "ci_high", "tau2"),
    )


def _missing(
    effects: Floats, variances: Floats, estimator: str, method: str
) -> tuple[int, float, float]:
    """Trials missing below, for ascending effects: number, unrounded number, and trimmed mean."""
    k = effects.size
    missing = 0
    seen = {0}
    while True:
        kept = slice(0, k - missing)
        centre = float(fit_stack(effects[kept], variances[kept], method=method).estimate[0])
        distance = effects - centre
        ranks = rankdata(np.abs(distance), method="ordinal")
        signed = np.sign(distance) * ranks
        if estimator == "R0":
            # An effect equal to the mean does not lie above it.
            found = k - float(ranks[signed <= 0].max(initial=0.0)) - 1
        else:
            found = (4 * float(signed[signed > 0].sum()) - k * (k + 1)) / (2 * k - 1)
        new = int(np.clip(np.round(found), 0, k - 1))
        # If the number oscillates, stop at a value that it had before.
        if new in seen and new <= missing:
            return missing, found, centre
        seen.add(new)
        missing = new


@dataclass(frozen=True)
class PetPeese:
    """Expected effect in a trial without sampling error.

    Attributes
    ----------
    pet, peese : RegressionTest
        Regressions on the standard error and on the variance.
    chosen : str
        ``pet`` or ``peese``: PEESE if PET's limit differs from no effect at the one-sided 5% level,
        because PET then underestimates it.
    estimate, ci_low, ci_high : float
        The chosen limit.
    """

    pet: RegressionTest
    peese: RegressionTest
    chosen: str
    estimate: float
    ci_low: float
    ci_high: float


def pet_peese(
    yi: npt.ArrayLike, vi: npt.ArrayLike, level: float = 95.0, *, forced: bool = False
) -> PetPeese | Refused:
    """Precision-effect test and precision-effect estimate with standard error.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    level : float
        Level of the intervals in percent.
    forced : bool
        Run even with fewer than ten trials.

    Raises
    ------
    ValueError
        If the input cannot be pooled or the level is not a percentage.

    Notes
    -----
    Stanley TD, Doucouliagos H. Res Synth Methods 2014;5:60-78. By statsmodels WLS.
    """
    y, v = check_effects(yi, vi)
    level = check_level(level)
    if refusal := _refusal(y.size, "PET-PEESE", forced):
        return refusal
    pet = _weighted_line("PET", y, np.sqrt(v), 1 / v, level)
    peese = _weighted_line("PEESE", y, v, 1 / v, level)
    if isinstance(pet, Refused):
        return pet
    if isinstance(peese, Refused):
        return peese
    # One-sided 5% in the direction of the limit.
    z = abs(pet.limit) / pet.limit_se
    chosen = "peese" if 2 * t.sf(z, y.size - 2) < 0.1 else "pet"
    best = peese if chosen == "peese" else pet
    return PetPeese(pet, peese, chosen, best.limit, best.limit_low, best.limit_high)
