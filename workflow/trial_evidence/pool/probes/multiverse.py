"""Every defensible analysis of the same question, fitted together: the specification curve."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.many import StackedFit, fit_stack
from trial_evidence.pool.engine.results import Floats, check_effects
from trial_evidence.pool.engine.stacks import Ints

# Packed at a time: so many pools of two hundred trials take a few megabytes.
_POOLS = 1024


@dataclass(frozen=True)
class SpecificationCurve(StackedFit):
    """Results of all specifications, in the order they were given.

    Attributes
    ----------
    rank : numpy.ndarray of int, shape (specifications,)
        Place of each in the curve, from the smallest estimate (0) up.
    """

    rank: Ints


def specification_curve(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    members: npt.ArrayLike,
    models: Sequence[tuple[str, str]],
    level: float = 95.0,
) -> SpecificationCurve:
    """Fit every pool by every model.

    Parameters
    ----------
    yi, vi : array_like of shape (effects,)
        All effects that any pool uses (every measure, definition and cut of every trial) and their
        sampling variances.
    members : array_like of bool, shape (effects, pools)
        Which effects a pool holds; that they are one a trial and of one measure is for the caller
        to see to.
    models : sequence of (str, str)
        Estimators of tau2, as `trial_evidence.pool.engine.tau2.estimate_tau2` (``EE`` for the
        common effect), each with an interval, as
        `trial_evidence.pool.engine.intervals.confidence_interval`.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    SpecificationCurve
        The first pool by every model, then the second, and so on. No effect is zero, so ratios
        come as logarithms.

    Raises
    ------
    ValueError
        If lengths differ, there is no pool or no model, a pool has no effect, a name is unknown or
        the input cannot be pooled.

    Notes
    -----
    Simonsohn U, Simmons JP, Nelson LD. Nat Hum Behav 2020;4:1208-1214; Voracek M, Kossmeier M,
    Tran US. Z Psychol 2019;227:64-82.
    """
    y, v = check_effects(yi, vi, at_least=1)
    mask = np.asarray(members, dtype=bool)
    if mask.ndim != 2 or mask.shape[0] != y.size or mask.shape[1] == 0:
        raise ValueError(f"members must be {y.size} effects by pools, not {mask.shape}")
    if not models:
        raise ValueError("there is no model")
    k = mask.sum(axis=0)
    if (k == 0).any():
        raise ValueError(f"pool {int(np.flatnonzero(k == 0)[0])} has no effect")
    pools = mask.shape[1]
    result = {field.name: np.empty((pools, len(models))) for field in fields(StackedFit)}
    for start in range(0, pools, _POOLS):
        here = slice(start, start + _POOLS)
        packed = _packed(y, v, mask[:, here], int(k[here].max()))
        for at, (method, interval) in enumerate(models):
            fit = fit_stack(*packed, method=method, interval=interval, level=level)
            for name, values in vars(fit).items():
                result[name][here, at] = values
    order = np.argsort(result["estimate"], axis=None, kind="stable")
    flat = {name: values.ravel() for name, values in result.items()}
    return SpecificationCurve(**flat, rank=np.argsort(order))


def _packed(y: Floats, v: Floats, mask: npt.NDArray[np.bool_], most: int) -> tuple[Floats, Floats]:
    """Members of each column moved to the top, so that the stack is no taller than it must be."""
    order = np.argsort(~mask, axis=0, kind="stable")[:most]
    there = np.take_along_axis(mask, order, axis=0)
    packed = (np.where(there, values[order], np.nan) for values in (y, v))
    # A pool after the other in memory, so that each is summed alike however many there are.
    effects, variances = map(np.asfortranarray, packed)
    return effects, variances
