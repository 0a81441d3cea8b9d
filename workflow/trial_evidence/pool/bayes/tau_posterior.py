"""Posterior of tau in the normal-normal model, and its quadrature, for many analyses at once.

Given tau, everything is normal in closed form, so only tau needs numerical integration. The
integrals run over u with tau = s sinh(u), where s is the standard error of the common effect, or
over u = log(tau) if the prior is smooth on that scale. In u, the integrands have no singularity
closer to the real axis than i pi/2, whatever the ratio of the variances, so Gauss-Legendre
quadrature converges geometrically. No sampling, no seed, identical digits on every run.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import leggauss

from trial_evidence.pool.bayes.priors import TauPrior
from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.engine.roots import falling_roots
from trial_evidence.pool.engine.stacks import Ints, Stack
from trial_evidence.pool.engine.tau2 import estimate_tau2


@dataclass(frozen=True)
class MeanPrior:
    """Normal prior for the mean effect.

    Attributes
    ----------
    mean, sd : float
        On the analysis scale; an infinite sd gives the flat prior.
    """

    mean: float = 0.0
    sd: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and self.sd > 0):
            raise ValueError(f"the prior of the mean needs a finite mean and an sd above 0: {self}")


FLAT = MeanPrior()
# Newton's method for an interval of tau: largest number of steps, and tolerance in u.
MOST_NEWTON = 20
CLOSE = 1e-8
EVERY = slice(None)


@dataclass(frozen=True)
class Rule:
    """Fineness of the quadrature; the default is exact to double precision.

    Attributes
    ----------
    panels, nodes : int
        Panels, and nodes per panel.
    partial_panels, partial_nodes : int
        The same for the integrals up to a quantile of tau.
    search : int
        Number of grid points in the search for the range of the posterior.
    drop : float
        The range leaves out tau with a posterior density below exp(-drop) times the maximum.
    moments : bool
        Whether the range must be wide enough for second moments as well.
    """

    panels: int = 32
    nodes: int = 16
    partial_panels: int = 12
    partial_nodes: int = 16
    search: int = 129
    drop: float = 50.0
    moments: bool = True


@lru_cache
def _points(panels: int, nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on the interval 0 to 1, as columns."""
    x, w = leggauss(nodes)
    start = np.arange(panels)[:, None]
    points = ((start + 0.5 + 0.5 * x) / panels).reshape(-1, 1)
    return points, np.tile(0.5 * w / panels, panels).reshape(-1, 1)


FINE = Rule()


def fast_rule(prior: TauPrior) -> Rule:
    """A cheaper rule: quantiles to 1e-8 of an interval's width for trials of similar size.

    Parameters
    ----------
    prior : TauPrior
        Sets the number of nodes: more for heavier tails.
    """
    return Rule(
        panels=1,
        nodes=prior.fast_nodes,
        partial_panels=1,
        partial_nodes=prior.fast_nodes // 2,
        search=49,
        drop=27.0,
        moments=False,
    )


