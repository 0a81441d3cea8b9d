"""The scales on which effects are pooled, and their transformation back to the natural scale."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal_quantile(level: float) -> float:
    """Standard errors on either side of the mean that cover `level` percent."""
    # Imported here because it is slow, and a check of the sheet does not need it.
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 200))


@dataclass(frozen=True)
class Scale:
    """An analysis scale.

    Attributes
    ----------
    name : str
        ``log_ratio``, ``logit`` or ``identity``.
    to_natural, to_analysis : callable
        Increasing functions from the analysis scale to the natural scale and back; they accept
        numbers or arrays, and NaN stays NaN.
    null : float or None
        The value of no effect on the natural scale; None if there is none (a proportion).
    """

    name: str
    to_natural: Callable[[npt.ArrayLike], Floats]
    to_analysis: Callable[[npt.ArrayLike], Floats]
    null: float | None


def _exp(values: npt.ArrayLike) -> Floats:
    # Limits of an interval with one degree of freedom can exceed the range of a double; they are
    # then infinite, and readers should see them as such.
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(np.asarray(values, dtype=float)))


def _expit(values: npt.ArrayLike) -> Floats:
    x = np.asarray(values, dtype=float)
    # tanh does not overflow in either tail.
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def _identity(values: npt.ArrayLike) -> Floats:
    return np.array(values, dtype=float)


def _log(values: npt.ArrayLike) -> Floats:
    # The log of 0 is minus infinity, drawn as an arrow to the left edge of a figure.
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.asarray(values, dtype=float)))


def _logit(values: npt.ArrayLike) -> Floats:
    x = np.asarray(values, dtype=float)
    return _log(x) - _log(1 - x)


LOG_RATIO = Scale("log_ratio", _exp, _log, 1.0)
LOGIT = Scale("logit", _expit, _logit, None)
IDENTITY = Scale("identity", _identity, _identity, 0.0)
