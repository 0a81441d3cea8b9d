"""Direct against indirect evidence, comparison by comparison."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.evidence.graph import DirectComparison, direct_comparisons
from trial_evidence.network.fit.league import League, NetworkFit, fit_network, p_of_q
from trial_evidence.pool.engine.results import Floats
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.pool.engine.tau2 import estimate_tau2 as pairwise_tau2

# A share of direct evidence nearer to one than this leaves nothing indirect but rounding.
ALL_DIRECT = 5e-4


@dataclass(frozen=True)
class Estimate:
    """An effect of the first treatment against the second, on the analysis scale.

    Attributes
    ----------
    effect, se, ci_low, ci_high, p_value : float
        Effect, standard error, Wald interval and test.
    """

    effect: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float


@dataclass(frozen=True)
class Split:
    """Direct and indirect evidence on one comparison.

    Attributes
    ----------
    comparison : DirectComparison
        The treatments and the studies that compare them.
    direct : Estimate
        From those studies alone, with the heterogeneity of the network.
    indirect : Estimate or None
        From all others; None where there is no way round.
    network : Estimate
        From both.
    difference : Estimate or None
        Direct less indirect, with its test.
    proportion : float
        Share of the direct evidence in the network estimate, 0 to 1.
    q, q_df, q_p : float, int, float or None
        Heterogeneity among the studies that compare the two.
    tau2 : float or None
        Their own between-study variance; None for a single study.
    """

    comparison: DirectComparison
    direct: Estimate
    indirect: Estimate | None
    network: Estimate
    difference: Estimate | None
    proportion: float
    q: float
    q_df: int
    q_p: float | None
    tau2: float | None


def _estimate(effect: float, se: float, level: float) -> Estimate:
    half = float(ndtri(0.5 + level / 200)) * se
    p_value = 2 * float(ndtr(-abs(effect) / se))
    return Estimate(effect, se, effect - half, effect + half, p_value)


def _direct(data: NetworkData, comparison: DirectComparison) -> tuple[Floats, Floats]:
    pairs = np.array(
        [data.named[name].pair(comparison.first, comparison.second) for name in comparison.studies]
    )
    return pairs[:, 0], pairs[:, 1]


def _pooled(effects: Floats, variances: Floats, tau2: float) -> tuple[float, float]:
    weights = 1 / (variances + tau2)
    return float((weights * effects).sum() / weights.sum()), float(weights.sum() ** -0.5)


def _indirect(effect: float, se: float, direct: float, proportion: float) -> tuple[float, float]:
    rest = 1 - proportion
    return (effect - proportion * direct) / rest, se / rest**0.5


def split_evidence(fit: NetworkFit, *, common: bool = False) -> tuple[Split, ...]:
    """Separate indirect from direct evidence by back-calculation.

    Parameters
    ----------
    fit : NetworkFit
        A network meta-analysis.
    common : bool
        Split the common-effect estimates in place of the random-effects ones.

    Returns
    -------
    tuple of Split
        One a direct comparison, in alphabetical order.

    Notes
    -----
    Attributed to Dias S et al. Stat Med 2010;29:932-944 (back-calculation) and König J, Krahn U,
    Binder H. Stat Med 2013;32:5414-5429 (share of direct evidence, ``(se network / se
    direct)**2``). As netmeta's ``netsplit``: multi-arm studies count as direct evidence on every
    two of their arms.
    """
    league = fit.common if common else fit.random
    tau2 = 0.0 if common else fit.tau2 or 0.0
    return tuple(_split(fit, league, tau2, c) for c in direct_comparisons(fit.data))


def _split(
    fit: NetworkFit,
    league: League,
    tau2: float,
    comparison: DirectComparison,
    elsewhere: tuple[float, float] | None = None,
    *,
    by_design: bool = False,
) -> Split:
    effects, variances = _direct(fit.data, comparison)
    direct, se_direct = _pooled(effects, variances, tau2)
    cell = league.cell(comparison.first, comparison.second)
    effect, se = float(league.effects[cell]), float(league.se[cell])
    proportion = (se / se_direct) ** 2
    if not by_design and proportion < 1 - ALL_DIRECT:
        elsewhere = _indirect(effect, se, direct, proportion)
    indirect = difference = None
    if elsewhere is not None:
        indirect = _estimate(*elsewhere, fit.level)
        apart = (se_direct**2 + elsewhere[1] ** 2) ** 0.5
        difference = _estimate(direct - elsewhere[0], apart, fit.level)
    mean = _pooled(effects, variances, 0.0)[0]
    q = float(((effects - mean) ** 2 / variances).sum())
    df = effects.size - 1
    method = "DL" if fit.method == "given" else fit.method
    return Split(
        comparison=comparison,
        direct=_estimate(direct, se_direct, fit.level),
        indirect=indirect,
        network=_estimate(effect, se, fit.level),
        difference=difference,
        proportion=min(proportion, 1.0),
        q=q,
        q_df=df,
        q_p=p_of_q(q, df),
        tau2=float(pairwise_tau2(stack(effects, variances), method)[0]) if df > 0 else None,
    )


def split_designs(fit: NetworkFit) -> tuple[Split, ...]:
    """Separate indirect from direct evidence by leaving the studies out: node splitting.

    Parameters
    ----------
    fit : NetworkFit
        A network meta-analysis with an estimated tau2.

    Returns
    -------
    tuple of Split
        As `split_evidence`, but the indirect estimate comes from the network without any study
        that compares the two, with a tau2 of its own.

    Raises
    ------
    ValueError
        If tau2 was given: there is no method to estimate it anew.

    Notes
    -----
    Separating indirect from direct design evidence, attributed to Efthimiou O et al. Stat Med
    2019;38:2992-3012; netmeta's ``netsplit(method = "SIDDE")``.
    """
    if fit.method == "given":
        raise ValueError("node splitting estimates tau2 anew and needs the method for it")
    return tuple(
        _split(fit, fit.random, fit.tau2 or 0.0, c, _elsewhere(fit, c), by_design=True)
        for c in direct_comparisons(fit.data)
    )


def _elsewhere(fit: NetworkFit, comparison: DirectComparison) -> tuple[float, float] | None:
    names = set(comparison.studies)
    others = tuple(study for study in fit.data.studies if study.study not in names)
    if not others:
        return None
    for part in NetworkData(others).parts:
        if {comparison.first, comparison.second} <= set(part.treatments):
            league = fit_network(part, fit.method, level=fit.level).random
            cell = league.cell(comparison.first, comparison.second)
            return float(league.effects[cell]), float(league.se[cell])
    return None
