"""How one further trial, or one or two fewer, would change the verdict of a pooled interval."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.engine.stacks import Ints, subsets

# Number of sizes tried at a time.
STEPS = 64
# Standard error of a trial with practically no error, relative to the smallest of the others.
PERFECT = 1e-3
# Standard error of a trial with practically no information, relative to the largest of the others.
IDLE = 1e3
# With fewer trials, removing a pair leaves fewer than two to pool. With more, there are thousands
# of pairs, of no interest to a reader, and time and memory grow with the cube of the trials.
FOR_PAIRS = range(4, 61)


class Pools(NamedTuple):
    """Pooled results of a stack, on the analysis scale; each of shape (analyses,)."""

    estimate: Floats
    ci_low: Floats
    ci_high: Floats
    tau2: Floats


Refit = Callable[[Floats, Floats], Pools]
"""A model: pools effects and variances of shape (studies, analyses); NaN pads missing studies."""


@dataclass(frozen=True)
class FurtherTrial:
    """The smallest further trial that changes the verdict.

    Attributes
    ----------
    size : int or None
        Its size; None if no trial of the sizes considered changes the verdict.
    however_large : bool
        True if even a trial without sampling error would not change it.
    however_small : bool
        True if even a trial without information would, through the degree of freedom that it adds.
    estimate, ci_low, ci_high : float
        The pooled result with that trial; NaN if there is none.
    """

    size: int | None
    however_large: bool = False
    however_small: bool = False
    estimate: float = float("nan")
    ci_low: float = float("nan")
    ci_high: float = float("nan")


@dataclass(frozen=True)
class Removals:
    """Positions of trials whose removal changes the verdict.

    Attributes
    ----------
    one : tuple of int
        Trials that change it alone.
    two : tuple of pairs of int
        Pairs that change it together although neither does alone.
    """

    one: tuple[int, ...]
    two: tuple[tuple[int, int], ...]


def sides(found: Pools) -> Ints:
    """On which side of no effect an interval lies: -1 below, 1 above, 0 if it includes it."""
    return np.asarray((found.ci_low > 0).astype(np.intp) - (found.ci_high < 0).astype(np.intp))


def with_further(yi: Floats, vi: Floats, effects: Floats, variances: Floats, refit: Refit) -> Pools:
    """The pooled results with each further trial added in turn.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        The existing trials.
    effects, variances : numpy.ndarray of float, shape (analyses,)
        The further trials.
    refit : Refit
        The model.
    """
    there = (np.repeat(part[:, None], effects.size, axis=1) for part in (yi, vi))
    y, v = (np.vstack(rows) for rows in zip(there, (effects, variances), strict=True))
    return refit(y, v)


def smallest_trial(
    yi: Floats,
    vi: Floats,
    refit: Refit,
    *,
    effect: float,
    unit_variance: float,
    sizes: tuple[int, int],
) -> FurtherTrial:
    """The smallest further trial that changes on which side of no effect the interval lies.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        The existing trials.
    refit : Refit
        The model.
    effect : float
        Effect estimate of the further trial.
    unit_variance : float
        Its variance times its size.
    sizes : pair of int
        The smallest and the largest size considered.

    Notes
    -----
    If a small trial changes the verdict, a larger one may not (a discordant trial also adds
    heterogeneity). Therefore sizes spaced evenly on the logarithmic scale are tried together, and
    then those between the first that changes it and the size before.
    """
    now = sides(refit(yi[:, None], vi[:, None]))[0]
    ends = np.array([PERFECT**2 * vi.min(), IDLE**2 * vi.max()])
    perfect, idle = sides(with_further(yi, vi, np.full(2, effect), ends, refit)) != now
    tried = _between(*sizes)
    while True:
        found = with_further(yi, vi, np.full(tried.size, effect), unit_variance / tried, refit)
        changed = sides(found) != now
        if not changed.any():
            return FurtherTrial(None, however_large=not perfect)
        first = int(changed.argmax())
        if first == 0 or tried[first] - tried[first - 1] == 1:
            result = (float(values[first]) for values in found[:3])
            return FurtherTrial(int(tried[first]), False, bool(idle), *result)
        tried = _between(int(tried[first - 1]), int(tried[first]))


def _between(low: int, high: int) -> Ints:
    """Whole numbers from low to high, all of them or evenly spaced on the logarithmic scale."""
    if high - low < STEPS:
        return np.arange(low, high + 1)
    return np.unique(np.rint(np.geomspace(low, high, STEPS)).astype(np.intp))


def removals(yi: Floats, vi: Floats, refit: Refit) -> Removals:
    """The trials whose removal changes on which side of no effect the interval lies.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        The trials, two or more; pairs are tried only if their number is in `FOR_PAIRS`.
    refit : Refit
        The model.
    """
    k = yi.size
    now = sides(refit(yi[:, None], vi[:, None]))[0]
    pairs = list(combinations(range(k), 2)) if k in FOR_PAIRS else []
    kept = np.ones((k, k + len(pairs)), dtype=bool)
    for at, gone in enumerate([*((one,) for one in range(k)), *pairs]):
        kept[list(gone), at] = False
    changed = sides(refit(*subsets(yi, vi, kept))) != now
    one = tuple(np.flatnonzero(changed[:k]).tolist())
    two = (pair for pair, does in zip(pairs, changed[k:], strict=True) if does)
    return Removals(one, tuple(pair for pair in two if not set(pair) & set(one)))


def further_trials(
    yi: Floats, vi: Floats, refit: Refit, effects: Floats, errors: Floats
) -> pd.DataFrame:
    """The pooled interval after adding one further trial, for a grid of such trials.

    Parameters
    ----------
    yi, vi : numpy.ndarray of float, shape (k,)
        The existing trials.
    refit : Refit
        The model.
    effects, errors : numpy.ndarray of float
        Estimates and standard errors of the further trials, in all combinations.

    Returns
    -------
    DataFrame
        ``estimate`` and ``standard_error`` of the further trial, ``low`` and ``high`` of the pooled
        interval.

    Notes
    -----
    Langan D, Higgins JPT, Gregory W, Sutton AJ. J Clin Epidemiol 2012;65:511-519.
    """
    grid = pd.MultiIndex.from_product([errors, effects], names=["standard_error", "estimate"])
    trials = grid.to_frame(index=False)
    variances = trials["standard_error"].to_numpy() ** 2
    found = with_further(yi, vi, trials["estimate"].to_numpy(), variances, refit)
    return trials.assign(low=found.ci_low, high=found.ci_high)
