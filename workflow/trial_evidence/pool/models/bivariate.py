"""Bivariate random-effects model by maximum likelihood: two effects per trial, each with error."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.engine.results import Floats, check_effects, check_level

# Starting values of the standard deviations and of the slope, in units of the observed spread.
STARTS = ((0.3, 0.0), (0.3, 1.0), (0.3, -1.0), (1.0, 1.0), (1.0, -1.0), (1.0, 0.0))

# Relative loss of likelihood allowed in a step, for rounding: near the maximum, where it is flat,
# a correct step gains less than that.
ROUNDING = 1e-14

MOST_STEPS = 60
MOST_TRIES = 20
# Relative ridge added to the information, so that parameters without information do not move.
RIDGE = 1e-12
# Gives a profile limit accurate to about 1e-9 of its distance from the estimate.
PROFILE_GAIN = 1e-10

# A between-trial standard deviation below this share of the typical standard error counts as zero.
# If that of the first effect is close to zero, the likelihood is flat along ever steeper slopes.
NONE_LEFT = 0.05

# A limit of the slope beyond this multiple of the ratio of the observed spreads is infinite.
FARTHEST_SLOPE = 1e3


@dataclass(frozen=True)
class EffectPair:
    """The two effects of one trial, of the same contrast.

    Attributes
    ----------
    trial : str
        Name of the trial.
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


class TwoEffects:
    """Two effects per trial, with their sampling errors.

    Attributes
    ----------
    first, second : numpy.ndarray of float, shape (k,)
        Effects.
    first_variance, second_variance, covariance : numpy.ndarray of float, shape (k,)
        Their sampling variances and covariance.

    Raises
    ------
    ValueError
        If an effect cannot be used.
    """

    def __init__(
        self,
        first: tuple[npt.ArrayLike, npt.ArrayLike],
        second: tuple[npt.ArrayLike, npt.ArrayLike],
        covariance: npt.ArrayLike,
    ) -> None:
        self.first, self.first_variance = check_effects(*first, at_least=0)
        self.second, self.second_variance = check_effects(*second, at_least=0)
        self.covariance = np.asarray(covariance, dtype=float)


class Pairs(TwoEffects):
    """The effects of trials: the first on the surrogate, the second on the final endpoint.

    Parameters
    ----------
    pairs : sequence of EffectPair
        One contrast per trial.
    within_correlation : float
        Assumed correlation of the sampling errors of a trial's two effects, above -1 and below 1.

    Raises
    ------
    ValueError
        If a trial occurs twice, an effect cannot be used, or the correlation is out of range.
    """

    def __init__(self, pairs: Sequence[EffectPair], within_correlation: float = 0.0) -> None:
        if len({pair.trial for pair in pairs}) < len(pairs):
            raise ValueError("a trial counts once: one contrast of each trial")
        if not -1 < within_correlation < 1:
            raise ValueError(f"a correlation lies above -1 and below 1, not {within_correlation!r}")
        first = [pair.surrogate for pair in pairs], [pair.surrogate_variance for pair in pairs]
        second = [pair.final for pair in pairs], [pair.final_variance for pair in pairs]
        product = np.multiply(first[1], second[1])
        super().__init__(first, second, within_correlation * np.sqrt(product))


# Elements 11, 12 and 22 of a symmetric 2 x 2 matrix.
Elements = tuple[float, float, float]


@dataclass(frozen=True)
class _Shape:
    """A parametrisation of the between-trial covariance.

    Attributes
    ----------
    at : callable
        Maps the parameters to the covariance matrix and its derivatives by each of them.
    lower : tuple of float
        Lower bounds of the parameters.
    """

    at: Callable[[Floats], tuple[Elements, list[Elements]]]
    lower: tuple[float, ...]


def _line(theta: Floats) -> tuple[Elements, list[Elements]]:
    s11, slope, rest = theta.tolist()
    return (s11, slope * s11, slope**2 * s11 + rest), [
        (1.0, slope, slope**2),
        (0.0, s11, 2 * slope * s11),
        (0.0, 0.0, 1.0),
    ]


