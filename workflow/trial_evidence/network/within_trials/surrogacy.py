"""Trial-level surrogacy: does the effect on a response foretell the effect on survival?

Across trials the effect on the final endpoint (log hazard ratio; benefit below zero) is set against
the effect on the surrogate (log odds ratio of response; benefit above zero). A weighted regression
takes the effect on the surrogate as it stands; the bivariate model allows for its sampling error,
which flattens a regression's slope.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtri, stdtr, stdtrit

from trial_evidence.network.within_trials.bivariate import (
    BivariateFit,
    Pairs,
    fit_bivariate,
    profile_interval,
)
from trial_evidence.pool.engine.refusals import Refused, too_few
from trial_evidence.pool.engine.results import Floats, check_effects, check_level

Weighting = Literal["trial size", "inverse variance"]
WEIGHTINGS: tuple[Weighting, ...] = ("trial size", "inverse variance")

# Fisher's interval of a correlation needs four trials, the five parameters of the bivariate model
# as many trials.
TRIALS_FOR_A_LINE = 4
TRIALS_FOR_TWO_DIMENSIONS = 5
FEW_TRIALS = 10

# The sampling errors of the two effects of a trial: patients who respond relapse less, so that a
# log odds ratio by chance too high goes with a log hazard ratio by chance too low.
WITHIN_CORRELATIONS = (0.0, -0.2, -0.4, -0.6, -0.8)

CANNOT_SHOW = (
    "An association between trials is not one between patients: it does not say that the patients "
    "who respond are those who live longer.",
    "It holds for the treatments and populations of these trials; a new class of treatment may act "
    "on survival by another way.",
    "The comparisons of treatments were randomised, the trials were not: what differs between them "
    "can make or hide an association.",
    "Treatment after surgery, and how long patients were followed, differ between the trials and "
    "act on survival alone.",
)


@dataclass(frozen=True)
class EffectPair:
    """The two effects of one trial, of the same contrast.

    Attributes
    ----------
    trial : str
        Name.
    surrogate, surrogate_variance : float
        Log odds ratio of response and its sampling variance.
    final, final_variance : float
        Log hazard ratio and its sampling variance.
    patients : float
        Patients in the two arms, for weighting by trial size.
    """

    trial: str
    surrogate: float
    surrogate_variance: float
    final: float
    final_variance: float
    patients: float


@dataclass(frozen=True)
class Threshold:
    """Surrogate threshold effect.

    Attributes
    ----------
    effect : float or None
        Least effect on the surrogate, on the analysis scale, whose prediction interval for the
        effect on the final endpoint lies wholly on the side of benefit.
    odds_ratio : float or None
        The same as a ratio.
    reason : str
        Why there is none, or what to mind; empty where there is nothing to mind.
    """

    effect: float | None
    odds_ratio: float | None
    reason: str


@dataclass(frozen=True)
class Line:
    """Effect on the final endpoint predicted from the effect on the surrogate.

    Attributes
    ----------
    surrogate : numpy.ndarray of float, shape (points,)
        Effects on the surrogate (log odds ratios).
    final : numpy.ndarray of float, shape (points,)
        Mean effect on the final endpoint (log hazard ratio).
    ci_low, ci_high : numpy.ndarray of float, shape (points,)
        Confidence band of the mean.
    pi_low, pi_high : numpy.ndarray of float, shape (points,)
        Prediction band for the effect in a new trial.
    """

    surrogate: Floats
    final: Floats
    ci_low: Floats
    ci_high: Floats
    pi_low: Floats
    pi_high: Floats


@dataclass(frozen=True)
class _Band:
    """A line and the variance around it, a quadratic function of the effect on the surrogate."""

    intercept: float
    slope: float
    # Covariance of intercept and slope, and the variance of a new trial around the line.
    covariance: Floats
    new_trial: float
    quantile: float

    def at(self, surrogate: npt.ArrayLike) -> Line:
        """The line at effects on the surrogate."""
        x = np.atleast_1d(np.asarray(surrogate, dtype=float))
        c = self.covariance
        mean = self.intercept + self.slope * x
        variance = c[0, 0] + 2 * c[0, 1] * x + c[1, 1] * x**2
        half = self.quantile * np.sqrt(variance)
        reach = self.quantile * np.sqrt(variance + self.new_trial)
        return Line(x, mean, mean - half, mean + half, mean - reach, mean + reach)


@dataclass(frozen=True)
class SurrogacyRegression:
    """Weighted regression of the effect on the final endpoint on that on the surrogate.

    Attributes
    ----------
    weighting : str
        ``trial size`` or ``inverse variance`` (of the effect on the final endpoint).
    k, df : int
        Trials, and degrees of freedom k - 2.
    level : float
        Level of the intervals in percent.
    intercept, intercept_low, intercept_high : float
        Log hazard ratio where the surrogate shows no effect; an interval away from zero says that
        survival is affected by other ways.
    slope, slope_se, slope_low, slope_high, slope_p : float
        Change of the log hazard ratio by a unit of the log odds ratio, interval and test on t.
    residual_variance : float
        Around the line, of a trial of average weight.
    r2, r2_low, r2_high : float
        Share of the weighted variance of the effects that the line explains, from 0 to 1.
    r2_method : str
        How its interval was made.
    threshold : Threshold
        Surrogate threshold effect, for a trial of average weight.
    band : object
        What `line` needs.
    """

    weighting: Weighting
    k: int
    df: int
    level: float
    intercept: float
    intercept_low: float
    intercept_high: float
    slope: float
    slope_se: float
    slope_low: float
    slope_high: float
    slope_p: float
    residual_variance: float
    r2: float
    r2_low: float
    r2_high: float
    r2_method: str
    threshold: Threshold
    band: _Band

    def line(self, surrogate: npt.ArrayLike) -> Line:
        """The line with its bands.

        Parameters
        ----------
        surrogate : array_like of shape (points,)
            Log odds ratios.

        Returns
        -------
        Line
            The prediction band is for a trial of average weight.
        """
        return self.band.at(surrogate)


@dataclass(frozen=True)
class BivariateSurrogacy:
    """Bivariate random-effects model: regression with errors in both effects.

    Attributes
    ----------
    k : int
        Trials.
    level : float
        Level of the intervals in percent.
    within_correlation : float
        Supposed correlation of the sampling errors of the two effects of a trial.
    mean_surrogate, mean_final : float
        Mean true effects.
    sd_surrogate, sd_final : float
        Standard deviation of the true effects between trials.
    correlation : float
        Of the true effects; NaN where one of them does not vary between trials.
    r2, r2_low, r2_high : float
        Its square, with the profile-likelihood interval.
    r2_method : str
        How the interval was made.
    intercept, slope, slope_low, slope_high : float
        Regression of the true effects; profile-likelihood interval of the slope, whose limits are
        infinite where the likelihood does not bound them. NaN where the true effects on the
        surrogate do not vary.
    residual_sd : float
        Standard deviation of the true effect on the final endpoint around the line.
    log_likelihood : float
        At the maximum.
    threshold : Threshold
        Surrogate threshold effect for a new trial of infinite size.
    note : str
        What lies at the edge of the model; empty where nothing does.
    band : object or None
        What `line` needs.
    """

    k: int
    level: float
    within_correlation: float
    mean_surrogate: float
    mean_final: float
    sd_surrogate: float
    sd_final: float
    correlation: float
    r2: float
    r2_low: float
    r2_high: float
    r2_method: str
    intercept: float
    slope: float
    slope_low: float
    slope_high: float
    residual_sd: float
    log_likelihood: float
    threshold: Threshold
    note: str
    band: _Band | None

    def line(self, surrogate: npt.ArrayLike) -> Line | None:
        """The line with its bands, for true effects.

        Parameters
        ----------
        surrogate : array_like of shape (points,)
            Log odds ratios.

        Returns
        -------
        Line or None
            None where there is no line.
        """
        return None if self.band is None else self.band.at(surrogate)


@dataclass(frozen=True)
class WithoutTrial:
    """The association without one trial.

    Attributes
    ----------
    trial : str
        The trial left out.
    regression : SurrogacyRegression or Refused
    bivariate : BivariateSurrogacy or Refused
    """

    trial: str
    regression: SurrogacyRegression | Refused
    bivariate: BivariateSurrogacy | Refused


@dataclass(frozen=True)
class Surrogacy:
    """All that is said of one surrogate and one final endpoint.

    Attributes
    ----------
    pairs : tuple of EffectPair
        Trials.
    patients : float
        Patients in them.
    regressions : tuple of SurrogacyRegression or Refused
        By weighting, in the order of `WEIGHTINGS`.
    bivariate : tuple of BivariateSurrogacy or Refused
        By supposed within-trial correlation, the chosen one first.
    without : tuple of WithoutTrial
        Leave-one-out: the regression weighted by inverse variance, and the bivariate model with the
        chosen correlation.
    cautions : tuple of str
        What the numbers cannot show.
    """

    pairs: tuple[EffectPair, ...]
    patients: float
    regressions: tuple[SurrogacyRegression | Refused, ...]
    bivariate: tuple[BivariateSurrogacy | Refused, ...]
    without: tuple[WithoutTrial, ...]
    cautions: tuple[str, ...]


def surrogacy(
    pairs: Sequence[EffectPair],
    *,
    within_correlation: float,
    sensitivity: Sequence[float] = WITHIN_CORRELATIONS,
    level: float = 95.0,
) -> Surrogacy:
    """Regressions, bivariate models, leave-one-out and what they cannot show.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast a trial.
    within_correlation : float
        Supposed correlation of the sampling errors of the two effects of a trial, above -1 and
        below 1; for a response that lengthens survival it is negative.
    sensitivity : sequence of float
        Other correlations to suppose.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Surrogacy
        Models refused where there are too few trials.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or a correlation is out of range.
    """
    rhos = (within_correlation, *(r for r in sensitivity if r != within_correlation))
    ordered = tuple(sorted(pairs, key=lambda pair: pair.trial))
    without = []
    for left in ordered:
        rest = [pair for pair in ordered if pair is not left]
        without.append(
            WithoutTrial(
                trial=left.trial,
                regression=regress(rest, "inverse variance", level),
                bivariate=errors_in_variables(rest, within_correlation, level),
            )
        )
    k = len(ordered)
    few = (
        (
            f"{k} trials: the association is estimated too poorly to replace the final endpoint "
            f"by the surrogate.",
        )
        if k < FEW_TRIALS
        else ()
    )
    return Surrogacy(
        pairs=ordered,
        patients=sum(pair.patients for pair in ordered),
        regressions=tuple(regress(ordered, weighting, level) for weighting in WEIGHTINGS),
        bivariate=tuple(errors_in_variables(ordered, rho, level) for rho in rhos),
        without=tuple(without),
        cautions=(*few, *CANNOT_SHOW),
    )


def regress(
    pairs: Sequence[EffectPair], weighting: Weighting, level: float = 95.0
) -> SurrogacyRegression | Refused:
    """Weighted least squares of the effect on the final endpoint on that on the surrogate.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast a trial.
    weighting : str
        ``trial size`` or ``inverse variance``.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    SurrogacyRegression or Refused
        Refused with fewer than four trials, or where all show the same effect on the surrogate.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or the weighting is unknown.

    Notes
    -----
    Residual variance as in R's ``lm(final ~ surrogate, weights)``; prediction for a trial of
    average weight. The interval of R2 is Fisher's of the weighted correlation, squared: it counts
    trials, whatever their weights. Surrogate threshold effect: attributed to Burzykowski T, Buyse
    M. Pharm Stat 2006;5:173-186.
    """
    level = check_level(level)
    x, y, _, v = _checked(pairs)
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting {weighting!r} is not one of {', '.join(WEIGHTINGS)}")
    refusal = too_few(
        x.size,
        TRIALS_FOR_A_LINE,
        "A regression of effects on effects",
        "a line through fewer says nothing of its own error",
        forced=False,
    )
    if refusal is not None:
        return refusal
    weights = 1 / v if weighting == "inverse variance" else _sizes(pairs)
    weights = weights / weights.mean()
    total = weights.sum()
    mean_x, mean_y = float(weights @ x / total), float(weights @ y / total)
    sxx = float(weights @ (x - mean_x) ** 2)
    syy = float(weights @ (y - mean_y) ** 2)
    if sxx <= 1e-18 * float(weights @ x**2):
        return Refused("All trials show the same effect on the surrogate.")
    slope = float(weights @ ((x - mean_x) * (y - mean_y))) / sxx
    intercept = mean_y - slope * mean_x
    df = x.size - 2
    residual = max(float(weights @ (y - intercept - slope * x) ** 2), 0.0) / df
    slope_variance = residual / sxx
    covariance = np.array(
        [
            [residual / total + mean_x**2 * slope_variance, -mean_x * slope_variance],
            [-mean_x * slope_variance, slope_variance],
        ]
    )
    quantile = float(stdtrit(df, 0.5 + level / 200))
    se = np.sqrt(np.diag(covariance))
    r2 = slope**2 * sxx / syy if syy > 0 else math.nan
    r2_low, r2_high = _fisher(math.copysign(math.sqrt(min(r2, 1.0)), slope), x.size, level)
    band = _Band(intercept, slope, covariance, residual, quantile)
    return SurrogacyRegression(
        weighting=weighting,
        k=x.size,
        df=df,
        level=level,
        intercept=intercept,
        intercept_low=intercept - quantile * float(se[0]),
        intercept_high=intercept + quantile * float(se[0]),
        slope=slope,
        slope_se=float(se[1]),
        slope_low=slope - quantile * float(se[1]),
        slope_high=slope + quantile * float(se[1]),
        slope_p=float(2 * stdtr(df, -abs(slope) / se[1])) if se[1] > 0 else 0.0,
        residual_variance=residual,
        r2=r2,
        r2_low=r2_low,
        r2_high=r2_high,
        r2_method="Fisher's z of the weighted correlation, squared",
        threshold=_threshold(band, float(x.max())),
        band=band,
    )


def errors_in_variables(
    pairs: Sequence[EffectPair], within_correlation: float, level: float = 95.0
) -> BivariateSurrogacy | Refused:
    """Bivariate random-effects model of the two effects, by maximum likelihood.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast a trial.
    within_correlation : float
        Supposed correlation of the sampling errors of the two effects of a trial, above -1 and
        below 1.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    BivariateSurrogacy or Refused
        Refused with fewer than five trials.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or the correlation is out of range.

    Notes
    -----
    (y1, y2) of a trial ~ N((m1, m2), S + T), S the sampling covariance with the supposed
    correlation, T that of the true effects. Slope T12/T11, R2 T12^2/(T11 T22). Attributed to van
    Houwelingen HC, Arends LR, Stijnen T. Stat Med 2002;21:589-624; with a flat distribution of the
    true effects on the surrogate in place of a normal one it is the model attributed to Daniels
    MJ, Hughes MD. Stat Med 1997;16:1965-1982. The prediction uses the expected information and t
    with k - 2 degrees of freedom.
    """
    level = check_level(level)
    x, y, vx, vy = _checked(pairs)
    if not -1 < within_correlation < 1:
        raise ValueError(f"a correlation lies above -1 and below 1, not {within_correlation!r}")
    refusal = too_few(
        x.size,
        TRIALS_FOR_TWO_DIMENSIONS,
        "A bivariate model",
        "it has five parameters",
        forced=False,
    )
    if refusal is not None:
        return refusal
    data = Pairs(x, y, vx, vy, within_correlation * np.sqrt(vx * vy))
    found = fit_bivariate(data)
    r2_low, r2_high = _squared(*profile_interval(data, found, "correlation", level))
    band = _bivariate_band(found, level)
    slope_low, slope_high = math.nan, math.nan
    if band is not None:
        slope_low, slope_high = profile_interval(data, found, "slope", level)
    return BivariateSurrogacy(
        k=x.size,
        level=level,
        within_correlation=within_correlation,
        mean_surrogate=found.mean[0],
        mean_final=found.mean[1],
        sd_surrogate=found.sd_first,
        sd_final=found.sd_second,
        correlation=found.correlation,
        r2=found.correlation**2,
        r2_low=r2_low,
        r2_high=r2_high,
        r2_method="profile likelihood of the correlation, squared",
        intercept=math.nan if band is None else band.intercept,
        slope=math.nan if band is None else band.slope,
        slope_low=slope_low,
        slope_high=slope_high,
        residual_sd=found.residual_sd,
        log_likelihood=found.log_likelihood,
        threshold=Threshold(None, None, "There is no line.")
        if band is None
        else _threshold(band, float(x.max())),
        note=_edge(found),
        band=band,
    )


def _checked(pairs: Sequence[EffectPair]) -> tuple[Floats, Floats, Floats, Floats]:
    """Effects and variances: surrogate, final, and the variances of each."""
    names = [pair.trial for pair in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a trial counts once: one contrast of each trial")
    x, vx = check_effects(
        [p.surrogate for p in pairs], [p.surrogate_variance for p in pairs], at_least=0
    )
    y, vy = check_effects([p.final for p in pairs], [p.final_variance for p in pairs], at_least=0)
    return x, y, vx, vy


def _sizes(pairs: Sequence[EffectPair]) -> Floats:
    sizes = np.array([pair.patients for pair in pairs], dtype=float)
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ValueError("every trial needs its number of patients to be weighted by size")
    return sizes


def _fisher(correlation: float, k: int, level: float) -> tuple[float, float]:
    """Fisher's interval of a correlation of k pairs, squared."""
    if math.isnan(correlation):
        return math.nan, math.nan
    half = float(ndtri(0.5 + level / 200)) / math.sqrt(k - 3)
    with np.errstate(divide="ignore"):
        z = float(np.arctanh(correlation))
    return _squared(math.tanh(z - half), math.tanh(z + half))


