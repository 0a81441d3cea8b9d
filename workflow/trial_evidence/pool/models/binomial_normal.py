"""Random-effects logistic regression: binomial likelihood, normal distribution of the effects.

No effect size is computed for a trial, so sparse and zero cells need no correction. The likelihood
of a trial is an integral over its random effect z, computed by adaptive quadrature (centred and
scaled at the integrand's mode) with enough nodes that more make no difference. Given tau, the log
likelihood is concave in all other parameters (the integrand is log-concave, and integration
preserves that), so Newton's method finds its maximum; tau is found on a grid and then refined.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, stdtrit

from trial_evidence.measures.scales import LOGIT
from trial_evidence.pool.engine.results import (
    Floats,
    Pooled,
    Refused,
    check_level,
    percent_weights,
    wald,
)
from trial_evidence.pool.engine.roots import falling_roots
from trial_evidence.pool.engine.stacks import Ints
from trial_evidence.pool.models.counts import Counts

# Nodes up to USUAL_TAU; in proportion to tau beyond, because the steps of an integrand narrow as
# 1/tau.
NODES = 101
# From its mode, the integrand falls at least as fast as the standard normal density; beyond this
# distance it is below 1e-12 of its maximum.
REACH = 7.5
# On the log odds scale: two in three trials would differ from the mean by a factor of up to 150.
USUAL_TAU = 5.0
# The search goes on to this tau as long as the likelihood rises.
LARGEST_TAU = 25.0
# Where the log likelihood is this far below its maximum so far, a second maximum is unlikely.
FAR_BELOW = 15.0
# A Newton step this small, relative to what it moves, is the last: the error is about its square.
LAST_STEP = 1e-7
# On the grid of tau, the likelihood is only compared.
COARSE_STEP = 1e-3
# A fit usually takes about a hundred evaluations of the likelihood; after this many, give up.
MOST_EVALUATIONS = 1_500
# The exact likelihood sums over all tables with a trial's margins; largest total for all trials.
MOST_TABLES = 10_000
TINY = 1e-12
NO_MAXIMUM = "No estimate: no event, or only events, in one arm of all trials."
UNBOUNDED = f"No estimate: the likelihood still rises at the largest tau tried, {LARGEST_TAU:g}."
NOT_SETTLED = "No estimate: the fit does not settle on these tables."
TOO_LARGE = "Not computed: the tables are too large for the exact likelihood."
_expit = LOGIT.to_natural


@dataclass(frozen=True)
class _Point:
    """Log likelihood and its derivatives in mean and tau, with other parameters profiled out."""

    value: float
    slope_mean: float
    slope_tau: float
    # Second derivatives.
    mean_mean: float
    mean_tau: float
    tau_tau: float

    @property
    def mean_by_tau(self) -> float:
        """Change of the best mean per unit of tau."""
        return self.mean_tau / max(-self.mean_mean, TINY)

    @property
    def bend(self) -> float:
        """Second derivative in tau with the mean profiled out."""
        return self.tau_tau + self.mean_tau * self.mean_by_tau

    @classmethod
    def of(cls, *terms: Floats) -> "_Point":
        """Sums of each trial's terms over the trials."""
        return cls(*(float(term.sum()) for term in terms))


class _NoFitError(ArithmeticError):
    """There is no estimate; the message is the reason, in words for the reader."""


