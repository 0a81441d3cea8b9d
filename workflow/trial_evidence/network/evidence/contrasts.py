"""Studies of two or more arms as contrasts against a base arm, with their covariance.

A study with a arms enters a network whole, as a-1 contrasts against one of its arms. The choice of
this base arm does not affect any result. Effects are on the analysis scale (logarithms of ratios),
the first treatment named against the second: a positive contrast of a log ratio means more events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trial_evidence.measures.effects import CONTINUITY_CORRECTION, check_counts
from trial_evidence.pool.engine.results import Floats

# Tolerated discrepancy around a triangle of contrasts, on the analysis scale, from rounding in
# print or from models fitted pair by pair.
OPEN_TRIANGLE = 0.05


@dataclass(frozen=True, eq=False)
class StudyContrasts:
    """The contrasts of one study.

    Attributes
    ----------
    study : str
        Name of the study.
    treatments : tuple of str
        Treatments of its arms; the first is the base.
    effects : numpy.ndarray of float, shape (arms - 1,)
        Effects of ``treatments[1:]`` against the base, on the analysis scale.
    covariance : numpy.ndarray of float, shape (arms - 1, arms - 1)
        Their sampling covariance, positive definite.

    Raises
    ------
    ValueError
        If a treatment occurs twice, shapes differ, a number is not finite, or the covariance is
        not symmetric and positive definite.
    """

    study: str
    treatments: tuple[str, ...]
    effects: Floats
    covariance: Floats

    def __post_init__(self) -> None:
        arms = len(self.treatments)
        if arms < 2 or len(set(self.treatments)) != arms:
            raise ValueError(f"{self.study}: contrasts need two or more different treatments")
        if self.effects.shape != (arms - 1,) or self.covariance.shape != (arms - 1, arms - 1):
            raise ValueError(
                f"{self.study}: {arms} arms need {arms - 1} effects and their covariance, not "
                f"{self.effects.shape} and {self.covariance.shape}"
            )
        if not (np.isfinite(self.effects).all() and np.isfinite(self.covariance).all()):
            raise ValueError(f"{self.study}: effects and covariance must be finite numbers")
        scale = float(np.abs(self.covariance).max())
        if np.abs(self.covariance - self.covariance.T).max() > 1e-9 * scale:
            raise ValueError(f"{self.study}: the covariance is not symmetric")
        smallest = float(np.linalg.eigvalsh(self.covariance)[0])
        if not smallest > 1e-12 * scale:
            raise ValueError(
                f"{self.study}: the covariance of its contrasts is not positive definite; "
                "the standard errors contradict one another"
            )

    def relative_to(self, base: str, *others: str) -> "StudyContrasts":
        """The same study with another of its arms as base.

        Parameters
        ----------
        base : str
            One of `treatments`.
        *others : str
            All others in the order wanted; by default in their own.

        Returns
        -------
        StudyContrasts
            The base first, then the others.

        Raises
        ------
        ValueError
            If the study has no such arm.
        """
        if base not in self.treatments:
            raise ValueError(f"{self.study} has no arm {base}")
        others = others or tuple(t for t in self.treatments if t != base)
        means, spread = self.arms()
        unit = dict(zip(self.treatments, np.eye(means.size), strict=True))
        turn = np.array([unit[treatment] - unit[base] for treatment in others])
        return StudyContrasts(self.study, (base, *others), turn @ means, turn @ spread @ turn.T)

    def arms(self) -> tuple[Floats, Floats]:
        """Effects of all arms against the base and their covariance, zero for the base itself."""
        means = np.concatenate([[0.0], self.effects])
        return means, np.pad(self.covariance, ((1, 0), (1, 0)))

    def pair(self, first: str, second: str) -> tuple[float, float]:
        """Effect of one of its treatments against another, and its variance.

        Parameters
        ----------
        first, second : str
            Two of `treatments`.
        """
        means, spread = self.arms()
        i, j = self.treatments.index(first), self.treatments.index(second)
        return float(means[i] - means[j]), float(spread[i, i] + spread[j, j] - 2 * spread[i, j])


@dataclass(frozen=True, eq=False)
class NetworkData:
    """The studies of a network, sorted by name.

    Attributes
    ----------
    studies : tuple of StudyContrasts
        Sorted by name on creation.

    Raises
    ------
    ValueError
        If there is no study, or a name occurs twice.
    """

    studies: tuple[StudyContrasts, ...]

    def __post_init__(self) -> None:
        if not self.studies:
            raise ValueError("a network needs at least one study")
        ordered = tuple(sorted(self.studies, key=lambda study: study.study))
        twice = sorted({a.study for a, b in pairwise(ordered) if a.study == b.study})
        if twice:
            raise ValueError(f"studies named more than once: {', '.join(twice)}")
        object.__setattr__(self, "studies", ordered)

    @cached_property
    def treatments(self) -> tuple[str, ...]:
        """Every treatment, in alphabetical order."""
        return tuple(sorted({t for study in self.studies for t in study.treatments}))

    @cached_property
    def position(self) -> dict[str, int]:
        """Index of each treatment in `treatments`."""
        return {treatment: place for place, treatment in enumerate(self.treatments)}

    @cached_property
    def named(self) -> dict[str, StudyContrasts]:
        """Studies by name."""
        return {study.study: study for study in self.studies}

    @cached_property
    def labels(self) -> npt.NDArray[np.intp]:
        """The index, from 0, of the subnetwork that each treatment belongs to."""
        return self.linked(study.treatments for study in self.studies)

    def linked(self, groups: Iterable[Sequence[str]]) -> npt.NDArray[np.intp]:
        """The index, from 0, of each treatment's connected set, given groups of linked ones."""
        links = [(self.position[g[0]], self.position[t]) for g in groups for t in g[1:]]
        rows, columns = np.array(links, dtype=int).reshape(-1, 2).T
        size = len(self.treatments)
        joined = coo_array((np.ones(rows.size), (rows, columns)), shape=(size, size))
        return np.asarray(connected_components(joined, directed=False)[1], dtype=np.intp)

    @property
    def parts(self) -> tuple["NetworkData", ...]:
        """The connected parts of the network; only the network itself if it is connected."""
        if not self.labels.any():
            return (self,)
        of = self.labels[[self.position[study.treatments[0]] for study in self.studies]]
        return tuple(
            NetworkData(
                tuple(s for s, part in zip(self.studies, of, strict=True) if part == number)
            )
            for number in range(int(of.max()) + 1)
        )


