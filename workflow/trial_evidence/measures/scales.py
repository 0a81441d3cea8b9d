"""The scales effects are pooled on, and the way back to the numbers people read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """An analysis scale.

    Attributes
    ----------
    name : str
        ``log_ratio``, ``logit`` or ``identity``.
    to_natural, to_analysis : callable
        Increasing functions from the analysis scale to the natural one and back; they take
        numbers or arrays, NaN stays NaN.
    null : float or None
        No effect, on the natural scale; None where the notion does not apply (a proportion).
    """

    name: str
    to_natural: Callable[[npt.ArrayLike], Floats]
    to_analysis: Callable[[npt.ArrayLike], Floats]
    null: float | None


def _exp(values: npt.ArrayLike) -> Floats:
    # Limits of an interval on one degree of freedom may lie beyond what a double holds; they are
    # then infinite, which is what a reader should see.
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(np.asarray(values, dtype=float)))


def _expit(values: npt.ArrayLike) -> Floats:
    x = np.asarray(values, dtype=float)
    # tanh does not overflow in either tail.
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def _identity(values: npt.ArrayLike) -> Floats:
    return np.array(values, dtype=float)


def _log(values: npt.ArrayLike) -> Floats:
    # The log of nothing is an arrow to the left edge of a figure.
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.asarray(values, dtype=float)))


def _logit(values: npt.ArrayLike) -> Floats:
    x = np.asarray(values, dtype=float)
    return _log(x) - _log(1 - x)


LOG_RATIO = Scale("log_ratio", _exp, _log, 1.0)
LOGIT = Scale("logit", _expit, _logit, None)
IDENTITY = Scale("identity", _identity, _identity, 0.0)