class _Likelihood(ABC):
    """Likelihood of a set of trials with normal random effects of standard deviation tau."""

    evaluations = 0

    def count(self) -> None:
        """Count an evaluation, and give up after too many."""
        self.evaluations += 1
        if self.evaluations > MOST_EVALUATIONS:
            raise _NoFitError(NOT_SETTLED)

    @abstractmethod
    def at(self, mean: float, tau: float) -> _Point:
        """Log likelihood and derivatives at a given mean and tau."""

    def best_mean(
        self, start: float, tau: float, last_step: float = LAST_STEP
    ) -> tuple[float, _Point]:
        """The mean that maximises the likelihood at a given tau, and the derivatives there."""
        mean, here = start, self.at(start, tau)
        for _ in range(200):
            step = here.slope_mean / max(-here.mean_mean, TINY)
            step = math.copysign(min(abs(step), 2.0), step)
            there = self.at(mean + step, tau)
            while there.value < here.value - 1e-10 * abs(here.value) and abs(step) > 1e-14:
                step /= 2
                there = self.at(mean + step, tau)
            mean, here = mean + step, there
            if not math.isfinite(here.value):
                break
            if abs(step) < last_step * (1 + abs(mean)):
                return mean, here
        raise _NoFitError(NOT_SETTLED)

    def best(self) -> tuple[float, _Point, float]:
        """Mean, derivatives and tau at the maximum likelihood."""
        usual = [0.0, *np.geomspace(1e-2, USUAL_TAU, 20).tolist()]
        grid = [*usual, *np.geomspace(USUAL_TAU, LARGEST_TAU, 6)[1:].tolist()]
        found: list[tuple[float, _Point, float]] = []
        searched, passed = self, len(grid)

        def near(tau: float, last_step: float = LAST_STEP) -> tuple[float, _Point, float]:
            """The best mean at tau, from the one at the tau before."""
            mean, point, before = found[-1]
            shift = point.mean_by_tau * (tau - before)
            start = mean + math.copysign(min(abs(shift), 2.0), shift)
            found.append((*searched.best_mean(start, tau, last_step), tau))
            return found[-1]

        found.append((*self.best_mean(0.0, 0.0), 0.0))
        values = [found[0][1].value]
        for tau in grid[1:]:
            try:
                values.append(near(tau, COARSE_STEP)[1].value)
            except _NoFitError:
                if searched is self:
                    raise
                break
            if searched is self and values[-1] < max(values) - FAR_BELOW:
                # A copy looks for a second maximum, so that the starting values of the integrals
                # stay near the first.
                searched, passed = copy(self), len(values)
            if tau >= USUAL_TAU and values[-1] < max(values):
                break
        top = int(np.argmax(values))
        if top == len(grid) - 1:
            raise _NoFitError(UNBOUNDED)
        if top < passed:
            searched = self
        # At tau = 0 the slope in tau is zero by symmetry, so the curvature decides.
        none, over = found[0], found[top + 1][1]
        if top == 0 and none[1].bend <= 0:
            return none
        bottom = grid[top - 1] if top > 1 else 1e-5
        found.append(found[top])
        if (found[top - 1][1] if top > 1 else near(bottom)[1]).slope_tau <= 0:
            return none
        if not over.slope_tau < 0:
            raise _NoFitError(NOT_SETTLED)

        def slope(tau: Floats, _: Ints) -> tuple[Floats, Floats]:
            point = near(float(tau[0]))[1]
            return np.array([point.slope_tau]), np.array([point.bend])

        start = max(grid[top], bottom)
        bracket = (np.array([tau]) for tau in (bottom, grid[top + 1], start, bottom))
        return near(float(falling_roots(slope, *bracket)[0]))


