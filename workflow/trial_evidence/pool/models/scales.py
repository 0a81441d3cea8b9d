"""The scales effects are pooled on, and the way back to the numbers people read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Scale:
    """An analysis scale.

    Attributes
    ----------
    name : str
        ``log_ratio``, ``logit`` or ``identity``.
    to_natural : callable
        Increasing function from the analysis scale to the natural one; takes numbers or arrays,
        NaN stays NaN.
    null : float or None
        No effect, on the natural scale; None where the notion does not apply (a proportion).
    """

    name: str
    to_natural: Callable[[npt.ArrayLike], npt.NDArray[np.float64]]
    null: float | None


def _exp(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    # Limits of an interval on one degree of freedom may lie beyond what a double holds; they are
    # then infinite, which is what a reader should see.
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(np.asarray(values, dtype=float)))


def _expit(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    x = np.asarray(values, dtype=float)
    # tanh does not overflow in either tail.
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def _identity(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.array(values, dtype=float)


LOG_RATIO = Scale("log_ratio", _exp, 1.0)
LOGIT = Scale("logit", _expit, None)
IDENTITY = Scale("identity", _identity, 0.0)
