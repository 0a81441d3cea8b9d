"""The influence of each trial on the pooled result."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt

from trial_evidence.pool.engine.many import FitChoices, StackedFit, fit_stack
from trial_evidence.pool.engine.results import Floats, check_effects
from trial_evidence.pool.engine.stacks import subsets

MOST_TRIALS_FOR_ALL_SUBSETS = 15


def leave_one_out(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    **choices: Unpack[FitChoices],
) -> StackedFit:
    """The pooled result without each trial in turn.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    **choices
        As `trial_evidence.pool.engine.many.fit_stack`.

    Returns
    -------
    StackedFit
        Element i is the analysis without trial i. With two trials, it is the other trial's own
        result.

    Raises
    ------
    ValueError
        If there are fewer than two trials or the input cannot be pooled.
    """
    y, v = check_effects(yi, vi, at_least=2)
    kept = ~np.eye(y.size, dtype=bool)
    return fit_stack(*subsets(y, v, kept), **choices)


def cumulative(yi: npt.ArrayLike, vi: npt.ArrayLike, **choices: Unpack[FitChoices]) -> StackedFit:
    """Cumulative meta-analysis: the pooled result as trials are added.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances, in the order in which the
        trials are added.
    **choices
        As `trial_evidence.pool.engine.many.fit_stack`.

    Returns
    -------
    StackedFit
        Element i is the analysis of the first i + 1 trials.

    Raises
    ------
    ValueError
        If the input cannot be pooled.
    """
    y, v = check_effects(yi, vi, at_least=1)
    kept = np.triu(np.ones((y.size, y.size), dtype=bool))
    return fit_stack(*subsets(y, v, kept), **choices)


@dataclass(frozen=True)
class Influence:
    """Deletion diagnostics, one value per trial.

    Attributes
    ----------
    hat : numpy.ndarray of float, shape (k,)
        The trial's share of the weights; sums to 1.
    rstudent : numpy.ndarray of float, shape (k,)
        Studentised deleted residual: distance from the mean of the others, divided by its standard
        error.
    dffits : numpy.ndarray of float, shape (k,)
        Change of the mean due to the trial, in standard errors.
    cook_distance : numpy.ndarray of float, shape (k,)
        Squared change of the mean divided by its variance.
    covariance_ratio : numpy.ndarray of float, shape (k,)
        Variance of the mean without the trial divided by that with it; below 1, the trial reduces
        precision.
    tau2_deleted, q_deleted : numpy.ndarray of float, shape (k,)
        Between-trial variance and Cochran's Q without the trial.
    baujat_x : numpy.ndarray of float, shape (k,)
        The trial's contribution to heterogeneity: its squared residual divided by its variance.
    baujat_y : numpy.ndarray of float, shape (k,)
        Its influence: squared change of the mean divided by the variance without it.
    """

    hat: Floats
    rstudent: Floats
    dffits: Floats
    cook_distance: Floats
    covariance_ratio: Floats
    tau2_deleted: Floats
    q_deleted: Floats
    baujat_x: Floats
    baujat_y: Floats


def influence(yi: npt.ArrayLike, vi: npt.ArrayLike, *, method: str = "REML") -> Influence:
    """Deletion diagnostics and the coordinates of the Baujat plot.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at least 2.
    method : str
        Estimator of tau2; ``EE`` for the common effect.

    Raises
    ------
    ValueError
        If there are fewer than two trials or the input cannot be pooled.

    Notes
    -----
    Viechtbauer W, Cheung MWL. Res Synth Methods 2010;1:112-125; Baujat B, Mahé C, Pignon JP, Hill
    C. Stat Med 2002;21:2641-2652. With the Wald variance, as in metafor's ``influence`` and
    ``baujat``.
    """
    y, v = check_effects(yi, vi, at_least=2)
    whole = fit_stack(y, v, method=method, interval="wald")
    mean, variance, tau2 = (float(x[0]) for x in (whole.estimate, whole.se**2, whole.tau2))
    without = leave_one_out(y, v, method=method, interval="wald")
    change = mean - without.estimate
    variance_deleted = without.se**2
    hat = variance / (v + tau2)
    return Influence(
        hat=hat,
        rstudent=(y - without.estimate) / np.sqrt(v + without.tau2 + variance_deleted),
        dffits=change / np.sqrt(hat * (without.tau2 + v)),
        cook_distance=change**2 / variance,
        covariance_ratio=variance_deleted / variance,
        tau2_deleted=without.tau2,
        q_deleted=without.q,
        baujat_x=(y - mean) ** 2 / (v + tau2),
        baujat_y=change**2 / variance_deleted,
    )


def all_subsets(
    yi: npt.ArrayLike, vi: npt.ArrayLike, *, method: str = "REML"
) -> tuple[StackedFit, npt.NDArray[np.bool_]]:
    """Fit every subset of the trials, for the graphical display of heterogeneity (GOSH).

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances; k at most 15.
    method : str
        Estimator of tau2; ``EE`` for the common effect.

    Returns
    -------
    fit : StackedFit
        The pooled result of each of the ``2**k - 1`` subsets with at least one trial.
    members : numpy.ndarray of bool, shape (k, subsets)
        Which trials are in each; column j includes trial i if bit i of j + 1 is set.

    Raises
    ------
    ValueError
        If there are more than 15 trials or the input cannot be pooled.

    Notes
    -----
    Olkin I, Dahabreh IJ, Trikalinos TA. Res Synth Methods 2012;3:214-223. As metafor's ``gosh``.
    """
    y, v = check_effects(yi, vi, at_least=1)
    if y.size > MOST_TRIALS_FOR_ALL_SUBSETS:
        raise ValueError(
            f"all subsets of {y.size} trials are too many; at most "
            f"{MOST_TRIALS_FOR_ALL_SUBSETS} trials"
        )
    numbers = np.arange(1, 2**y.size)
    members = (numbers >> np.arange(y.size)[:, None]) % 2 == 1
    return fit_stack(*subsets(y, v, members), method=method, interval="wald"), members