# Parameters: variance of the first true effect, slope, variance around the line. A correlation of
# one is the boundary of the last parameter, and nothing special for the others.
LINE = _Shape(_line, (0.0, -math.inf, 0.0))


def _at_correlation(correlation: float) -> _Shape:
    """Parameters: the two standard deviations, with the correlation fixed."""

    def at(sds: Floats) -> tuple[Elements, list[Elements]]:
        a, b = sds.tolist()
        return (a * a, correlation * a * b, b * b), [
            (2 * a, correlation * b, 0.0),
            (0.0, correlation * a, 2 * b),
        ]

    return _Shape(at, (0.0, 0.0))


class _Likelihood:
    """The likelihood at a given between-trial covariance, maximised over the means."""

    def __init__(self, data: TwoEffects, shape: _Shape, theta: Floats) -> None:
        (t11, t12, t22), directions = shape.at(theta)
        y1, y2 = data.first, data.second
        m11, m12, m22 = data.first_variance + t11, data.covariance + t12, data.second_variance + t22
        determinant = m11 * m22 - m12 * m12
        # Inverses of the total covariance matrices, shape (3, k).
        self.inverses = np.array([m22, -m12, m11]) / determinant
        w11, w12, w22 = self.inverses
        i11, i12, i22 = self.inverses.sum(axis=1).tolist()
        self.information = (i11, i12, i22)
        pull1, pull2 = float(w11 @ y1 + w12 @ y2), float(w12 @ y1 + w22 @ y2)
        whole = i11 * i22 - i12 * i12
        self.mean = ((i22 * pull1 - i12 * pull2) / whole, (i11 * pull2 - i12 * pull1) / whole)
        r1, r2 = y1 - self.mean[0], y2 - self.mean[1]
        u1, u2 = w11 * r1 + w12 * r2, w12 * r1 + w22 * r2
        constant = -y1.size * math.log(2 * math.pi)
        misfit = float(r1 @ u1 + r2 @ u2)
        self.value = constant - 0.5 * float(np.log(determinant).sum()) - 0.5 * misfit
        # Gradient by the covariance, whose element 12 occurs twice; then by the parameters.
        gradient = (0.5 * (u1 @ u1 - i11), u1 @ u2 - i12, 0.5 * (u2 @ u2 - i22))
        self.directions = np.array(directions)
        self.score = self.directions @ gradient

    def expected(self, free: Sequence[int]) -> Floats:
        """Expected information about the free parameters: half the sum of traces of W D W D'."""
        (aa, ab, ac), (_, bb, bc), (_, _, cc) = (self.inverses @ self.inverses.T).tolist()
        traces = [[aa, 2 * ab, bb], [2 * ab, 2 * (ac + bb), 2 * bc], [bb, 2 * bc, cc]]
        along = self.directions[list(free)]
        return np.asarray(0.5 * along @ traces @ along.T, dtype=float)


def _observed(
    data: TwoEffects, shape: _Shape, theta: Floats, score: Floats, free: list[int], expected: Floats
) -> Floats:
    """Observed information about the free parameters, by finite differences of the score."""
    columns = []
    for i, size in zip(free, expected, strict=True):
        there = theta.copy()
        # A small fraction of the parameter's standard error.
        there[i] += 1e-6 / math.sqrt(size) if size > 0 else 1e-6
        change = _Likelihood(data, shape, there).score - score
        columns.append(-change[free] / (there[i] - theta[i]))
    matrix = np.array(columns)
    return np.asarray(0.5 * (matrix + matrix.T), dtype=float)


