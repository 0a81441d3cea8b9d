"""Network meta-analysis: every treatment against every other."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit

from trial_evidence.measures.scales import normal_quantile
from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.fit.effect import QTest, q_test
from trial_evidence.network.fit.least_squares import Solution, estimate_tau2, rotate, solve
from trial_evidence.pool.engine.results import check_level

NO_PATH = (
    "No trial, and no chain of trials, links {first} with {second}: they lie in separate parts of "
    "the network and cannot be compared."
)


class League:
    """Effects of every treatment against every other under one model, on the analysis scale.

    Computed from the levels of the treatments, with intervals at a level in percent: Wald or, if a
    factor is given by which variances are multiplied, from t with the degrees of freedom of Q.
    Prediction intervals are from t with these, and variance ``se**2 + tau2``.

    Attributes
    ----------
    factor : float
        Factor by which variances are multiplied; 1 for Wald intervals.
    treatments : tuple of str
        Rows and columns, in this order.
    effects, se, ci_low, ci_high, p_value : numpy.ndarray of float, shape (treatments, treatments)
        Effect of the row's treatment against the column's, with interval and test. Zero (p one) on
        the diagonal; NaN if no path connects the two.
    pi_low, pi_high : numpy.ndarray of float, shape (treatments, treatments)
        Limits for the effect in a new study; NaN without a tau2 or with fewer than two degrees of
        freedom.
    covariance : numpy.ndarray of float, shape (treatments, treatments)
        Covariance of the effects against the first treatment of each subnetwork.
    """

    def __init__(
        self,
        data: NetworkData,
        solution: Solution,
        level: float,
        df: int,
        tau2: float | None = None,
        factor: float | None = None,
    ) -> None:
        self.treatments, self.factor = data.treatments, 1.0 if factor is None else factor
        self.covariance = self.factor * solution.covariance
        apart = data.labels[:, None] != data.labels[None, :]
        effects = solution.levels[:, None] - solution.levels[None, :]
        own = np.diag(self.covariance)
        variance = own[:, None] + own[None, :] - 2 * self.covariance
        se = np.sqrt(np.maximum(variance, 0.0))
        effects[apart], se[apart] = np.nan, np.nan
        normal, upper = factor is None, 0.5 + check_level(level) / 200
        half = (normal_quantile(level) if normal else stdtrit(df, upper)) * se
        ratio = np.abs(np.divide(effects, se, out=np.full_like(se, np.nan), where=se > 0))
        self.effects, self.se = effects, se
        self.ci_low, self.ci_high = effects - half, effects + half
        self.p_value = 2 * (ndtr(-ratio) if normal else stdtr(df, -ratio))
        np.fill_diagonal(self.p_value, 1.0)
        reach = np.full_like(se, np.nan)
        if tau2 is not None and df >= 2:
            reach = float(stdtrit(df, upper)) * np.sqrt(se**2 + tau2)
            np.fill_diagonal(reach, 0.0)
        self.pi_low, self.pi_high = effects - reach, effects + reach

    def cell(self, first: str, second: str) -> tuple[int, int]:
        """Row and column of a comparison."""
        return self.treatments.index(first), self.treatments.index(second)


@dataclass(frozen=True, eq=False)
class NetworkFit:
    """A network meta-analysis.

    Attributes
    ----------
    data : NetworkData
        The input.
    level : float
        Level of every interval, in percent.
    tau2 : float or None
        Between-study variance, common to all comparisons; None if it cannot be estimated, in which
        case the random-effects model is the common-effect one.
    common, random : League
        Common-effect and random-effects model, with Wald intervals. Only the latter predicts, and
        not if one effect in all studies was asked for.
    hartung_knapp : League or None
        Random-effects model with Hartung-Knapp-type intervals, their factor at least 1; None
        without degrees of freedom, because the scatter of studies is then unknown.
    heterogeneity : QTest
        Generalised Cochran's Q of the common-effect model.
    i2 : float or None
        Share of Q beyond its degrees of freedom, in percent.
    """

    data: NetworkData
    level: float
    tau2: float | None
    common: League
    random: League
    hartung_knapp: League | None
    heterogeneity: QTest
    i2: float | None


def fit_network(
    data: NetworkData, method: str = "REML", *, level: float = 95.0, tau2: float | None = None
) -> NetworkFit:
    """Network meta-analysis by generalised least squares.

    Parameters
    ----------
    data : NetworkData
        Studies. Unconnected subnetworks share only tau2; `NetworkData.parts` returns them
        separately.
    method : str
        Estimator of tau2: ``REML``, ``DL``, ``ML``, or ``EE`` for none.
    level : float
        Level of the intervals in percent.
    tau2 : float, optional
        A between-study variance to use instead of an estimate.

    Raises
    ------
    ValueError
        If the method is unknown or the level is not a percentage.

    Notes
    -----
    The same estimates as the graph-theoretical method, attributed to Rücker G. Res Synth Methods
    2012;3:312-324, and as R's netmeta. Prediction intervals as netmeta's ``method.predict = "V"``:
    t with the degrees of freedom of Q.

    Hartung-Knapp-type intervals multiply variances by ``max(1, Q/df)``, Q the weighted residual sum
    of squares at the random-effects weights, and use t with the residual degrees of freedom df:
    attributed to Jackson D, Riley RD. Stat Med 2014;33:541-554, floored as in pairwise analyses, so
    that they are never narrower than Wald intervals.
    """
    observations = rotate(data)
    used = estimate_tau2([observations], method) if tau2 is None else tau2
    fixed = solve(observations, 0.0)
    at_tau2 = solve(observations, used) if used else fixed
    df = observations.df
    beyond = None if method == "EE" and tau2 is None else used
    factor = max(1.0, at_tau2.q / df) if df else 1.0
    return NetworkFit(
        data=data,
        level=level,
        tau2=used,
        common=League(data, fixed, level, df),
        random=League(data, at_tau2, level, df, beyond),
        hartung_knapp=League(data, at_tau2, level, df, beyond, factor) if df else None,
        heterogeneity=q_test(fixed.q, df),
        i2=None if df == 0 else 100 * max(0.0, 1 - df / fixed.q) if fixed.q > 0 else 0.0,
    )