def _squared(low: float, high: float) -> tuple[float, float]:
    """Interval of the square of what lies between two limits."""
    if low <= 0 <= high:
        return 0.0, max(low**2, high**2)
    return min(low**2, high**2), max(low**2, high**2)


def _bivariate_band(found: BivariateFit, level: float) -> _Band | None:
    if not found.has_line:
        return None
    df = found.k - 2
    slope, (mean_x, mean_y) = found.slope, found.mean
    # The intercept m2 - slope m1 varies with the means and, apart from them, with the slope.
    turn = np.array([-slope, 1.0])
    covariance = np.array(
        [
            [
                turn @ found.mean_covariance @ turn + mean_x**2 * found.slope_variance,
                -mean_x * found.slope_variance,
            ],
            [-mean_x * found.slope_variance, found.slope_variance],
        ]
    )
    return _Band(
        intercept=mean_y - slope * mean_x,
        slope=slope,
        covariance=covariance,
        new_trial=found.residual_sd**2,
        quantile=float(stdtrit(df, 0.5 + level / 200)),
    )


def _edge(found: BivariateFit) -> str:
    if not found.has_line:
        return (
            "The effects on the surrogate vary no more than chance makes them: there is no line to "
            "be drawn, and R2 is not determined."
        )
    if math.isnan(found.correlation):
        return (
            "The effects on the final endpoint vary no more than chance makes them: there is "
            "nothing for the surrogate to explain, and R2 is not determined."
        )
    if found.residual_sd == 0:
        return (
            "No variance is left around the line: the estimate of R2 is 1, as it often is with few "
            "trials and wide intervals. Its interval says how little that means; the threshold "
            "rests on it."
        )
    return ""