class _OneMargin(_Likelihood):
    """Trials whose likelihood depends only on their log odds (or log odds ratio) theta.

    The log likelihood of trial i is a_i theta - K_i(theta) with K convex: an exponential family.
    """

    def __init__(self, successes: Floats) -> None:
        self.successes = successes
        self.modes = np.zeros(successes.size)

    @abstractmethod
    def cumulant(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """K and its first two derivatives at theta, of shape (k, points)."""

    def at(self, mean: float, tau: float) -> _Point:
        self.count()
        a = self.successes[:, None]

        def slope(z: Floats) -> tuple[Floats, Floats]:
            _, first, second = self.cumulant(mean + tau * z)
            return tau * (a - first) - z, -1 - tau * tau * second

        z, log_weights, self.modes = _points(slope, self.modes, tau)
        theta = mean + tau * z
        cumulant, first, second = self.cumulant(theta)
        value, share = _total(a * theta - cumulant + log_weights)
        residual = a - first
        lean, curve = share * residual, share * (residual**2 - second)
        by_mean, by_tau = lean.sum(axis=1), (lean * z).sum(axis=1)
        return _Point.of(
            value,
            by_mean,
            by_tau,
            curve.sum(axis=1) - by_mean**2,
            (z * curve).sum(axis=1) - by_mean * by_tau,
            (z**2 * curve).sum(axis=1) - by_tau**2,
        )


class _Binomial(_OneMargin):
    """Events among n patients; theta is the log odds minus a known offset."""

    def __init__(self, counts: "_Tables") -> None:
        if (counts.a == 0).all() or (counts.c == 0).all():
            raise _NoFitError(NO_MAXIMUM)
        super().__init__(counts.a)
        self.n = (counts.a + counts.c)[:, None]
        self.offset = np.log(counts.n1 / counts.n0)[:, None]

    def cumulant(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        eta = theta + self.offset
        p = _expit(eta)
        return self.n * np.logaddexp(0, eta), self.n * p, self.n * p * (1 - p)


class _Hypergeometric(_OneMargin):
    """Events in the experimental arm given all margins; theta is the log odds ratio."""

    def __init__(self, counts: "_Tables") -> None:
        super().__init__(counts.a)
        lowest, highest = counts.range
        sizes = (highest - lowest + 1).astype(np.intp)
        if sizes.sum() > MOST_TABLES:
            raise _NoFitError(TOO_LARGE)
        # The possible tables of all trials in a row: their trial, and where each trial begins.
        self.trial = np.repeat(np.arange(sizes.size), sizes)
        self.begins = np.cumsum(sizes) - sizes
        self.events = (np.arange(sizes.sum()) - (self.begins - lowest)[self.trial]).astype(float)
        self.middle = ((lowest + highest) / 2)[:, None]
        self.apart = self.events - self.middle[self.trial, 0]
        n1, n0, m = (x[self.trial] for x in (counts.n1, counts.n0, counts.a + counts.c))
        self.log_ways = _log_choose(n1, self.events) + _log_choose(n0, m - self.events)

    def cumulant(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        # Tables in the last axis, where sums over each trial's are fastest.
        terms = theta.T[:, self.trial]
        terms *= self.events
        terms += self.log_ways
        top = np.maximum.reduceat(terms, self.begins, axis=1)
        terms -= top[:, self.trial]
        np.exp(terms, out=terms)
        total = np.add.reduceat(terms, self.begins, axis=1)
        terms *= self.apart
        mean = np.add.reduceat(terms, self.begins, axis=1) / total
        terms *= self.apart
        square = np.add.reduceat(terms, self.begins, axis=1) / total
        return (top + np.log(total)).T, mean.T + self.middle, (square - mean**2).T


@dataclass(frozen=True)
class _Tables:
    a: Floats
    n1: Floats
    c: Floats
    n0: Floats

    @property
    def range(self) -> tuple[Floats, Floats]:
        """Smallest and largest possible experimental events, given each trial's margins."""
        total = self.a + self.c
        return np.maximum(0.0, total - self.n0), np.minimum(total, self.n1)


class _TwoArms(_Likelihood):
    """Counts of both arms with a baseline odds per trial; z is split evenly between the arms.

    The baselines are profiled out by Newton's method in `at`.
    """

    def __init__(self, counts: _Tables) -> None:
        self.t = counts
        p = (counts.a + counts.c + 0.5) / (counts.n1 + counts.n0 + 1)
        self.baseline = np.log(p / (1 - p))
        self.modes = np.zeros(p.size)
        # Mean and tau of the evaluation before, and how the baselines follow them.
        self.before = (0.0, 0.0)
        self.follow = np.zeros((2, p.size))

    def _integrals(self, baseline: Floats, mean: float, tau: float) -> tuple[Floats, ...]:
        self.count()
        a, n1, c, n0 = (x[:, None] for x in (self.t.a, self.t.n1, self.t.c, self.t.n0))
        alpha = baseline[:, None]

        def slope(z: Floats) -> tuple[Floats, Floats]:
            p1, p0 = _expit(alpha + mean + tau * z / 2), _expit(alpha - tau * z / 2)
            v = n1 * p1 * (1 - p1) + n0 * p0 * (1 - p0)
            return tau / 2 * (a - n1 * p1 - c + n0 * p0) - z, -1 - tau * tau / 4 * v

        z, log_weights, self.modes = _points(slope, self.modes, tau)
        eta1, eta0 = alpha + mean + tau * z / 2, alpha - tau * z / 2
        p1, p0 = _expit(eta1), _expit(eta0)
        value, share = _total(
            a * eta1 - n1 * np.logaddexp(0, eta1) + c * eta0 - n0 * np.logaddexp(0, eta0)
            + log_weights
        )  # fmt: skip
        r1, r0 = a - n1 * p1, c - n0 * p0
        v1, v0 = n1 * p1 * (1 - p1), n0 * p0 * (1 - p0)
        slopes = (r1 + r0, r1, z / 2 * (r1 - r0))
        curves = {
            (0, 0): -(v1 + v0), (0, 1): -v1, (0, 2): -z / 2 * (v1 - v0),
            (1, 1): -v1, (1, 2): -z / 2 * v1, (2, 2): -(z**2) / 4 * (v1 + v0),
        }  # fmt: skip
        expected = [(share * s).sum(axis=1) for s in slopes]
        second = [
            (share * (slopes[i] * slopes[j] + curve)).sum(axis=1) - expected[i] * expected[j]
            for (i, j), curve in curves.items()
        ]
        return value, *expected, *second

    def at(self, mean: float, tau: float) -> _Point:
        shift = (mean - self.before[0]) * self.follow[0] + (tau - self.before[1]) * self.follow[1]
        baseline = self.baseline + np.clip(shift, -2, 2)
        terms = self._integrals(baseline, mean, tau)
        for _ in range(200):
            step = np.clip(terms[1] / -terms[4], -2, 2)
            there = self._integrals(baseline + step, mean, tau)
            worse = there[0] < terms[0] - 1e-10 * np.abs(terms[0])
            while worse.any() and np.abs(step[worse]).max() > 1e-14:
                step = np.where(worse, step / 2, step)
                there = self._integrals(baseline + step, mean, tau)
                worse = there[0] < terms[0] - 1e-10 * np.abs(terms[0])
            baseline, terms = baseline + step, there
            if np.abs(step).max() < LAST_STEP * (1 + np.abs(baseline).max()):
                break
        value, _, by_mean, by_tau, aa, am, at, mm, mt, tt = terms
        self.baseline, self.before, self.follow = baseline, (mean, tau), -np.array([am, at]) / aa
        # Profiling out the baselines changes the second derivatives (Schur complement).
        profiled = (mm - am * am / aa, mt - am * at / aa, tt - at * at / aa)
        return _Point.of(value, by_mean, by_tau, *profiled)


def _points(
    slope: Callable[[Floats], tuple[Floats, Floats]], start: Floats, tau: float
) -> tuple[Floats, Floats, Floats]:
    """Quadrature points around the mode of each trial's integrand, log weights, and the modes.

    ``slope`` returns the slope of the log integrand and its derivative, each of shape (k, 1);
    ``start`` is near the modes. Points and weights have shape (k, nodes). Trapezoidal rule in t
    with z = mode + scale sinh(t): fine at the peak and wide in the tails, which may differ between
    the sides. The weights include the standard normal density.
    """
    nowhere = np.zeros((start.size, 1))

    def of_some(z: Floats, which: Ints) -> tuple[Floats, Floats]:
        at = nowhere.copy()
        at[which, 0] = z
        value, derivative = slope(at)
        return value[which, 0], derivative[which, 0]

    # The slope falls by at least one per unit of z, so its zero is no farther away than its value.
    # Without a bracket, Newton's method oscillates where the integrand falls steeply.
    pull = slope(nowhere)[0][:, 0]
    low, high = np.minimum(pull, 0.0), np.maximum(pull, 0.0)
    modes = falling_roots(of_some, low, high, np.clip(start, low, high), np.ones(start.size))
    mode = modes[:, None]
    scale = 1 / np.sqrt(-slope(mode)[1])
    reach = np.arcsinh(REACH / scale)
    intervals = math.ceil((NODES - 1) * max(1.0, tau / USUAL_TAU))
    t = reach * np.linspace(-1, 1, intervals + 1)
    z = mode + scale * np.sinh(t)
    step = 2 * reach / intervals
    log_weights = np.log(step * scale * np.cosh(t)) - 0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return z, log_weights, modes


def _total(log_terms: Floats) -> tuple[Floats, Floats]:
    """Logarithm of the sum of each row's terms, and their shares of it."""
    top = log_terms.max(axis=1, keepdims=True)
    terms = np.exp(log_terms - top)
    total = terms.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], terms / total


def _log_choose(n: Floats, j: Floats) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(j + 1) - gammaln(n - j + 1))


def _fitted(
    model: str, of: Callable[[_Tables], _Likelihood], counts: Counts, level: float, *, common: bool
) -> Pooled | Refused:
    level = check_level(level)
    try:
        tables = _informative(counts)
        likelihood = of(tables)
        mean, point, tau = (*likelihood.best_mean(0.0, 0.0), 0.0) if common else likelihood.best()
    except _NoFitError as error:
        return Refused(str(error))
    mm, mt, tt = point.mean_mean, point.mean_tau, point.tau_tau
    information = -mm if tau == 0 else -(mm - mt * mt / tt) if tt else math.nan
    if not information > 0:
        return Refused(NOT_SETTLED)
    se = 1 / math.sqrt(information)
    patients = tables.n1 + tables.n0
    k = patients.size
    reach = float(stdtrit(k - 1, 0.5 + level / 200)) * math.hypot(tau, se) if k > 1 else math.nan
    predicts = not common and k > 1
    return Pooled(
        model=model,
        k=k,
        **wald(mean, se, level),
        tau2=None if common else tau * tau,
        pi_low=mean - reach if predicts else None,
        pi_high=mean + reach if predicts else None,
        # The model has no trial weights; numbers of patients are the closest useful substitute.
        weights=percent_weights(patients),
    )


def _informative(counts: Counts) -> _Tables:
    """Tables with both events and non-events."""
    t = _Tables(*counts.of_odds("logistic regression"))
    lowest, highest = t.range
    if (t.a == lowest).all() or (t.a == highest).all():
        raise _NoFitError(NO_MAXIMUM)
    return t


def unconditional_logistic(
    counts: Counts, level: float = 95.0, *, common: bool = False
) -> Pooled | Refused:
    """Logistic regression with a fixed effect for each trial and random treatment effects.

    Parameters
    ----------
    counts : Counts
        The trials' tables, measure ``odds_ratio``. Trials with no events, or with events in all
        patients, carry no information and are dropped.
    level : float
        Level of the intervals in percent.
    common : bool
        Assume no heterogeneity: one odds ratio for all trials.

    Returns
    -------
    Pooled or Refused
        Maximum likelihood log odds ratio with its Wald interval (standard error from the
        information about all parameters, including tau), tau2, and a prediction interval on t with
        k-1 degrees of freedom. Refused if the likelihood has no finite maximum (no events, or only
        events, in one arm of all trials), if it still rises at a tau of 25, or if the search for
        the maximum does not converge.

    Raises
    ------
    ValueError
        If a count is missing, negative or above n, n is not positive, lengths differ, the measure
        is not the odds ratio, or the level is not a percentage.

    Notes
    -----
    Turner RM, Omar RZ, Yang M, Goldstein H, Thompson SG. Stat Med 2000;19:3417-3432; Jackson D,
    Law M, Stijnen T, Viechtbauer W, White IR. Stat Med 2018;37:1059-1085, their model 4: the random
    effect is split evenly between the arms. As in metafor's
    ``rma.glmm(model="UM.FS")``.
    """
    return _fitted("logistic_unconditional", _TwoArms, counts, level, common=common)


def conditional_logistic(
    counts: Counts, level: float = 95.0, *, common: bool = False, approximate: bool = False
) -> Pooled | Refused:
    """Logistic regression conditional on each trial's number of events.

    Parameters
    ----------
    counts : Counts
        The trials' tables, as in `unconditional_logistic`.
    level : float
        Level of the intervals in percent.
    common : bool
        Assume no heterogeneity.
    approximate : bool
        Use the binomial instead of the noncentral hypergeometric distribution, for rare events.

    Returns
    -------
    Pooled or Refused
        As in `unconditional_logistic`; also refused if the exact likelihood would take too long.

    Raises
    ------
    ValueError
        As in `unconditional_logistic`.

    Notes
    -----
    Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046-3067. As in metafor's
    ``rma.glmm(model="CM.EL")`` and ``"CM.AL"``.
    """
    of = _Binomial if approximate else _Hypergeometric
    return _fitted("logistic_conditional", of, counts, level, common=common)
