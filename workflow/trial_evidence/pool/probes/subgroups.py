"""Differences in effect between groups of trials, and between subgroups within trials."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, fdtrc

from trial_evidence.pool.engine.likelihood import mixed_effects_tau2
from trial_evidence.pool.engine.many import FitChoices, StackedFit, fit_stack
from trial_evidence.pool.engine.results import Floats, check_effects
from trial_evidence.pool.engine.stacks import Ints, subsets

SEPARATE_METHOD = "separate τ² in each group, χ² test between the groups’ means"
ONE_GROUP = "All trials belong to one group."
SUBGROUP_METHOD = "mixed-effects model, one τ² by REML, floored Hartung–Knapp F test"


@dataclass(frozen=True)
class SubgroupTest:
    """Omnibus test of differences between groups of trials.

    Attributes
    ----------
    statistic : float or None
        F statistic; None if no test is possible.
    df_num, df_den : int or None
        Its degrees of freedom: groups - 1 and trials - groups.
    tau2 : float or None
        Residual between-trial variance within the groups, common to all.
    method : str
        The test in words.
    reason : str
        Why there is no test; empty if there is one.
    """

    statistic: float | None = None
    df_num: int | None = None
    df_den: int | None = None
    p_value: float | None = None
    tau2: float | None = None
    method: str = SUBGROUP_METHOD
    reason: str = ""


def subgroup_test(yi: npt.ArrayLike, vi: npt.ArrayLike, groups: Sequence[str]) -> SubgroupTest:
    """Test whether the mean effect differs between groups of trials.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    groups : sequence of str, length k
        Group of each trial.

    Returns
    -------
    SubgroupTest
        F test of equal group means in a mixed-effects model with one residual tau2 by REML; the
        covariance of the means is multiplied by the Hartung-Knapp factor, or by 1 if that is
        smaller. No test with fewer than two groups, or unless there are more trials than groups.

    Raises
    ------
    ValueError
        If there is not one group per trial, or as in `check_effects`.

    Notes
    -----
    Knapp G, Hartung J. Stat Med 2003;22:2693-2710. The same as metafor's
    ``rma(yi, vi, mods = ~ factor(group), method = "REML", test = "adhoc")``.
    """
    y, v, levels, codes = _grouped(yi, vi, groups)
    if levels.size < 2:
        return SubgroupTest(reason=ONE_GROUP)
    if y.size <= levels.size:
        return SubgroupTest(
            reason=f"{y.size} trials in {levels.size} groups: too few to separate differences "
            "between groups from differences between trials."
        )
    membership = (codes[:, None] == np.arange(levels.size)).astype(float)
    tau2 = mixed_effects_tau2(y, v, membership)
    # Imported here because PyMARE loads sympy, as slow as all other imports of a stage together.
    from pymare.estimators import WeightedLeastSquares

    model = WeightedLeastSquares(tau2=tau2, small_sample_correction="knapp-hartung-conservative")
    model.fit(y[:, None], membership, v=v[:, None])
    means = model.params_["fe_params"][:, 0]
    covariance = model.params_["inv_cov"][:, :, 0]
    df_num, df_den = levels.size - 1, y.size - levels.size
    # Each group versus the first.
    contrast = np.column_stack([-np.ones(df_num), np.eye(df_num)])
    difference, spread = contrast @ means, contrast @ covariance @ contrast.T
    statistic = float(difference @ np.linalg.solve(spread, difference)) / df_num
    return SubgroupTest(
        statistic=statistic,
        df_num=df_num,
        df_den=df_den,
        p_value=float(fdtrc(df_num, df_den, statistic)),
        tau2=tau2,
    )


def _grouped(
    yi: npt.ArrayLike, vi: npt.ArrayLike, groups: Sequence[str]
) -> tuple[Floats, Floats, npt.NDArray[np.str_], Ints]:
    """Checked effects and variances, the groups, and the index of each trial's group."""
    y, v = check_effects(yi, vi)
    if len(groups) != y.size:
        raise ValueError(f"{y.size} trials but {len(groups)} groups")
    if not all(isinstance(group, str) and group for group in groups):
        raise ValueError("every trial needs a group, given as text")
    return y, v, *np.unique(np.asarray(groups, dtype=str), return_inverse=True)


