"""The specification curve: every defensible analysis of the same question, fitted together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.many import StackedFit, fit_stack
from trial_evidence.pool.engine.results import Floats, check_effects
from trial_evidence.pool.engine.stacks import Ints


@dataclass(frozen=True)
class SpecificationCurve(StackedFit):
    """Results of all specifications, in input order.

    Attributes
    ----------
    rank : numpy.ndarray of int, shape (specifications,)
        Position of each in the curve, starting with 0 for the smallest estimate.
    """

    rank: Ints


def specification_curve(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    members: Iterable[npt.ArrayLike],
    models: Sequence[tuple[str, str]],
    level: float = 95.0,
) -> SpecificationCurve:
    """Fit every model to every pool.

    Parameters
    ----------
    yi, vi : array_like of shape (effects,)
        All effects that any pool uses (every measure, definition and data cut-off of every trial)
        and their sampling variances.
    members : iterable of array_like of bool, shape (effects, pools)
        Which effects each pool contains, in blocks of pools small enough for memory: all pools of
        two thousand trials together would not fit. The caller must ensure that a pool has one
        effect per trial, all of the same measure.
    models : sequence of (str, str)
        Estimators of tau2, as in `trial_evidence.pool.engine.tau2.estimate_tau2` (``EE`` for the
        common effect), each with an interval, as in
        `trial_evidence.pool.engine.intervals.confidence_interval`.
    level : float
        Level of the intervals in percent.

    Returns
    -------
    SpecificationCurve
        The first pool with every model, then the second, and so on. Zero means no effect, so ratios
        are given as logarithms.

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
    if not models:
        raise ValueError("there is no model")
    found: dict[str, list[npt.NDArray[Any]]] = {field.name: [] for field in fields(StackedFit)}
    for block in members:
        mask = np.asarray(block, dtype=bool)
        if mask.ndim != 2 or mask.shape[0] != y.size or mask.shape[1] == 0:
            raise ValueError(f"members must be {y.size} effects by pools, not {mask.shape}")
        k = mask.sum(axis=0)
        if (k == 0).any():
            raise ValueError(f"pool {int(np.flatnonzero(k == 0)[0])} has no effect")
        packed = _packed(y, v, mask, int(k.max()))
        fits = [
            fit_stack(*packed, method=method, interval=interval, level=level)
            for method, interval in models
        ]
        for name, values in found.items():
            values.append(np.column_stack([getattr(fit, name) for fit in fits]).ravel())
    if not found["estimate"]:
        raise ValueError("there is no pool")
    flat = {name: np.concatenate(values).astype(float) for name, values in found.items()}
    order = np.argsort(flat["estimate"], kind="stable")
    return SpecificationCurve(**flat, rank=np.argsort(order))


def _packed(y: Floats, v: Floats, mask: npt.NDArray[np.bool_], most: int) -> tuple[Floats, Floats]:
    """Effects and variances with each column's members moved to the top, to save rows."""
    order = np.argsort(~mask, axis=0, kind="stable")[:most]
    there = np.take_along_axis(mask, order, axis=0)
    packed = (np.where(there, values[order], np.nan) for values in (y, v))
    # Column order in memory, so that each pool is summed identically however many there are.
    effects, variances = map(np.asfortranarray, packed)
    return effects, variances