def informative(events: npt.ArrayLike, n: npt.ArrayLike, measure: str) -> bool:
    """Whether the arms of a study carry information on a measure.

    Parameters
    ----------
    events, n : array_like of shape (arms,)
        Patients with the event, and patients analysed.
    measure : str
        ``odds_ratio``, ``risk_ratio`` or ``risk_difference``.

    Returns
    -------
    bool
        False on a ratio scale if no arm has an event, or every arm has only events.
    """
    x, total = check_counts(events, n, "arms")
    if measure == "risk_difference":
        return True
    return bool((x > 0).any() and (x < total).any())


def from_counts(
    study: str, treatments: Sequence[str], events: npt.ArrayLike, n: npt.ArrayLike, measure: str
) -> StudyContrasts:
    """Contrasts of a study from the counts of its arms.

    Parameters
    ----------
    study : str
        Name of the study.
    treatments : sequence of str
        One per arm; the first is the base.
    events, n : array_like of shape (arms,)
        Patients with the event, and patients analysed.
    measure : str
        ``odds_ratio``, ``risk_ratio`` or ``risk_difference``.

    Returns
    -------
    StudyContrasts
        Variances by arm: 1/a + 1/(n-a) for a log odds, 1/a - 1/n for a log risk, p(1-p)/n for a
        risk. The variance of a contrast is the sum of two of these, and the covariance of two
        contrasts is that of the base arm. If a cell is empty, 0.5 is added to all cells of this
        study only.

    Raises
    ------
    ValueError
        If counts are impossible, the study carries no information on the measure (see
        `informative`), or the measure is unknown.
    """
    x, total = check_counts(events, n, study)
    if x.size != len(treatments):
        raise ValueError(f"{study}: {len(treatments)} treatments but counts of {x.size} arms")
    if not informative(x, total, measure):
        raise ValueError(f"{study}: no event, or only events, in every arm says nothing of a ratio")
    if bool(((x == 0) | (x == total)).any()):
        x, total = x + CONTINUITY_CORRECTION, total + 2 * CONTINUITY_CORRECTION
    # The value of each arm on the analysis scale, and its variance.
    of_arms = {
        "odds_ratio": (np.log(x / (total - x)), 1 / x + 1 / (total - x)),
        "risk_ratio": (np.log(x / total), 1 / x - 1 / total),
        "risk_difference": (x / total, x * (total - x) / total**3),
    }
    if measure not in of_arms:
        raise ValueError(f"measure {measure!r} is not one of {', '.join(of_arms)}")
    value, variance = of_arms[measure]
    covariance = np.diag(variance[1:]) + variance[0]
    return StudyContrasts(study, tuple(treatments), value[1:] - value[0], covariance)


