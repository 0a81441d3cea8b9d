"""Selection model: what would the pooled effect be if all trials had been published?"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import chdtrc, ndtr, ndtri

from trial_evidence.measures.scales import normal_quantile
from trial_evidence.pool.engine.results import Floats, Refused, check_effects, check_level, too_few
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.pool.engine.tau2 import estimate_tau2

NEEDED = 10
WHY = "with fewer, selection cannot be distinguished from chance"
# Bounds of the probability of publication, relative to that of the most favoured p values.
LOG_SELECTION = (math.log(1e-5), math.log(100.0))
# Log likelihoods this close count as equal, and the simpler model without heterogeneity is chosen.
NEGLIGIBLE = 1e-10


@dataclass(frozen=True)
class SelectionModel:
    """Random-effects model in which publication depends on the p value.

    Attributes
    ----------
    steps : tuple of float
        One-sided p values at which the probability of publication changes.
    selection : tuple of float
        Probability of publication in each interval of p, relative to the first (most favoured).
    counts : tuple of int
        Number of trials in each interval.
    estimate, se, ci_low, ci_high : float
        Mean effect of all trials, published or not, by maximum likelihood, with its Wald interval;
        the last three are NaN if the likelihood is flat there.
    tau2 : float
        Between-trial variance.
    statistic, df, p_value : float, int, float
        Likelihood-ratio test of no selection.
    turned : bool
        Whether the estimate is on the opposite side of no effect from that without selection: the
        likelihood then explains the trials by selection alone, and its maximum is not a usable
        estimate.
    """

    steps: tuple[float, ...]
    selection: tuple[float, ...]
    counts: tuple[int, ...]
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    tau2: float
    statistic: float
    df: int
    p_value: float
    turned: bool = False


class _Likelihood:
    """Likelihood of mean, tau and log selection."""

    def __init__(self, y: Floats, v: Floats, steps: Sequence[float], sign: float) -> None:
        # Signs are set so that large effects are the favoured ones.
        self.y, self.v = sign * y, v
        self.se = np.sqrt(v)
        # Bounds of y at the steps, in descending order: p below a step means y above its bound.
        self.bounds = self.se * -ndtri(np.asarray(steps))[:, None]
        p = ndtr(-self.y / self.se)
        self.interval = np.searchsorted(np.asarray(steps), p, side="left")
        self.counts = np.bincount(self.interval, minlength=len(steps) + 1)

    def minus(self, x: Floats) -> tuple[float, Floats]:
        """Negative log likelihood and its gradient; x contains mean, tau and log selection.

        The parameter is tau, not tau2, so that zero is an interior point of the search.
        """
        mean, tau = float(x[0]), float(x[1])
        weights = np.exp(np.concatenate([[0.0], x[2:]]))
        sd = np.sqrt(self.v + tau**2)
        z, u = (self.y - mean) / sd, (self.bounds - mean) / sd
        edges = np.vstack([np.ones_like(sd), ndtr(u), np.zeros_like(sd)])
        inside = edges[:-1] - edges[1:]
        chance = weights @ inside
        value = (-0.5 * z**2 - np.log(sd) + np.log(weights)[self.interval] - np.log(chance)).sum()
        at_bounds = np.diff(weights)[:, None] * np.exp(-0.5 * u**2) / math.sqrt(2 * math.pi)
        by_mean = z + at_bounds.sum(axis=0) / chance
        by_sd = z**2 - 1 + (at_bounds * u).sum(axis=0) / chance
        by_selection = self.counts - weights * (inside / chance).sum(axis=1)
        slopes = [(by_mean / sd).sum(), tau * (by_sd / sd**2).sum(), *by_selection[1:]]
        return -float(value), -np.array(slopes)


def step_selection_model(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    favoured: Literal["less", "greater"],
    steps: Sequence[float] = (0.025,),
    level: float = 95.0,
    forced: bool = False,
) -> SelectionModel | Refused:
    """Step-function selection model by maximum likelihood.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    favoured : str
        The direction in which a small p value favours publication: ``less`` or ``greater`` than no
        effect.
    steps : sequence of float
        One-sided p values, ascending, at which the probability of publication changes.
    level : float
        Level of the interval in percent.
    forced : bool
        Fit even with fewer than ten trials.

    Returns
    -------
    SelectionModel or Refused
        Refused with fewer than ten trials unless forced, and if an interval of p has no trial.

    Raises
    ------
    ValueError
        If the input cannot be pooled, the steps are not ascending between 0 and 1, the direction is
        unknown, or the level is not a percentage.

    Notes
    -----
    Vevea JL, Hedges LV. Psychometrika 1995;60:419-435. As in metafor's
    ``selmodel(type="stepfun")`` on a maximum likelihood fit; the relative probability of
    publication is kept between 1/100000 and 100.
    """
    y, v = check_effects(yi, vi)
    level = check_level(level)
    if favoured not in ("less", "greater"):
        raise ValueError(f"favoured is 'less' or 'greater', not {favoured!r}")
    if not steps or any(not 0 < p < 1 for p in steps) or sorted(set(steps)) != list(steps):
        raise ValueError(f"steps must ascend between 0 and 1, not {tuple(steps)}")
    if refusal := too_few(y.size, NEEDED, "The selection model", WHY, forced=forced):
        return refusal
    sign = -1.0 if favoured == "less" else 1.0
    # In units of a typical standard error, the search does not depend on the scale.
    unit = math.sqrt(float(np.median(v)))
    y, v = y / unit, v / unit**2
    likelihood = _Likelihood(y, v, steps, sign)
    counts = likelihood.counts
    if (counts == 0).any():
        empty = int(np.flatnonzero(counts == 0)[0])
        edges = (0.0, *steps, 1.0)
        return Refused(
            f"The selection model: no trial has a one-sided p value between {edges[empty]:g} and "
            f"{edges[empty + 1]:g}."
        )
    plain_tau2 = float(estimate_tau2(stack(y, v), "ML")[0])
    w = 1 / (v + plain_tau2)
    plain_mean = sign * float(w @ y / w.sum())
    no_selection = np.array([plain_mean, math.sqrt(plain_tau2), *np.zeros(len(steps))])
    without = likelihood.minus(no_selection)[0]

    bounds = [(None, None), (None, None), *([LOG_SELECTION] * len(steps))]
    root = math.sqrt(max(plain_tau2, 0.01))
    starts = [
        np.concatenate([[shrink * plain_mean, root], np.full(len(steps), log_selection)])
        for shrink, log_selection in itertools.product((1.0, 0.5), (0.0, -1.0, 1.0))
    ]
    search = partial(minimize, likelihood.minus, jac=True, method="L-BFGS-B", bounds=bounds)
    rough = min(map(search, starts), key=lambda found: float(found.fun))
    # If heterogeneity only lowers the likelihood, the search approaches tau = 0 without reaching
    # it, so zero is tried as well.
    best = min(
        (_polish(likelihood, x) for x in (rough.x, np.array([rough.x[0], 0.0, *rough.x[2:]]))),
        key=lambda x: likelihood.minus(x)[0] - (NEGLIGIBLE if x[1] == 0 else 0.0),
    )
    tau2 = float(best[1]) ** 2
    se = unit * _standard_error(likelihood, best)
    estimate = unit * sign * float(best[0])
    half = normal_quantile(level) * se
    statistic = max(0.0, 2 * (without - likelihood.minus(best)[0]))
    return SelectionModel(
        steps=tuple(map(float, steps)),
        selection=(1.0, *(float(x) for x in np.exp(best[2:]))),
        counts=tuple(counts.tolist()),
        estimate=estimate,
        se=se,
        ci_low=estimate - half,
        ci_high=estimate + half,
        tau2=unit**2 * tau2,
        statistic=statistic,
        df=len(steps),
        p_value=float(chdtrc(len(steps), statistic)),
        turned=float(best[0]) * plain_mean < 0,
    )


def _free(x: Floats) -> npt.NDArray[np.intp]:
    """Parameters not at a boundary: tau if not zero, selection if inside its bounds."""
    low, high = LOG_SELECTION
    inner = (x > low) & (x < high)
    inner[0], inner[1] = True, x[1] != 0
    return np.flatnonzero(inner)


def _curvature(likelihood: _Likelihood, x: Floats, free: npt.NDArray[np.intp]) -> Floats:
    """Second derivatives of the negative log likelihood by the free parameters."""
    steps = 1e-5 * np.maximum(np.abs(x[free]), 0.1)
    rows = []
    for at, step in zip(free, steps, strict=True):
        there, back = x.copy(), x.copy()
        there[at] += step
        back[at] -= step
        change = likelihood.minus(there)[1] - likelihood.minus(back)[1]
        rows.append(change[free] / (2 * step))
    curvature = np.array(rows)
    return np.asarray((curvature + curvature.T) / 2)


def _polish(likelihood: _Likelihood, x: Floats) -> Floats:
    """Newton steps to the maximum from a point near it."""
    for _ in range(50):
        free = _free(x)
        curvature = _curvature(likelihood, x, free)
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            return x
        value, slopes = likelihood.minus(x)
        step = np.linalg.solve(curvature, slopes[free])
        there = x.copy()
        there[free] -= step
        there[2:] = np.clip(there[2:], *LOG_SELECTION)
        if likelihood.minus(there)[0] > value:
            return x
        x = there
        if float(np.abs(step).max()) < 1e-10:
            return x
    return x


def _standard_error(likelihood: _Likelihood, x: Floats) -> float:
    """Standard error of the mean from the curvature of the likelihood."""
    curvature = _curvature(likelihood, x, _free(x))
    if np.linalg.eigvalsh(curvature)[0] <= 0:
        return math.nan
    return float(math.sqrt(np.linalg.inv(curvature)[0, 0]))