def _climb(
    data: TwoEffects, shape: _Shape, start: Floats, held: Sequence[int] = (), gain: float = -1.0
) -> tuple[float, Floats]:
    """Maximum likelihood from a starting value, by Newton's method within bounds.

    If the observed information is not positive definite, the expected information is used instead
    (Fisher scoring). A step that lowers the likelihood is damped until it follows the gradient. The
    search ends when no parameter moves, or when a step gains no more than `gain`. scipy's bounded
    optimisers are not used because they call threaded linear algebra for 2 x 2 matrices, which
    takes milliseconds per step on a busy machine.
    """
    lower = np.array(shape.lower)
    theta = np.maximum(start, lower)
    here = _Likelihood(data, shape, theta)
    damping = 0.0
    for _ in range(MOST_STEPS):
        # A parameter stays at its bound while the likelihood decreases from there.
        resting = (theta <= lower) & (here.score <= 0)
        free = [i for i in range(theta.size) if i not in held and not resting[i]]
        if not free:
            break
        information = here.expected(free)
        own = np.diag(information)
        scale = np.diag(np.where(own > 0, own, 1.0))
        observed = _observed(data, shape, theta, here.score, free, own)
        if np.linalg.eigvalsh(observed).min() > 0:
            information = observed
        for _ in range(MOST_TRIES):
            step = np.zeros(theta.size)
            step[free] = np.linalg.solve(information + (RIDGE + damping) * scale, here.score[free])
            new = np.maximum(theta + step, lower)
            there = _Likelihood(data, shape, new)
            if there.value >= here.value - ROUNDING * abs(here.value):
                break
            damping = max(10 * damping, 1e-3)
        else:
            break
        damping = damping / 10 if damping > 1e-4 else 0.0
        moved = float(np.abs((new - theta) / (np.abs(new) + 1e-9)).max())
        gained = there.value - here.value
        theta, here = new, there
        if moved < 1e-12 or gained <= gain:
            break
    return here.value, theta


def _spread(data: TwoEffects) -> tuple[float, float]:
    """Observed standard deviations, at least the typical standard error so that none is zero."""
    errors = math.sqrt(data.first_variance.mean()), math.sqrt(data.second_variance.mean())
    return max(float(data.first.std()), errors[0]), max(float(data.second.std()), errors[1])


class BivariateFit:
    """Bivariate random-effects model fitted by maximum likelihood.

    Parameters
    ----------
    data : TwoEffects
        Effects with their sampling covariances.

    Attributes
    ----------
    mean : tuple of float
        Mean true effects, first and second.
    mean_covariance : numpy.ndarray of float, shape (2, 2)
        Their covariance.
    sd_first, sd_second : float
        Standard deviations of the true effects.
    has_line : bool
        Whether the first true effect varies.
    slope : float
        Slope of the second true effect on the first; NaN if the first does not vary.
    residual_sd : float
        Standard deviation of the second true effect around the line.
    correlation : float
        Correlation of the true effects; NaN if one of them does not vary.
    slope_variance : float
        From the expected information, allowing for estimation of the other parameters (those at
        zero are held there).
    log_likelihood : float
        Including all constants.

    Notes
    -----
    Newton's method from several starting values, over the variance of the first true effect, the
    slope and the variance around the line. As in metafor's
    ``rma.mv(struct = "UN", method = "ML")``.
    """

    def __init__(self, data: TwoEffects) -> None:
        first, second = _spread(data)
        starts = [
            np.array([(a * first) ** 2, b * second / first, (a * second) ** 2]) for a, b in STARTS
        ]
        theta = max((_climb(data, LINE, start) for start in starts), key=lambda one: one[0])[1]
        self.has_line = bool(theta[0] > NONE_LEFT**2 * data.first_variance.mean())
        if not self.has_line:
            second_alone = np.array([0.0, 0.0, _line(theta)[0][2]])
            theta = _climb(data, LINE, second_alone, held=(0, 1))[1]
        s11, slope, rest = theta.tolist()
        t22 = _line(theta)[0][2]
        at = _Likelihood(data, LINE, theta)
        self.log_likelihood = at.value
        self.mean = at.mean
        i11, i12, i22 = at.information
        self.mean_covariance = np.array(np.linalg.inv([[i11, i12], [i12, i22]]), dtype=float)
        self.sd_first, self.sd_second = math.sqrt(s11), math.sqrt(t22)
        self.residual_sd = math.sqrt(rest)
        self.slope = self.slope_variance = self.correlation = math.nan
        if self.has_line:
            self.slope = slope
            # If the variance around the line is zero, it is held there.
            information = at.expected(range(3 if rest > 0 else 2))
            self.slope_variance = float(np.linalg.inv(information)[1, 1])
            if t22 > NONE_LEFT**2 * float(data.second_variance.mean()):
                certain = math.copysign(1.0, slope)
                self.correlation = slope * math.sqrt(s11 / t22) if rest > 0 else certain


