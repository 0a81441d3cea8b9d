"""Meta-regression: does the effect depend on a characteristic of the trials?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, f, norm, t

from trial_evidence.pool.engine.likelihood import residual_tau2
from trial_evidence.pool.engine.results import Floats, Refused, check_effects, check_level, too_few
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.pool.engine.tau2 import estimate_tau2

TRIALS_A_COVARIATE = 10
WHY = f"with fewer than {TRIALS_A_COVARIATE} per covariate, chance can look like a trend"
# A residual Q below this share of the weighted sum of squared effects is only rounding error.
EXACT = 1e-20
CORRECTIONS = {
    "wald": "wald",
    "hartung_knapp": "knapp-hartung",
    "hartung_knapp_conservative": "knapp-hartung-conservative",
}


@dataclass(frozen=True)
class MetaRegression:
    """Coefficients of a mixed-effects meta-regression.

    Attributes
    ----------
    names : tuple of str
        ``intercept`` and the covariates.
    coefficients, se, ci_low, ci_high, p_value : numpy.ndarray of float, shape (coefficients,)
        On the analysis scale, per unit of the covariate.
    covariance : numpy.ndarray of float, shape (coefficients, coefficients)
        Covariance of the coefficients that the interval uses.
    df : int or None
        Degrees of freedom of t; None if normal.
    level : float
        Level of the intervals in percent.
    tau2 : float
        Residual between-trial variance.
    r2 : float or None
        Percentage of the between-trial variance that the covariates explain; None if there is
        none.
    q_residual, q_residual_p : float
        Residual heterogeneity and its p value.
    statistic, statistic_p : float
        Omnibus test of all covariates (F, or chi2 for ``wald``) and its p value.
    k : int
        Number of trials.
    """

    names: tuple[str, ...]
    coefficients: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    p_value: Floats
    covariance: Floats
    df: int | None
    level: float
    tau2: float
    r2: float | None
    q_residual: float
    q_residual_p: float
    statistic: float
    statistic_p: float
    k: int

    def predict(self, **values: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Mean effect and interval at values of the covariates, such as the line of a bubble plot.

        Parameters
        ----------
        **values : array_like of shape (n,)
            Values of every covariate.

        Raises
        ------
        ValueError
            If the covariates are not those of the model.
        """
        if set(values) != set(self.names[1:]):
            raise ValueError(f"the model's covariates are {', '.join(self.names[1:])}")
        columns = [np.atleast_1d(np.asarray(values[n], dtype=float)) for n in self.names[1:]]
        design = np.column_stack([np.ones(columns[0].size), *columns])
        estimate = design @ self.coefficients
        se = np.sqrt(np.einsum("ni,ij,nj->n", design, self.covariance, design))
        half = _quantile(self.level, self.df) * se
        return estimate, estimate - half, estimate + half


def _quantile(level: float, df: int | None) -> float:
    upper = 0.5 + level / 200
    return float(norm.ppf(upper) if df is None else t.ppf(upper, df))