class TauPosterior:
    """Posterior of tau for each analysis of a stack.

    Parameters
    ----------
    stack : Stack
        Analyses; effects should be centred near zero to reduce rounding errors.
    prior : TauPrior
        Prior for tau.
    mean_prior : MeanPrior
        Prior for the mean, before the shift.
    mean_shift : numpy.ndarray of float, shape (analyses,)
        What was subtracted from the effects; it is subtracted from the prior mean as well.
    rule : Rule
        Fineness of the quadrature.
    """

    def __init__(
        self, stack: Stack, prior: TauPrior, mean_prior: MeanPrior, mean_shift: Floats, rule: Rule
    ) -> None:
        self.stack, self.prior, self.rule = stack, prior, rule
        self.prior_weight = 1 / mean_prior.sd**2
        self.prior_mean = mean_prior.mean - mean_shift
        self.unit = 1 / np.sqrt((1 / stack.vi).sum(axis=0))
        self.low, self.high, self.peak = self._support()
        self.points, rule_weights = _points(rule.panels, rule.nodes)
        u = self.low + (self.high - self.low) * self.points
        mass = self._density_u(u) * rule_weights * (self.high - self.low)
        self.total = mass.sum(axis=0)
        self.tau = self._tau(u)
        self.weights = mass / self.total

    def _tau(self, u: Floats, which: Ints | slice = EVERY) -> Floats:
        return np.exp(u) if self.prior.on_log_scale else self.unit[which] * np.sinh(u)

    def _u(self, tau: Floats) -> Floats:
        return np.asarray(np.log(tau) if self.prior.on_log_scale else np.arcsinh(tau / self.unit))

    def given_tau(self, tau: Floats, which: Ints | slice = EVERY) -> tuple[Floats, Floats, Floats]:
        """Posterior of the mean given tau.

        Parameters
        ----------
        tau : numpy.ndarray of float, shape (points, analyses)
            Values of tau.
        which : numpy.ndarray of int or slice
            The analyses to which they belong.

        Returns
        -------
        mean, precision : numpy.ndarray of float, shape (points, analyses)
            Conditional mean and precision of the mean effect.
        log_likelihood : numpy.ndarray of float, shape (points, analyses)
            Log likelihood of tau with the mean integrated out, up to a constant.
        """
        yi, vi = self.stack.yi[:, which], self.stack.vi[:, which]
        present = np.isfinite(vi)
        w = 1 / (vi + (tau**2)[:, None, :])
        precision = w.sum(axis=1) + self.prior_weight
        centre = self.prior_mean[which]
        pull = self.prior_weight * centre if self.prior_weight > 0 else 0.0
        mean = ((w * yi).sum(axis=1) + pull) / precision
        residuals = yi - mean[:, None, :]
        misfit = (w * residuals**2).sum(axis=1)
        if self.prior_weight > 0:
            misfit = misfit + self.prior_weight * (mean - centre) ** 2
        log_w = np.log(w if present.all() else np.where(present, w, 1.0)).sum(axis=1)
        return mean, precision, 0.5 * (log_w - np.log(precision) - misfit)

    def _log_density(self, tau: Floats, which: Ints | slice = EVERY) -> Floats:
        return np.asarray(self.given_tau(tau, which)[2] + self.prior.log_density(tau))

    def _log_density_u(self, u: Floats, which: Ints | slice = EVERY) -> Floats:
        density = self._log_density(self._tau(u, which), which)
        if self.prior.on_log_scale:
            return density + u
        return np.asarray(density + (np.log(self.unit[which]) + np.log(np.cosh(u))))

    def _density_u(self, u: Floats, which: Ints | slice = EVERY) -> Floats:
        return np.asarray(np.exp(self._log_density_u(u, which) - self.peak[which]))

    def _support(self) -> tuple[Floats, Floats, Floats]:
        """Range of u that covers the posterior, and the maximum of the log density in it."""
        # The likelihood is highest at the REML estimate of tau (and practically as high near zero
        # if that is zero); away from there, only the prior bounds the density.
        best = np.maximum(np.sqrt(estimate_tau2(self.stack, "REML")), 0.1 * self.unit)
        drop = self.rule.drop * (2 if self.rule.moments else 1)
        low, high = self.prior.reach(best, drop)
        # If the prior excludes the maximum of the likelihood, the range ends with the prior's.
        start, end = self._u(low), self._u(high)
        steps = np.linspace(0, 1, self.rule.search)[:, None]
        grid = start + (end - start) * steps
        density = self._log_density_u(grid)
        peak = density.max(axis=0)
        kept_by = density - peak
        if self.rule.moments:
            moment = density + 2 * np.log(np.hypot(1.0, self._tau(grid) / self.unit))
            kept_by = np.maximum(kept_by, moment - moment.max(axis=0))
        kept = kept_by > -self.rule.drop
        first = np.maximum(kept.argmax(axis=0) - 1, 0)
        last = np.minimum(self.rule.search - kept[::-1].argmax(axis=0), self.rule.search - 1)
        columns = np.arange(start.size)
        return grid[first, columns], grid[last, columns], peak

    def density(self, tau: Floats) -> Floats:
        """Posterior density at tau.

        Parameters
        ----------
        tau : numpy.ndarray of float, shape (points, analyses)
            Values of tau.
        """
        with np.errstate(under="ignore"):
            return np.asarray(np.exp(self._log_density(tau) - self.peak) / self.total)

    def _cdf_u(self, u: Floats, which: Ints) -> tuple[Floats, Floats]:
        """Posterior probability below u, and the posterior density at u."""
        points, weights = _points(self.rule.partial_panels, self.rule.partial_nodes)
        width = u - self.low[which]
        # The last row is the density at u itself.
        at = self.low[which] + width * np.vstack([points, [[1.0]]])
        density = self._density_u(at, which)
        mass = (density[:-1] * weights).sum(axis=0) * width
        return mass / self.total[which], density[-1] / self.total[which]

    def quantile(self, p: Floats) -> Floats:
        """Posterior quantile of tau at probability p.

        Parameters
        ----------
        p : numpy.ndarray of float, shape (analyses,)
            One probability per analysis.
        """
        # Starting value from cumulative sums over nodes, each taken to the middle of its node.
        reached = np.cumsum(self.weights, axis=0) - 0.5 * self.weights
        node = (reached < p).sum(axis=0).clip(0, reached.shape[0] - 1)
        u = self.low + (self.high - self.low) * self.points[node, 0]

        def short_of(at: Floats, which: Ints) -> tuple[Floats, Floats]:
            probability, density = self._cdf_u(at, which)
            return p[which] - probability, -density

        root = falling_roots(short_of, self.low, self.high, u, np.full(u.size, 1.0))
        return np.asarray(self._tau(root[None, :])[0])

    def ends_of_equal_density(self, mass: float) -> tuple[float, float] | None:
        """Two values of tau with equal density and probability `mass` between them.

        For a stack of one analysis. Newton's method in both values; None unless it converges to a
        pair between which the density is higher.
        """
        one = np.zeros(2, dtype=np.intp)
        reached = np.cumsum(self.weights[:, 0])
        # The density is right-skewed, so the shortest interval excludes less below than above.
        below = (1 - mass) / 4
        nodes = np.searchsorted(reached, [below, below + mass]).clip(max=reached.size - 1)
        u = self._u(self.tau[nodes, 0])
        near = 1e-5 * float(self.high[0] - self.low[0])
        for _ in range(MOST_NEWTON):
            probability, density = self._cdf_u(u, one)
            around = u + near * np.array([[0.0], [-1.0], [1.0]])
            level, before, after = self._log_density(self._tau(around, one), one)
            rise = (after - before) / (2 * near)
            gap, short = level[0] - level[1], mass - (probability[1] - probability[0])
            determinant = rise[0] * density[1] - rise[1] * density[0]
            if not abs(determinant) > 0:
                return None
            # Cramer's rule for the two limits.
            step = (short * rise[::-1] - gap * density[::-1]) / determinant
            u = u + step
            if not self.low[0] < u[0] < u[1] < self.high[0]:
                return None
            if np.abs(step).max() < CLOSE:
                low, high = self._tau(u[None, :], one)[0].tolist()
                return (low, high) if rise[0] > 0 > rise[1] else None
        return None
