"""Every defensible analysis of the same question, fitted together: the specification curve."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.many import StackedFit, fit_stack
from trial_evidence.pool.engine.results import Floats, check_effects
from trial_evidence.pool.engine.stacks import Ints


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
    methods: Sequence[str],
    intervals: Sequence[str],
    level: float = 95.0,
) -> SpecificationCurve:
    """Fit every specification.

    Parameters
    ----------
    yi, vi : array_like of shape (effects,)
        All effects that any specification uses (every measure, definition and cut of every trial)
        and their sampling variances.
    members : array_like of bool, shape (effects, specifications)
        Which effects a specification pools; that they are one a trial and of one measure is for
        the caller to see to.
    methods : sequence of str, length specifications
        Estimator of tau2 of each, as `trial_evidence.pool.engine.tau2.estimate_tau2`; ``EE`` for
        the common effect.
    intervals : sequence of str, length specifications
        Interval of each, as `trial_evidence.pool.engine.intervals.confidence_interval`.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    SpecificationCurve
        No effect is zero, so ratios come as logarithms.

    Raises
    ------
    ValueError
        If lengths differ, there is no specification, one has no effect, a name is unknown or the
        input cannot be pooled.

    Notes
    -----
    Simonsohn U, Simmons JP, Nelson LD. Nat Hum Behav 2020;4:1208-1214; Voracek M, Kossmeier M,
    Tran US. Z Psychol 2019;227:64-82.
    """
    y, v = check_effects(yi, vi, at_least=1)
    mask = np.asarray(members, dtype=bool)
    if mask.ndim != 2 or mask.shape[0] != y.size or mask.shape[1] == 0:
        raise ValueError(f"members must be {y.size} effects by specifications, not {mask.shape}")
    specifications = mask.shape[1]
    if not len(methods) == len(intervals) == specifications:
        raise ValueError(
            f"{specifications} specifications but {len(methods)} methods and "
            f"{len(intervals)} intervals"
        )
    k = mask.sum(axis=0)
    if (k == 0).any():
        raise ValueError(f"specification {int(np.flatnonzero(k == 0)[0])} has no effect")
    packed_y, packed_v = _packed(y, v, mask, int(k.max()))
    result = {field.name: np.empty(specifications) for field in fields(StackedFit)}
    kinds = [*zip(methods, intervals, strict=True)]
    for kind in sorted(set(kinds)):
        here = np.flatnonzero([own == kind for own in kinds])
        method, interval = kind
        fit = fit_stack(
            packed_y[:, here], packed_v[:, here], method=method, interval=interval, level=level
        )
        for name, values in vars(fit).items():
            result[name][here] = values
    order = np.argsort(result["estimate"], kind="stable")
    return SpecificationCurve(**result, rank=np.argsort(order))


def _packed(y: Floats, v: Floats, mask: npt.NDArray[np.bool_], most: int) -> tuple[Floats, Floats]:
    """Members of each column moved to the top, so that the stack is no taller than it must be."""
    order = np.argsort(~mask, axis=0, kind="stable")[:most]
    there = np.take_along_axis(mask, order, axis=0)
    return np.where(there, y[order], np.nan), np.where(there, v[order], np.nan)