Sds = tuple[float, float]


def profile_interval(
    data: TwoEffects, found: BivariateFit, what: Literal["slope", "correlation"], level: float
) -> tuple[float, float]:
    """Profile-likelihood interval of the slope or the correlation.

    Parameters
    ----------
    data : TwoEffects
        Effects with their sampling covariances.
    found : BivariateFit
        The fit to these data.
    what : str
        ``slope`` or ``correlation``.
    level : float
        Level in percent.

    Returns
    -------
    low, high : float
        Limits of the values around the estimate whose profile likelihood is not significantly
        below the maximum. If the likelihood does not bound it, the limit of a correlation is -1 or
        1, and that of a slope is infinite.
    """
    quantile = normal_quantile(check_level(level))
    first, second = _spread(data)
    if what == "slope":
        reach = FARTHEST_SLOPE * second / first
        estimate, ends = found.slope, (found.slope - reach, found.slope + reach)
        beyond, sd = (-math.inf, math.inf), found.residual_sd
        step = second / first
    else:
        estimate = 0.0 if math.isnan(found.correlation) else found.correlation
        ends = beyond = (-1.0, 1.0)
        sd, step = found.sd_second, 2.0
    fresh = [*_starts(data, found.sd_first, sd), (0.1 * first, second)]
    last = fresh
    known = {estimate: -quantile}

    def outside(value: float) -> float:
        """Root of the deviance (nearly linear) minus its critical value: positive outside."""
        nonlocal last
        if value not in known:
            height, sds = max(
                (_best_at(data, what, value, start) for start in last), key=lambda one: one[0]
            )
            # The optimum at one value is a good starting point for the next.
            last = [sds, fresh[0]]
            deviance = 2 * (found.log_likelihood - height)
            known[value] = math.sqrt(max(0.0, deviance)) - quantile
        return known[value]

    limits = list(beyond)
    for side, end in enumerate(ends):
        last = fresh
        if outside(end) > 0:
            last = fresh
            inner, outer, share = estimate, end, step / abs(end - estimate)
            while share < 1 and outer == end:
                near = estimate + share * (end - estimate)
                if outside(near) < 0:
                    inner, share = near, 2 * share
                else:
                    outer = near
            limits[side] = float(brentq(outside, inner, outer, xtol=1e-10, rtol=1e-10))
    return limits[0], limits[1]


def log_likelihood_at(data: TwoEffects, found: BivariateFit, slope: float) -> float:
    """Profile log-likelihood at a given slope, for a test of that value."""
    starts = _starts(data, found.sd_first, found.residual_sd)
    return max(_best_at(data, "slope", slope, start)[0] for start in starts)


def _starts(data: TwoEffects, *fitted: float) -> list[Sds]:
    """Starting values of two standard deviations: the fitted ones, then shares of the spread."""
    first, second = _spread(data)
    above_zero = max(fitted[0], 1e-3 * first), max(fitted[1], 1e-3 * second)
    return [above_zero, (0.3 * first, 0.3 * second), (first, 0.1 * second)]


def _best_at(
    data: TwoEffects, what: Literal["slope", "correlation"], value: float, sds: Sds
) -> tuple[float, Sds]:
    """Profile likelihood at a given slope or correlation, and the standard deviations there."""
    if what == "correlation":
        height, theta = _climb(data, _at_correlation(value), np.array(sds), gain=PROFILE_GAIN)
        return height, (float(theta[0]), float(theta[1]))
    # With a steep slope, the first standard deviation must be small.
    narrow = min(sds[0], _spread(data)[1] / max(abs(value), 1e-9))
    start = np.array([narrow**2, value, sds[1] ** 2])
    height, theta = _climb(data, LINE, start, held=(1,), gain=PROFILE_GAIN)
    return height, (math.sqrt(theta[0]), math.sqrt(theta[2]))
