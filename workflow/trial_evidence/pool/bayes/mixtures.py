"""Mixtures of normal distributions, many at once."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.engine.roots import falling_roots
from trial_evidence.pool.engine.stacks import Ints

# A quantile this many of the smallest standard deviations from zero is as accurate as one nearer.
MOST_SDS = 100.0
ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class NormalMixtures:
    """Mixtures of normal distributions, one per column.

    Attributes
    ----------
    means, sds, weights : numpy.ndarray of float, shape (components, analyses)
        Components; the weights in each column sum to 1.
    """

    means: Floats
    sds: Floats
    weights: Floats

    def take(self, which: Ints) -> "NormalMixtures":
        """The mixtures selected by ascending indices.

        Parameters
        ----------
        which : numpy.ndarray of int
            Columns.
        """
        if which.size == self.means.shape[1]:
            return self
        return NormalMixtures(self.means[:, which], self.sds[:, which], self.weights[:, which])

    def cdf(self, x: Floats) -> Floats:
        """Probability of a value below x.

        Parameters
        ----------
        x : numpy.ndarray of float, shape (analyses,)
            One value per mixture.
        """
        return np.asarray((self.weights * ndtr((x - self.means) / self.sds)).sum(axis=0))

    def _density_and_slope(self, x: Floats) -> tuple[Floats, Floats]:
        z = (x - self.means) / self.sds
        each = self.weights / self.sds * np.exp(-0.5 * z * z)
        return each.sum(axis=0) / ROOT_TWO_PI, -(each * z / self.sds).sum(axis=0) / ROOT_TWO_PI

    def density(self, x: Floats) -> Floats:
        """Density at x.

        Parameters
        ----------
        x : numpy.ndarray of float, shape (analyses,)
            One value per mixture.
        """
        return self._density_and_slope(x)[0]

    def quantile(self, p: Floats) -> Floats:
        """Quantile at probability p.

        Parameters
        ----------
        p : numpy.ndarray of float, shape (analyses,)
            One probability per mixture.
        """
        # A mixture's quantile lies between the smallest and largest quantiles of its components.
        each = self.means + ndtri(p) * self.sds
        low, high = each.min(axis=0), each.max(axis=0)
        scale = self.sds.min(axis=0)
        margin = 1e-3 * (high - low) + 1e-9 * scale
        start = (self.weights * each).sum(axis=0)

        def short_of(x: Floats, which: Ints) -> tuple[Floats, Floats]:
            part = self.take(which)
            z = (x - part.means) / part.sds
            below = (part.weights * ndtr(z)).sum(axis=0)
            z *= z
            z *= -0.5
            np.exp(z, out=z)
            z *= part.weights
            z /= part.sds
            return p[which] - below, -z.sum(axis=0) / ROOT_TWO_PI

        bracket = low - margin, high + margin
        return falling_roots(short_of, *bracket, start, scale, most=MOST_SDS)

    def intervals(self, level: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Shortest and central intervals of unimodal mixtures.

        Parameters
        ----------
        level : float
            Probability within the interval, as a fraction.

        Returns
        -------
        low, high, central_low, central_high : numpy.ndarray of float, shape (analyses,)
            The shortest interval has equal density at both limits.
        """
        tail = (1 - level) / 2
        columns = self.means.shape[1]
        central_low = self.quantile(np.full(columns, tail))
        central_high = self.quantile(np.full(columns, 1 - tail))
        low, high = self._shorten(central_low.copy(), central_high.copy(), level)
        return low, high, central_low, central_high

    def _shorten(self, low: Floats, high: Floats, level: float) -> tuple[Floats, Floats]:
        """Limits of equal density, by Newton's method from the central interval."""
        left = np.arange(low.size)
        a, b = low.copy(), high.copy()
        for _ in range(12):
            part = self.take(left)
            fa, da = part._density_and_slope(a)
            fb, db = part._density_and_slope(b)
            missing = level - (part.cdf(b) - part.cdf(a))
            # Newton step for density(a) = density(b) and probability between them = level.
            with np.errstate(divide="ignore", invalid="ignore"):
                determinant = fa * db - fb * da
                step_a = (fb * (fb - fa) - missing * -db) / -determinant
                step_b = (fa * (fb - fa) - missing * -da) / -determinant
            width = b - a
            a, b = a + step_a, b + step_b
            # The remaining error is about the square of the step.
            done = np.maximum(np.abs(step_a), np.abs(step_b)) <= 1e-6 * width
            low[left[done]], high[left[done]] = a[done], b[done]
            keep = ~done & np.isfinite(a) & np.isfinite(b) & (b > a)
            keep &= np.maximum(np.abs(step_a), np.abs(step_b)) < width
            hard = left[~done & ~keep]
            if hard.size:
                low[hard], high[hard] = self.take(hard)._shortest_by_bracket(level)
            left, a, b = left[keep], a[keep], b[keep]
            if left.size == 0:
                return low, high
        low[left], high[left] = self.take(left)._shortest_by_bracket(level)
        return low, high

    def _shortest_by_bracket(self, level: float) -> tuple[Floats, Floats]:
        """The same by bisection on the lower tail's probability: slow but always converges."""
        outside = 1 - level
        columns = self.means.shape[1]
        least, most = np.full(columns, 1e-6 * outside), np.full(columns, (1 - 1e-6) * outside)
        for _ in range(60):
            tail = (least + most) / 2
            a, b = self.quantile(tail), self.quantile(tail + level)
            rising = self.density(a) < self.density(b)
            least, most = np.where(rising, tail, least), np.where(rising, most, tail)
        tail = (least + most) / 2
        return self.quantile(tail), self.quantile(tail + level)
