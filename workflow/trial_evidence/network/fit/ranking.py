"""Which treatment is likely to be best: P-scores and rankograms."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky
from scipy.special import ndtr, ndtri
from scipy.stats.qmc import Sobol

from trial_evidence.network.fit.league import League, NetworkFit
from trial_evidence.pool.engine.results import Floats

# Rankograms use 2 to this power points: quasi-random, with errors of probabilities up to 0.001 with
# few treatments, 0.004 with twenty.
POINTS = 16
SEED = 20120305


@dataclass(frozen=True, eq=False)
class Ranking:
    """Ranks of the treatments of a connected network; rank 1 is the best.

    Attributes
    ----------
    treatments : tuple of str
        In the order of the network.
    p_score : numpy.ndarray of float, shape (treatments,)
        Mean probability of being better than another treatment, 0 to 1. For normal estimates it
        is also the surface under the cumulative ranking curve (SUCRA).
    mean_rank : numpy.ndarray of float, shape (treatments,)
        Expected rank.
    probability : numpy.ndarray of float, shape (treatments, ranks)
        Rankogram: the probability of every rank. Rows and columns sum to 1.
    """

    treatments: tuple[str, ...]
    p_score: Floats
    mean_rank: Floats
    probability: Floats

    @property
    def scores(self) -> dict[str, float]:
        """P-score of each treatment."""
        return dict(zip(self.treatments, self.p_score.tolist(), strict=True))


def p_scores(league: League, *, higher_is_better: bool) -> Floats:
    """P-scores of the treatments.

    Parameters
    ----------
    league : League
        Every comparison.
    higher_is_better : bool
        Whether a positive effect is a benefit.

    Raises
    ------
    ValueError
        If some treatments are not connected.

    Notes
    -----
    Rücker G, Schwarzer G. BMC Med Res Methodol 2015;15:58; as netmeta's ``netrank``.
    """
    size = len(league.treatments)
    if np.isnan(league.effects).any():
        raise ValueError("treatments without a path to one another have no common ranking")
    apart = ~np.eye(size, dtype=bool)
    sign = 1.0 if higher_is_better else -1.0
    ratio = np.divide(league.effects, league.se, out=np.zeros((size, size)), where=apart)
    better = np.where(apart, ndtr(sign * ratio), 0.0)
    return np.asarray(better.sum(axis=1) / (size - 1))


def rank_treatments(fit: NetworkFit, *, higher_is_better: bool) -> Ranking:
    """Rank the treatments of a connected network by random effects.

    Parameters
    ----------
    fit : NetworkFit
        A network meta-analysis.
    higher_is_better : bool
        Whether a positive effect is a benefit.

    Returns
    -------
    Ranking
        P-scores and mean ranks in closed form. Rankograms from quasi-random points (Sobol, fixed
        seed) of the joint normal distribution of the effects: the same on every run.

    Raises
    ------
    ValueError
        If some treatments are not connected.

    Notes
    -----
    Rankograms: attributed to Salanti G, Ades AE, Ioannidis JPA. J Clin Epidemiol 2011;64:163-171.
    """
    league = fit.random
    scores = p_scores(league, higher_is_better=higher_is_better)
    size = len(league.treatments)
    return Ranking(
        treatments=league.treatments,
        p_score=scores,
        mean_rank=size - (size - 1) * scores,
        probability=_rankogram(league, higher_is_better),
    )


def _rankogram(league: League, higher_is_better: bool) -> Floats:
    size = len(league.treatments)
    # The level of the first treatment of a connected network is zero by definition.
    root = cholesky(league.covariance[1:, 1:], lower=True)
    # Shift to the middle of Sobol's 30-bit cells: the normal quantile of zero is not finite.
    uniform = Sobol(size - 1, scramble=True, rng=SEED).random_base2(POINTS) + 2.0**-31
    points = ndtri(uniform)
    levels = np.pad(points @ root.T, ((0, 0), (1, 0))) + league.effects[:, 0]
    best_first = np.argsort(-levels if higher_is_better else levels, axis=1)
    counts = [np.bincount(at_rank, minlength=size) for at_rank in best_first.T]
    return np.column_stack(counts) / len(points)