@dataclass(frozen=True)
class SeparateSubgroups:
    """Each group pooled with its own tau2, and the test between them.

    Attributes
    ----------
    levels : tuple of str
        The groups, in alphabetical order.
    fit : StackedFit
        The pooled result of each group; for a group of one trial, that trial's own.
    statistic, p_value : float or None
        Q between the groups' means and its p value from chi2.
    df : int or None
        Groups - 1.
    method : str
        The test in words.
    reason : str
        Why there is no test; empty if there is one.
    """

    levels: tuple[str, ...]
    fit: StackedFit
    statistic: float | None = None
    p_value: float | None = None
    df: int | None = None
    method: str = SEPARATE_METHOD
    reason: str = ""


def separate_subgroups(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    groups: Sequence[str],
    **choices: Unpack[FitChoices],
) -> SeparateSubgroups:
    """Pool every group separately and compare the means.

    `subgroup_test` gives all groups one tau2, whereas here each has its own: appropriate if
    heterogeneity differs between groups, but unstable if groups are small.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    groups : sequence of str, length k
        Group of each trial.
    **choices
        As `trial_evidence.pool.engine.many.fit_stack`; the test uses the standard errors of the
        chosen interval.

    Returns
    -------
    SeparateSubgroups
        No test with fewer than two groups, or if a group's standard error is zero.

    Raises
    ------
    ValueError
        If there is not one group per trial, or the input cannot be pooled.

    Notes
    -----
    Borenstein M, Higgins JPT. Prev Sci 2013;14:134-143. As in meta's
    ``metagen(subgroup, tau.common=FALSE)``.
    """
    y, v, levels, codes = _grouped(yi, vi, groups)
    inside = codes[:, None] == np.arange(levels.size)
    fit = fit_stack(*subsets(y, v, inside), **choices)
    found = SeparateSubgroups(tuple(str(name) for name in levels), fit)
    if levels.size < 2:
        return replace(found, reason=ONE_GROUP)
    if not (fit.se > 0).all():
        return replace(found, reason="A group's effects are all the same.")
    w = 1 / fit.se**2
    mean = (w @ fit.estimate) / w.sum()
    statistic = float((w * (fit.estimate - mean) ** 2).sum())
    df = levels.size - 1
    return replace(found, statistic=statistic, p_value=float(chdtrc(df, statistic)), df=df)


def interaction_within_trials(
    yi_a: npt.ArrayLike, vi_a: npt.ArrayLike, yi_b: npt.ArrayLike, vi_b: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Difference in effect between two subgroups within each trial.

    Pooled across trials, it compares patients with others of the same trial and is not confounded
    by differences between trials.

    Parameters
    ----------
    yi_a, vi_a : array_like of shape (k,)
        Effect and sampling variance in the first subgroup of each trial.
    yi_b, vi_b : array_like of shape (k,)
        The same in the second subgroup, which has no patient in common with the first.

    Returns
    -------
    yi, vi : numpy.ndarray of float, shape (k,)
        First minus second subgroup, and its variance. On a log scale the difference is the log of
        a ratio of ratios.

    Raises
    ------
    ValueError
        If lengths differ, or as in `check_effects`.

    Notes
    -----
    Fisher DJ, Carpenter JR, Morris TP, Freeman SC, Tierney JF. BMJ 2017;356:j573.
    """
    a, variance_a = check_effects(yi_a, vi_a)
    b, variance_b = check_effects(yi_b, vi_b)
    if a.size != b.size:
        raise ValueError(f"{a.size} trials in the first subgroup but {b.size} in the second")
    return a - b, variance_a + variance_b
