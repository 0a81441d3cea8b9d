"""Trial-level surrogacy: does the effect on a response predict the effect on survival?

Across trials the effect on the final endpoint (log hazard ratio; benefit below zero) is regressed
on the effect on the surrogate (log odds ratio of response; benefit above zero). Weighted regression
takes the effect on the surrogate as exact; the bivariate model allows for its sampling error, which
flattens the slope of a regression.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.engine.results import Floats, Refused, check_level, too_few
from trial_evidence.pool.models.bivariate import BivariateFit, EffectPair, Pairs, profile_interval

WEIGHTINGS = ("trial size", "inverse variance")
MAIN, SENSITIVITY, LEFT_OUT = "main", "sensitivity", "leave-one-out"
REGRESSION, BIVARIATE = "weighted regression", "bivariate"
# Method for the interval of R2.
R2_METHODS = {
    REGRESSION: "Fisher's z of the weighted correlation, squared",
    BIVARIATE: "profile likelihood of the correlation, squared",
}

# Fisher's interval of a correlation needs four trials; the bivariate model, with five parameters,
# needs five.
TRIALS_FOR_A_LINE = 4
TRIALS_FOR_TWO_DIMENSIONS = 5
FEW_TRIALS = 10

CANNOT_SHOW = (
    "An association between trials is not an association between patients: it does not show that "
    "the patients who respond are those who live longer.",
    "It applies to the treatments and populations of these trials; a new class of treatment may "
    "affect survival in another way.",
    "Treatments were randomised within trials, but the trials themselves were not: differences "
    "between trials can create or hide an association.",
    "Later treatment and length of follow-up differ between the trials and affect survival only.",
)


@dataclass(frozen=True)
class Threshold:
    """Surrogate threshold effect.

    Attributes
    ----------
    effect : float or None
        Smallest effect on the surrogate, on the analysis scale, whose prediction interval for the
        effect on the final endpoint lies entirely on the side of benefit.
    reason : str
        Why there is none, or a caution; empty if neither applies.
    """

    effect: float | None
    reason: str

    @property
    def odds_ratio(self) -> float | None:
        """The effect as a ratio."""
        with np.errstate(over="ignore"):
            return None if self.effect is None else float(np.exp(self.effect))


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


class Band:
    """A line and its variance, a quadratic function of the effect on the surrogate.

    Parameters
    ----------
    means : tuple of float
        A point of the line: mean effects on the surrogate and on the final endpoint.
    slope : float
    own, slope_variance : float
        Variance of the level of the line at that point, and, independent of it, of the slope.
    new_trial : float
        Variance of a new trial around the line.
    quantile : float
        Quantile of t for the level of the intervals.

    Attributes
    ----------
    intercept : float
        Of the line.
    covariance : numpy.ndarray of float, shape (2, 2)
        Covariance of intercept and slope.
    """

    def __init__(
        self,
        means: tuple[float, float],
        slope: float,
        own: float,
        slope_variance: float,
        new_trial: float,
        quantile: float,
    ) -> None:
        self.slope, self.new_trial, self.quantile = slope, new_trial, quantile
        self.intercept = means[1] - slope * means[0]
        cross = -means[0] * slope_variance
        of_intercept = own + means[0] ** 2 * slope_variance
        self.covariance = np.array([[of_intercept, cross], [cross, slope_variance]])

    def at(self, surrogate: npt.ArrayLike) -> Line:
        """The line at given effects on the surrogate."""
        x = np.atleast_1d(np.asarray(surrogate, dtype=float))
        c = self.covariance
        mean = self.intercept + self.slope * x
        variance = c[0, 0] + 2 * c[0, 1] * x + c[1, 1] * x**2
        half = self.quantile * np.sqrt(variance)
        reach = self.quantile * np.sqrt(variance + self.new_trial)
        return Line(x, mean, mean - half, mean + half, mean - reach, mean + reach)

    @property
    def falls_faster(self) -> bool:
        """Whether the line falls faster than its band widens: the slope interval excludes zero."""
        return self.slope**2 * (1 - 1e-12) > self.quantile**2 * float(self.covariance[1, 1])


@dataclass(frozen=True, kw_only=True)
class Association:
    """A line through the effects of trials.

    For weighted regression, the standard deviation around the line, the threshold and the
    prediction are for a trial of average weight; the interval of the slope uses t with k - 2
    degrees of freedom. The line of the bivariate model, a regression with errors in both effects,
    is that of the true effects, and its threshold is for a new trial of infinite size; R2 is NaN if
    one of the true effects does not vary between trials. The interval of its slope is by profile
    likelihood; limits are infinite if the likelihood does not bound them.

    Attributes
    ----------
    k : int
        Number of trials.
    slope_low, slope_high : float
        Interval of the slope, the change of the log hazard ratio per unit of the log odds ratio.
    r2, r2_low, r2_high : float
        Share of the variance of the effects on the final endpoint that the line explains, 0 to 1.
    residual_sd : float
        Standard deviation around the line.
    threshold : Threshold
        Surrogate threshold effect.
    band : Band or None
        None if no line can be drawn.
    slope_p : float
        p value of the slope of a regression.
    fit : BivariateFit or None
        Maximum-likelihood fit of the bivariate model.
    note : str
        Estimates on the boundary of the model; empty if there are none.
    """

    k: int
    slope_low: float
    slope_high: float
    r2: float
    r2_low: float
    r2_high: float
    residual_sd: float
    threshold: Threshold
    band: Band | None
    slope_p: float = math.nan
    fit: BivariateFit | None = None
    note: str = ""

    @property
    def intercept(self) -> float:
        """Log hazard ratio at no effect on the surrogate; NaN without a line."""
        return math.nan if self.band is None else self.band.intercept

    @property
    def slope(self) -> float:
        """Slope of the line; NaN without one."""
        return math.nan if self.band is None else self.band.slope

    @property
    def established(self) -> bool:
        """Whether the interval of the slope excludes zero."""
        return self.slope_low > 0 or self.slope_high < 0

    def line(self, surrogate: npt.ArrayLike) -> Line | None:
        """The line with its bands at given log odds ratios, or None if there is no line."""
        return None if self.band is None else self.band.at(surrogate)


@dataclass(frozen=True)
class Model:
    """One model of the association.

    Attributes
    ----------
    role, model : str
        ``main``, ``sensitivity`` or ``leave-one-out``; ``weighted regression`` or ``bivariate``.
    without : str
        The trial left out; empty for all trials.
    weighting : str
        Of a regression, one of `WEIGHTINGS`; inverse variance refers to the effect on the final
        endpoint.
    within_correlation : float
        Assumed correlation of the sampling errors of the two effects of a trial.
    """

    role: str
    model: str
    found: Association | Refused
    without: str
    weighting: str = ""
    within_correlation: float = math.nan


@dataclass(frozen=True)
class Overturned:
    """A main result that leaving out one trial overturns.

    Attributes
    ----------
    model : str
        Model of the main result.
    without : str
        The trial.
    before, after : Association
        With all trials, and without it.
    """

    model: str
    without: str
    before: Association
    after: Association


@dataclass(frozen=True)
class Surrogacy:
    """All results for one surrogate and one final endpoint.

    Attributes
    ----------
    pairs : tuple of EffectPair
        Trials.
    models : tuple of Model
        The main results (regression weighted by inverse variance, and the bivariate model with the
        chosen correlation), then other weights and correlations, then the main models without each
        trial in turn.
    cautions : tuple of str
        What the numbers cannot show.
    leverage : mapping of str to float
        Leverage of each trial in the regression weighted by inverse variance, 0 to 1: how strongly
        it pulls the line; empty if no line can be drawn.
    """

    pairs: tuple[EffectPair, ...]
    models: tuple[Model, ...]
    cautions: tuple[str, ...]
    leverage: Mapping[str, float]

    @property
    def overturned(self) -> tuple[Overturned, ...]:
        """Deletions of one trial that overturn a main result, highest leverage first.

        Without the trial the slope has the opposite sign, or its interval no longer excludes zero.
        """
        found = [
            Overturned(main.model, left.without, main.found, left.found)
            for main in self.models
            for left in self.models
            if (main.role, left.role) == (MAIN, LEFT_OUT)
            and main.model == left.model
            and not isinstance(main.found, Refused)
            and not isinstance(left.found, Refused)
            and _overturns(main.found, left.found)
        ]
        return tuple(sorted(found, key=lambda of: -self.leverage.get(of.without, 0.0)))


def _overturns(before: Association, after: Association) -> bool:
    return before.slope * after.slope < 0 or (before.established and not after.established)


def surrogacy(
    pairs: Sequence[EffectPair],
    *,
    within_correlation: float,
    sensitivity: Sequence[float],
    level: float = 95.0,
) -> Surrogacy:
    """Regressions, bivariate models, leave-one-out analyses and cautions.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast per trial.
    within_correlation : float
        Assumed correlation of the sampling errors of the two effects of a trial, between -1 and 1.
        Patients who respond relapse less often, so a log odds ratio that is too high by chance goes
        with a log hazard ratio that is too low: the correlation is negative.
    sensitivity : sequence of float
        Other correlations to assume.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Surrogacy
        Models are Refused if there are too few trials.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or a correlation is out of range.
    """
    ordered = tuple(sorted(pairs, key=lambda pair: pair.trial))
    size, inverse = WEIGHTINGS

    def model(role: str, choice: str | float, without: str = "") -> Model:
        """A regression with a weighting, or a bivariate model with a correlation."""
        rest = [pair for pair in ordered if pair.trial != without]
        if isinstance(choice, str):
            found = regress(rest, choice, level)
            return Model(role, REGRESSION, found, without, weighting=choice)
        found = errors_in_variables(rest, choice, level)
        return Model(role, BIVARIATE, found, without, within_correlation=choice)

    main: list[str | float] = [inverse, within_correlation]
    others: list[str | float] = [size, *(rho for rho in sensitivity if rho not in main)]
    models = (
        *(model(MAIN, choice) for choice in main),
        *(model(SENSITIVITY, choice) for choice in others),
        *(model(LEFT_OUT, choice, left.trial) for left in ordered for choice in main),
    )
    few = (
        f"{len(ordered)} trials: the estimate of the association is too imprecise for the "
        "surrogate to replace the final endpoint."
    )
    cautions = (*([few] if len(ordered) < FEW_TRIALS else []), *CANNOT_SHOW)
    return Surrogacy(ordered, models, cautions, _leverage(ordered))


def _leverage(pairs: Sequence[EffectPair]) -> dict[str, float]:
    """Diagonal of the hat matrix of the regression weighted by inverse variance."""
    if len(pairs) < TRIALS_FOR_A_LINE:
        return {}
    data = Pairs(pairs)
    root = np.sqrt(1 / data.second_variance)
    design = np.column_stack([root, root * data.first])
    left = np.linalg.qr(design)[0]
    return dict(zip((pair.trial for pair in pairs), (left**2).sum(axis=1).tolist(), strict=True))


def regress(
    pairs: Sequence[EffectPair], weighting: str, level: float = 95.0
) -> Association | Refused:
    """Weighted least squares of the effect on the final endpoint on that on the surrogate.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast per trial.
    weighting : str
        ``trial size`` or ``inverse variance``.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Association or Refused
        Refused with fewer than four trials, or if all show the same effect on the surrogate.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or the weighting is unknown.

    Notes
    -----
    Residual variance as in R's ``lm(final ~ surrogate, weights)``; prediction for a trial of
    average weight. The interval of R2 is Fisher's interval of the weighted correlation, squared; it
    depends on the number of trials, not their weights. Surrogate threshold effect: attributed to
    Burzykowski T, Buyse M. Pharm Stat 2006;5:173-186.
    """
    data = Pairs(pairs)
    x, y = data.first, data.second
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting {weighting!r} is not one of {', '.join(WEIGHTINGS)}")
    what = "A regression of effects on effects"
    why = "with fewer, the error of the line cannot be estimated"
    if refusal := too_few(x.size, TRIALS_FOR_A_LINE, what, why, forced=False):
        return refusal
    weights = 1 / data.second_variance if weighting == "inverse variance" else _sizes(pairs)
    weights = weights / weights.mean()
    total = weights.sum()
    mean_x, mean_y = float(weights @ x / total), float(weights @ y / total)
    sxx = float(weights @ (x - mean_x) ** 2)
    syy = float(weights @ (y - mean_y) ** 2)
    if sxx <= 1e-18 * float(weights @ x**2):
        return Refused("All trials show the same effect on the surrogate.")
    slope = float(weights @ ((x - mean_x) * (y - mean_y))) / sxx
    df = x.size - 2
    residuals = y - (mean_y - slope * mean_x) - slope * x
    residual = max(float(weights @ residuals**2), 0.0) / df
    quantile = float(stdtrit(df, 0.5 + level / 200))
    band = Band((mean_x, mean_y), slope, residual / total, residual / sxx, residual, quantile)
    se = float(np.sqrt(band.covariance[1, 1]))
    r2 = slope**2 * sxx / syy if syy > 0 else math.nan
    r2_low, r2_high = _fisher(math.copysign(math.sqrt(min(r2, 1.0)), slope), x.size, level)
    return Association(
        k=x.size,
        slope_low=slope - band.quantile * se,
        slope_high=slope + band.quantile * se,
        r2=r2,
        r2_low=r2_low,
        r2_high=r2_high,
        residual_sd=math.sqrt(residual),
        threshold=_threshold(band, float(x.max())),
        band=band,
        slope_p=float(2 * stdtr(df, -abs(slope) / se)) if se > 0 else 0.0,
    )


def errors_in_variables(
    pairs: Sequence[EffectPair], within_correlation: float, level: float = 95.0
) -> Association | Refused:
    """Bivariate random-effects model of the two effects, by maximum likelihood.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast per trial.
    within_correlation : float
        Assumed correlation of the sampling errors of the two effects of a trial, between -1 and 1.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    Association or Refused
        Refused with fewer than five trials.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or the correlation is out of range.

    Notes
    -----
    (y1, y2) of a trial ~ N((m1, m2), S + T), S the sampling covariance with the assumed
    correlation, T that of the true effects. Slope T12/T11, R2 T12^2/(T11 T22). Attributed to van
    Houwelingen HC, Arends LR, Stijnen T. Stat Med 2002;21:589-624; with a flat instead of a normal
    distribution of the true effects on the surrogate it is the model attributed to Daniels MJ,
    Hughes MD. Stat Med 1997;16:1965-1982. The prediction uses the expected information and t with
    k - 2 degrees of freedom.
    """
    data = Pairs(pairs, within_correlation)
    k = len(pairs)
    what, why = "A bivariate model", "it has five parameters"
    if refusal := too_few(k, TRIALS_FOR_TWO_DIMENSIONS, what, why, forced=False):
        return refusal
    found = BivariateFit(data)
    r2_low, r2_high = _squared(*profile_interval(data, found, "correlation", level))
    band, threshold = None, Threshold(None, "There is no line.")
    slope_low = slope_high = math.nan
    if found.has_line:
        slope_low, slope_high = profile_interval(data, found, "slope", level)
        # The intercept m2 - slope m1 varies with the means and, independently, with the slope.
        turn = np.array([-found.slope, 1.0])
        own = turn @ found.mean_covariance @ turn
        around, quantile = found.residual_sd**2, float(stdtrit(k - 2, 0.5 + level / 200))
        band = Band(found.mean, found.slope, own, found.slope_variance, around, quantile)
        threshold = _threshold(band, float(data.first.max()))
    return Association(
        k=k,
        slope_low=slope_low,
        slope_high=slope_high,
        r2=found.correlation**2,
        r2_low=r2_low,
        r2_high=r2_high,
        residual_sd=found.residual_sd,
        threshold=threshold,
        band=band,
        note=_edge(found),
        fit=found,
    )


def _sizes(pairs: Sequence[EffectPair]) -> Floats:
    sizes = np.array([pair.patients for pair in pairs], dtype=float)
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ValueError("every trial needs its number of patients to be weighted by size")
    return sizes


def _fisher(correlation: float, k: int, level: float) -> tuple[float, float]:
    """Interval of the square of a correlation of k pairs, by Fisher's z."""
    half = normal_quantile(check_level(level)) / math.sqrt(k - 3)
    with np.errstate(divide="ignore"):
        z = float(np.arctanh(correlation))
    return _squared(math.tanh(z - half), math.tanh(z + half))


