"""Direct and indirect evidence, comparison by comparison."""

from dataclasses import dataclass, replace

import numpy as np

from trial_evidence.network.evidence.contrasts import NetworkData
from trial_evidence.network.evidence.graph import DirectComparison, direct_comparisons
from trial_evidence.network.fit.effect import Effect, wald
from trial_evidence.network.fit.league import NetworkFit

# If the share of direct evidence is closer to one than this, the indirect rest is rounding error.
ALL_DIRECT = 5e-4
NO_WAY_ROUND = "no indirect evidence: without the trials that compare the two, no path joins them"
NOT_SEPARABLE = (
    "indirect evidence cannot be separated: it comes only from other arms of the trials that "
    "compare the two"
)
TOO_LITTLE = (
    "indirect evidence carries {share} of the weight, less than {least}: too little to read"
)


@dataclass(frozen=True)
class Split:
    """Direct and indirect evidence on one comparison, the first treatment against the second.

    Attributes
    ----------
    comparison : DirectComparison
        The treatments and the studies that compare them.
    proportion : float
        Share of the direct evidence in the network estimate, 0 to 1.
    direct : Effect
        From those studies alone, with the heterogeneity of the network.
    network : Effect
        From all studies.
    indirect : Effect or None
        From all others; None if there is no indirect path.
    difference : Effect or None
        Direct minus indirect, with its test.
    reason : str
        Why there is no indirect evidence; empty if there is.
    """

    comparison: DirectComparison
    proportion: float
    direct: Effect
    network: Effect
    indirect: Effect | None
    difference: Effect | None
    reason: str = ""


def split_evidence(fit: NetworkFit) -> tuple[Split, ...]:
    """Separate indirect from direct evidence by back-calculation, under random effects.

    Returns
    -------
    tuple of Split
        One per direct comparison, in alphabetical order.

    Notes
    -----
    Attributed to Dias S et al. Stat Med 2010;29:932-944 (back-calculation) and König J, Krahn U,
    Binder H. Stat Med 2013;32:5414-5429 (share of direct evidence, ``(se network / se
    direct)**2``). As netmeta's ``netsplit``: multi-arm studies count as direct evidence on every
    pair of their arms.
    """
    return tuple(_split(fit, comparison) for comparison in direct_comparisons(fit.data))


def _split(fit: NetworkFit, comparison: DirectComparison) -> Split:
    named = (fit.data.named[name] for name in comparison.studies)
    found = np.array([study.pair(*comparison.pair) for study in named])
    effects, weights = found[:, 0], 1 / (found[:, 1] + (fit.tau2 or 0.0))
    direct = float((weights * effects).sum() / weights.sum())
    se_direct = float(weights.sum() ** -0.5)
    cell = fit.random.cell(*comparison.pair)
    effect, se = float(fit.random.effects[cell]), float(fit.random.se[cell])
    proportion = (se / se_direct) ** 2
    of = wald(direct, se_direct, fit.level), wald(effect, se, fit.level)
    if proportion >= 1 - ALL_DIRECT:
        return Split(comparison, min(proportion, 1.0), *of, None, None, NO_WAY_ROUND)
    rest = 1 - proportion
    elsewhere, se_elsewhere = (effect - proportion * direct) / rest, se / rest**0.5
    apart = (se_direct**2 + se_elsewhere**2) ** 0.5
    indirect = wald(elsewhere, se_elsewhere, fit.level)
    difference = wald(direct - elsewhere, apart, fit.level)
    return Split(comparison, proportion, *of, indirect, difference)


def readable(split: Split, data: NetworkData, least: float) -> Split:
    """Remove an indirect estimate that hardly any evidence supports, and say why.

    Back-calculation divides by the share of the indirect evidence. In a multi-arm study the other
    arms add some precision to a comparison, which is mistaken for indirect evidence; and if nearly
    all evidence is direct, the small rest magnifies any rounding of the input.

    Parameters
    ----------
    split : Split
        From `split_evidence`.
    data : NetworkData
        The network.
    least : float
        Smallest share of indirect evidence at which the estimate is kept.
    """
    if split.indirect is None:
        return split
    share = 1 - split.proportion
    reason = ""
    if not _joined_without(data, split.comparison):
        reason = NOT_SEPARABLE
    elif share < least:
        reason = TOO_LITTLE.format(share=f"{100 * share:.2g}%", least=f"{100 * least:g}%")
    return replace(split, indirect=None, difference=None, reason=reason) if reason else split


def _joined_without(data: NetworkData, comparison: DirectComparison) -> bool:
    """Whether a chain of other studies connects the treatments of a comparison."""
    others = (s.treatments for s in data.studies if s.study not in comparison.studies)
    of = data.linked(others)
    first, second = (data.position[treatment] for treatment in comparison.pair)
    return bool(of[first] == of[second])