def meta_regression(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    covariates: Mapping[str, npt.ArrayLike],
    *,
    method: str = "REML",
    interval: str = "hartung_knapp_conservative",
    level: float = 95.0,
    forced: bool = False,
) -> MetaRegression | Refused:
    """Regress the effects on characteristics of the trials.

    Parameters
    ----------
    yi, vi : array_like of shape (k,)
        Effects on the analysis scale and their sampling variances.
    covariates : mapping of str to array_like of shape (k,)
        One number per trial; an intercept is added.
    method : str
        Residual tau2 by ``REML``, ``ML`` or ``DL``; ``EE`` for none.
    interval : str
        ``wald``, ``hartung_knapp`` or ``hartung_knapp_conservative``.
    level : float
        Level of the intervals in percent.
    forced : bool
        Fit even with fewer than ten trials per covariate.

    Returns
    -------
    MetaRegression or Refused
        Refused with fewer than ten trials per covariate unless forced; unless there are more trials
        than coefficients; if a covariate is constant or a linear combination of the others; and,
        for ``hartung_knapp``, if the line passes through every trial (the variance is then zero).

    Raises
    ------
    ValueError
        If the input cannot be pooled, a covariate does not have one finite number per trial, a name
        is unknown or the level is not a percentage.

    Notes
    -----
    Knapp G, Hartung J. Stat Med 2003;22:2693-2710. Coefficients and their covariance by PyMARE,
    tau2 by `trial_evidence.pool.engine.likelihood`. As in metafor's
    ``rma(yi, vi, mods)``.
    """
    y, v = check_effects(yi, vi)
    level = check_level(level)
    if interval not in CORRECTIONS:
        raise ValueError(f"interval {interval!r} is not one of {', '.join(CORRECTIONS)}")
    columns = {name: np.asarray(values, dtype=float) for name, values in covariates.items()}
    for name, column in columns.items():
        if column.shape != y.shape or not np.isfinite(column).all():
            raise ValueError(f"covariate {name} must have one finite number a trial")
    if not columns:
        raise ValueError("a meta-regression needs a covariate")
    needed = TRIALS_A_COVARIATE * len(columns)
    if refusal := too_few(y.size, needed, "Meta-regression", WHY, forced=forced):
        return refusal
    design = np.column_stack([np.ones(y.size), *columns.values()])
    k, p = design.shape
    if k <= p:
        return Refused(f"{k} trials cannot carry {p} coefficients and the spread around them.")
    centred = np.column_stack([c - c.mean() for c in columns.values()])
    scale = np.abs(np.column_stack(list(columns.values()))).max(axis=0)
    if np.linalg.matrix_rank(centred / np.where(scale > 0, scale, 1.0), tol=1e-10) < p - 1:
        return Refused("A covariate is the same in all trials or follows from the others.")
    tau2 = residual_tau2(y, v, design, method)
    # Centre the covariates: a year of publication and an intercept are nearly collinear.
    shifted = np.column_stack([np.ones(k), centred])
    q = _residual_q(y, v, shifted)
    if interval == "hartung_knapp" and q <= EXACT * float((y**2 / v).sum()):
        return Refused("The line goes through every trial, so its error is not known.")
    # Imported here because PyMARE loads sympy, as slow as all other imports of a stage together.
    from pymare.estimators import WeightedLeastSquares

    model = WeightedLeastSquares(tau2=tau2, small_sample_correction=CORRECTIONS[interval])
    model.fit(y[:, None], shifted, v=v[:, None])
    back = np.eye(p)
    back[0, 1:] = [-c.mean() for c in columns.values()]
    coefficients = back @ model.params_["fe_params"][:, 0]
    covariance = back @ model.params_["inv_cov"][:, :, 0] @ back.T
    se = np.sqrt(np.diag(covariance))
    df = None if interval == "wald" else k - p
    ratio = np.abs(coefficients) / se
    p_values = 2 * (norm.sf(ratio) if df is None else t.sf(ratio, df))
    half = _quantile(level, df) * se
    slopes = coefficients[1:]
    wald = float(slopes @ np.linalg.solve(covariance[1:, 1:], slopes))
    without = float(estimate_tau2(stack(y, v), method)[0])
    return MetaRegression(
        names=("intercept", *columns),
        coefficients=coefficients,
        se=se,
        ci_low=coefficients - half,
        ci_high=coefficients + half,
        p_value=np.asarray(p_values),
        covariance=covariance,
        df=df,
        level=level,
        tau2=tau2,
        r2=max(0.0, 100 * (without - tau2) / without) if without > 0 else None,
        q_residual=q,
        q_residual_p=float(chi2.sf(q, k - p)),
        statistic=wald if df is None else wald / (p - 1),
        statistic_p=float(chi2.sf(wald, p - 1) if df is None else f.sf(wald / (p - 1), p - 1, df)),
        k=k,
    )


def _residual_q(y: Floats, v: Floats, design: Floats) -> float:
    root = 1 / np.sqrt(v)
    weighted = root[:, None] * design
    fitted = np.linalg.lstsq(weighted, root * y, rcond=None)[0]
    return float(((root * y - weighted @ fitted) ** 2).sum())
