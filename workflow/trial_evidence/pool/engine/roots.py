"""Roots of many decreasing functions at once, each within its own bracket."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.results import Floats

# After a Newton step, the error is about the step squared, so a step this small is the last.
SMALL_STEP = 1e-7
ROUNDING = 4 * float(np.finfo(float).eps)
# Bisection alone needs about 1100 halvings from the largest to the smallest double.
MOST_STEPS = 1200

FunctionAndSlope = Callable[[Floats, npt.NDArray[np.intp]], tuple[Floats, Floats]]


def falling_roots(
    function: FunctionAndSlope,
    low: Floats,
    high: Floats,
    start: Floats,
    scale: Floats,
    *,
    most: float | None = None,
) -> Floats:
    """Where each of many functions falls through zero, by Newton's method within a bracket.

    A Newton step that leaves the bracket, or is more than half the previous step, is replaced by
    bisection, so the root is always found.

    Parameters
    ----------
    function : callable
        Called with points and the indices of their functions; returns values and derivatives.
    low, high : numpy.ndarray of float, shape (n,)
        Brackets: the function is not negative at `low` and not positive at `high`.
    start : numpy.ndarray of float, shape (n,)
        Starting points, inside the brackets.
    scale : numpy.ndarray of float, shape (n,)
        Size of an argument below which absolute accuracy is sufficient.
    most : float, optional
        Multiple of `scale` above which relative accuracy is not sufficient, because the zero of the
        argument means nothing.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Roots, up to rounding errors of the function.

    Raises
    ------
    ArithmeticError
        If a function is NaN in its bracket.
    """
    result = start.copy()
    left = np.arange(start.size)
    x, low, high, scale = start.copy(), low.copy(), high.copy(), scale.copy()
    before = high - low
    for _ in range(MOST_STEPS):
        value, slope = function(x, left)
        if np.isnan(value).any():
            raise ArithmeticError("a function whose root is sought is not a number in its bracket")
        above = value > 0
        np.copyto(low, x, where=above)
        np.copyto(high, x, where=~above)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = -value / slope
        new = x + step
        newton = (new >= low) & (new <= high) & (2 * np.abs(step) <= np.abs(before))
        new = np.where(newton, new, low + (high - low) / 2)
        size = scale + np.abs(new)
        small = SMALL_STEP * size
        if most is not None:
            small = np.maximum(np.minimum(small, SMALL_STEP * most * scale), ROUNDING * size)
        done = np.where(newton, np.abs(step) <= small, high - low <= ROUNDING * size) | (value == 0)
        new = np.where(value == 0, x, new)
        if done.any():
            result[left[done]] = new[done]
            if done.all():
                return result
            keep = ~done
            left, low, high, scale = left[keep], low[keep], high[keep], scale[keep]
            x, before = new[keep], (new - x)[keep]
        else:
            before, x = new - x, new
    raise ArithmeticError(f"{left.size} brackets do not close")