def _threshold(band: _Band, largest: float) -> Threshold:
    """Where the upper prediction limit falls below zero.

    The limit is a convex function of the effect on the surrogate, since the standard deviation is:
    it is below zero between its two crossings, and from the first on where there is only one.
    """
    if band.slope >= 0:
        return Threshold(
            None, None, "A larger effect on the surrogate does not go with a longer survival."
        )

    def upper(surrogate: float) -> float:
        return float(band.at(surrogate).pi_high[0])

    lowest = _lowest_point(band)
    if upper(lowest) >= 0:
        return Threshold(
            None, None, "No effect on the surrogate, however large, predicts a longer survival."
        )
    # To the left of its lowest point a convex function that rises without bound crosses zero once.
    step = 1.0
    while upper(lowest - step) < 0:
        step *= 2
    effect = float(brentq(upper, lowest - step, lowest, xtol=1e-12))
    reasons = []
    if effect > largest:
        reasons.append("Beyond the largest effect that any of the trials showed: an extrapolation.")
    if effect < 0:
        reasons.append("Below zero: a longer survival is predicted whatever the surrogate shows.")
    if not _falls_faster(band):
        reasons.append(
            "The slope is not established: for larger effects the prediction includes none again."
        )
    with np.errstate(over="ignore"):
        return Threshold(effect, float(np.exp(effect)), " ".join(reasons))


def _falls_faster(band: _Band) -> bool:
    """Whether the line falls faster than its band opens: the slope's interval excludes zero."""
    return band.slope**2 * (1 - 1e-12) > band.quantile**2 * float(band.covariance[1, 1])


def _lowest_point(band: _Band) -> float:
    """Where the upper prediction limit is lowest, or far enough to be below zero if it ever is."""
    c, q = band.covariance, band.quantile
    spread = float(c[1, 1])
    centre = -float(c[0, 1]) / spread if spread > 0 else 0.0
    if not _falls_faster(band):
        # The band opens faster than the line falls. With the variance written as rest + spread
        # (x - centre)^2, the slope of the limit is zero at one point right of the centre, or, where
        # the two are as fast as each other, never.
        rest = float(c[0, 0]) + band.new_trial - spread * centre**2
        opening = max((q**2 * spread - band.slope**2) * spread, 1e-300)
        return centre - band.slope * math.sqrt(max(rest, 0.0) / opening)
    # The line falls faster: the limit goes to minus infinity.
    reach = 1.0
    while float(band.at(centre + reach).pi_high[0]) >= 0:
        reach *= 2
    return centre + reach