def from_pairwise(
    study: str,
    first: Sequence[str],
    second: Sequence[str],
    effects: npt.ArrayLike,
    ses: npt.ArrayLike,
) -> StudyContrasts:
    """Contrasts of a study that reports every pair of its arms.

    Parameters
    ----------
    study : str
        Name of the study.
    first, second : sequence of str
        Treatments of each comparison; the effect is of the first against the second.
    effects, ses : array_like of shape (comparisons,)
        Effects on the analysis scale and their standard errors.

    Returns
    -------
    StudyContrasts
        The base is the alphabetically first treatment. The covariance of A and B against base C is
        ``(v_AC + v_BC - v_AB) / 2``. Triangles that rounding leaves open by up to `OPEN_TRIANGLE`
        are closed by unweighted least squares.

    Raises
    ------
    ValueError
        If a comparison is missing or occurs twice, triangles are open by more, or the standard
        errors contradict one another.
    """
    effect, se = np.asarray(effects, dtype=float), np.asarray(ses, dtype=float)
    if not len(first) == len(second) == effect.size == se.size:
        raise ValueError(f"{study}: one effect and one standard error a comparison are needed")
    names = sorted({*first, *second})
    place = {name: i for i, name in enumerate(names)}
    difference = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(difference, 0.0)
    variance = np.zeros_like(difference)
    for a, b, y, s in zip(first, second, effect, se, strict=True):
        i, j = place[a], place[b]
        if i == j or not np.isnan(difference[i, j]):
            raise ValueError(f"{study}: {a} against {b} occurs twice, or is one treatment")
        difference[i, j], difference[j, i] = y, -y
        variance[i, j] = variance[j, i] = s**2
    if np.isnan(difference).any():
        raise ValueError(
            f"{study}: {len(names)} arms have {len(names) * (len(names) - 1) // 2} comparisons, "
            f"not {effect.size}"
        )
    level = difference.mean(axis=1)
    closed = level[:, None] - level[None, :]
    opening = float(np.abs(closed - difference).max()) * len(names)
    if opening > OPEN_TRIANGLE:
        by = f"{opening:.3f} on the analysis scale"
        raise ValueError(f"{study}: its comparisons contradict one another by {by}")
    to_base = variance[0, 1:]
    covariance = (to_base[:, None] + to_base[None, :] - variance[1:, 1:]) / 2
    return StudyContrasts(study, tuple(names), closed[1:, 0], covariance)
