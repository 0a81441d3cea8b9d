"""Many sets of trials side by side: arrays of shape (studies, analyses).

Analyses of different size share an array by padding. A place without a study has variance infinity
and effect zero, so that its weight is zero in every sum and no mask is needed in the formulas.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.results import Floats

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Stack:
    """Effect sizes of many analyses.

    Attributes
    ----------
    yi : numpy.ndarray of float, shape (studies, analyses)
        Effects on the analysis scale; zero where an analysis has no study.
    vi : numpy.ndarray of float, shape (studies, analyses)
        Sampling variances; infinite where an analysis has no study.
    k : numpy.ndarray of int, shape (analyses,)
        Studies of each analysis, at least one.
    """

    yi: Floats
    vi: Floats
    k: Ints

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where an analysis has a study, shape (studies, analyses)."""
        return np.isfinite(self.vi)

    def take(self, analyses: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> "Stack":
        """The analyses chosen by index, mask or slice.

        Parameters
        ----------
        analyses : numpy.ndarray or slice
            Which analyses.
        """
        return Stack(self.yi[:, analyses], self.vi[:, analyses], self.k[analyses])

    def centred(self) -> tuple["Stack", Floats]:
        """The same analyses with the plain mean effect of each taken off.

        Returns
        -------
        stack : Stack
        means : numpy.ndarray of float, shape (analyses,)
            What was taken off. Small numbers lose less to rounding.
        """
        present = self.present
        means = self.yi.sum(axis=0) / self.k
        return Stack(np.where(present, self.yi - means, 0.0), self.vi, self.k), means


def by_chunks(
    whole: Stack, width: int, work: Callable[[Stack], dict[str, Floats]]
) -> dict[str, Floats]:
    """What is computed from each analysis, some of them at a time so that memory is bounded.

    Parameters
    ----------
    whole : Stack
        Analyses.
    width : int
        The most analyses worked on at a time; one where it is below that.
    work : callable
        Named results of a stack, each of shape (analyses,).
    """
    width = max(width, 1)
    starts = range(0, max(whole.k.size, 1), width)
    parts = [work(whole.take(slice(start, start + width))) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def subsets(y: Floats, v: Floats, kept: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Effects and variances of the trials that are kept in each column, NaN for the others."""
    return np.where(kept, y[:, None], np.nan), np.where(kept, v[:, None], np.nan)


def stack(yi: npt.ArrayLike, vi: npt.ArrayLike) -> Stack:
    """Check and pad effect sizes of many analyses.

    Parameters
    ----------
    yi, vi : array_like of shape (studies, analyses) or (studies,)
        Effects on the analysis scale and their sampling variances; NaN in both where an analysis
        has fewer studies than the array has rows. One dimension is one analysis.

    Raises
    ------
    ValueError
        If shapes differ, an analysis has no study, an effect is not finite, or a variance is not
        a finite number above zero. Positions count from 0.
    """
    effects, variances = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    if effects.shape != variances.shape or effects.ndim not in (1, 2):
        raise ValueError(
            "effects and variances must be of one shape, (studies,) or (studies, analyses), "
            f"not {effects.shape} and {variances.shape}"
        )
    if effects.ndim == 1:
        effects, variances = effects[:, None], variances[:, None]
    absent = np.isnan(effects) & np.isnan(variances)
    good = np.isfinite(effects) & np.isfinite(variances) & (variances > 0)
    bad = ~(good | absent)
    if bad.any():
        study, analysis = (int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{int(bad.sum())} effects are not finite or have a variance that is not finite and "
            f"above zero, the first at study {study} of analysis {analysis}"
        )
    k = good.sum(axis=0)
    if (k == 0).any():
        raise ValueError(f"analysis {int(np.flatnonzero(k == 0)[0])} has no study")
    if absent.any():
        effects, variances = np.where(good, effects, 0.0), np.where(good, variances, np.inf)
    return Stack(effects, variances, k)
