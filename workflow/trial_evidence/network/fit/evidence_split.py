"""Direct against indirect evidence, comparison by comparison."""

import numpy as np

from trial_evidence.network.evidence.graph import DirectComparison, direct_comparisons
from trial_evidence.network.fit.effect import Effect, wald
from trial_evidence.network.fit.league import NetworkFit

# A share of direct evidence nearer to one than this leaves nothing indirect but rounding.
ALL_DIRECT = 5e-4


class Split:
    """Direct and indirect evidence on one comparison, the first treatment against the second.

    Attributes
    ----------
    comparison : DirectComparison
        The treatments and the studies that compare them.
    direct : Effect
        From those studies alone, with the heterogeneity of the network.
    indirect : Effect or None
        From all others; None where there is no way round.
    network : Effect
        From both.
    difference : Effect or None
        Direct less indirect, with its test.
    proportion : float
        Share of the direct evidence in the network estimate, 0 to 1.
    """

    def __init__(self, fit: NetworkFit, comparison: DirectComparison) -> None:
        self.comparison = comparison
        named = (fit.data.named[name] for name in comparison.studies)
        found = np.array([study.pair(*comparison.pair) for study in named])
        effects, weights = found[:, 0], 1 / (found[:, 1] + (fit.tau2 or 0.0))
        direct = float((weights * effects).sum() / weights.sum())
        se_direct = float(weights.sum() ** -0.5)
        cell = fit.random.cell(*comparison.pair)
        effect, se = float(fit.random.effects[cell]), float(fit.random.se[cell])
        proportion = (se / se_direct) ** 2
        self.direct = wald(direct, se_direct, fit.level)
        self.network = wald(effect, se, fit.level)
        self.proportion = min(proportion, 1.0)
        self.indirect: Effect | None = None
        self.difference: Effect | None = None
        if proportion < 1 - ALL_DIRECT:
            rest = 1 - proportion
            elsewhere, se_elsewhere = (effect - proportion * direct) / rest, se / rest**0.5
            self.indirect = wald(elsewhere, se_elsewhere, fit.level)
            apart = (se_direct**2 + se_elsewhere**2) ** 0.5
            self.difference = wald(direct - elsewhere, apart, fit.level)


def split_evidence(fit: NetworkFit) -> tuple[Split, ...]:
    """Separate indirect from direct evidence by back-calculation, under random effects.

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
    return tuple(Split(fit, comparison) for comparison in direct_comparisons(fit.data))