def _squared(low: float, high: float) -> tuple[float, float]:
    """Interval of the square of a quantity with the given limits."""
    least, most = sorted((low**2, high**2))
    return (0.0 if low <= 0 <= high else least), most


def _edge(found: BivariateFit) -> str:
    if not found.has_line:
        return (
            "The effects on the surrogate vary no more than expected by chance: no line can be "
            "drawn, and R² is not determined."
        )
    if math.isnan(found.correlation):
        return (
            "The effects on the final endpoint vary no more than expected by chance: there is "
            "nothing for the surrogate to explain, and R² is not determined."
        )
    if found.residual_sd == 0:
        return (
            "No variance is left around the line: the estimate of R² is 1, as often happens with "
            "few trials and wide intervals. The interval of R² shows how uncertain this is; the "
            "threshold depends on it."
        )
    return ""


def _threshold(band: Band, largest: float) -> Threshold:
    """The effect at which the upper prediction limit falls below zero.

    The limit is a convex function of the effect on the surrogate, since the standard deviation is:
    it is below zero between its two crossings, or beyond the first if there is only one.
    """

    def upper(surrogate: float) -> float:
        return float(band.at(surrogate).pi_high[0])

    if band.slope >= 0:
        why = "A larger effect on the surrogate is not associated with longer survival."
        return Threshold(None, why)
    if upper(lowest := _lowest_point(band)) >= 0:
        why = "No effect on the surrogate, however large, predicts longer survival."
        return Threshold(None, why)
    # Left of its lowest point a convex function that rises without bound crosses zero once.
    step = 1.0
    while upper(lowest - step) < 0:
        step *= 2
    effect = float(brentq(upper, lowest - step, lowest, xtol=1e-12))
    beyond = "Beyond the largest effect that any of the trials showed: an extrapolation."
    below = "Below zero: longer survival is predicted whatever the surrogate shows."
    open_ended = (
        "The slope is not established: for larger effects the prediction includes 1 "
        "(no difference) again."
    )
    minded = {beyond: effect > largest, below: effect < 0, open_ended: not band.falls_faster}
    return Threshold(effect, " ".join(text for text, holds in minded.items() if holds))


def _lowest_point(band: Band) -> float:
    """Where the upper prediction limit is lowest, or a point below zero if it is unbounded."""
    c, q = band.covariance, band.quantile
    spread = float(c[1, 1])
    centre = -float(c[0, 1]) / spread if spread > 0 else 0.0
    if not band.falls_faster:
        # The band widens faster than the line falls. With the variance written as rest + spread (x
        # - centre)^2, the slope of the limit is zero at one point right of the centre, or never, if
        # both are equally fast.
        rest = float(c[0, 0]) + band.new_trial - spread * centre**2
        opening = max((q**2 * spread - band.slope**2) * spread, 1e-300)
        return centre - band.slope * math.sqrt(max(rest, 0.0) / opening)
    # The line falls faster: the limit tends to minus infinity.
    reach = 1.0
    while float(band.at(centre + reach).pi_high[0]) >= 0:
        reach *= 2
    return centre + reach
