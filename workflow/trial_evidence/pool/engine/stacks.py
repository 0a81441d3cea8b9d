"""Many sets of trials in one array of shape (studies, analyses).

Analyses with fewer studies are padded with effect zero and infinite variance, so that padding has
weight zero in every sum and the formulas need no mask.
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
        Effects on the analysis scale; zero in padding.
    vi : numpy.ndarray of float, shape (studies, analyses)
        Sampling variances; infinite in padding.
    k : numpy.ndarray of int, shape (analyses,)
        Number of studies in each analysis, at least one.
    """

    yi: Floats
    vi: Floats
    k: Ints

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """True for studies and false for padding, shape (studies, analyses)."""
        return np.isfinite(self.vi)

    def take(self, analyses: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> "Stack":
        """A stack of the analyses selected by index, mask or slice.

        Parameters
        ----------
        analyses : numpy.ndarray or slice
            Which analyses.
        """
        return Stack(self.yi[:, analyses], self.vi[:, analyses], self.k[analyses])

    def centred(self) -> tuple["Stack", Floats]:
        """The same analyses with the unweighted mean effect of each subtracted.

        Returns
        -------
        stack : Stack
            Small numbers lose less to rounding.
        means : numpy.ndarray of float, shape (analyses,)
            The means that were subtracted.
        """
        present = self.present
        means = self.yi.sum(axis=0) / self.k
        return Stack(np.where(present, self.yi - means, 0.0), self.vi, self.k), means


def by_chunks(
    whole: Stack, width: int, work: Callable[[Stack], dict[str, Floats]]
) -> dict[str, Floats]:
    """Apply a function to a stack in chunks of analyses, so that memory is bounded.

    Parameters
    ----------
    whole : Stack
        Analyses.
    width : int
        Largest number of analyses per chunk; values below 1 count as 1.
    work : callable
        Returns named results of a stack, each of shape (analyses,).
    """
    width = max(width, 1)
    starts = range(0, max(whole.k.size, 1), width)
    parts = [work(whole.take(slice(start, start + width))) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def subsets(y: Floats, v: Floats, kept: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Effects and variances of the trials kept in each column; NaN for the others."""
    return np.where(kept, y[:, None], np.nan), np.where(kept, v[:, None], np.nan)


def stack(yi: npt.ArrayLike, vi: npt.ArrayLike) -> Stack:
    """Check and pad effect sizes of many analyses.

    Parameters
    ----------
    yi, vi : array_like of shape (studies, analyses) or (studies,)
        Effects on the analysis scale and their sampling variances; NaN in both pads analyses with
        fewer studies than the array has rows. A one-dimensional array is one analysis.

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
