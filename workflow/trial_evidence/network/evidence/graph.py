"""Which treatments were compared directly, and in which designs."""

from dataclasses import dataclass
from itertools import combinations

from trial_evidence.network.evidence.contrasts import NetworkData


@dataclass(frozen=True)
class DirectComparison:
    """Two treatments that at least one study compares directly.

    Attributes
    ----------
    pair : tuple of str
        The treatments, in alphabetical order.
    studies : tuple of str
        Studies with both.
    multi_arm : int
        How many of them have further arms.
    """

    pair: tuple[str, str]
    studies: tuple[str, ...]
    multi_arm: int


@dataclass(frozen=True)
class Design:
    """The studies that compare the same set of treatments.

    Attributes
    ----------
    treatments : tuple of str
        In alphabetical order.
    studies : tuple of str
        Their names.
    """

    treatments: tuple[str, ...]
    studies: tuple[str, ...]


def direct_comparisons(data: NetworkData) -> tuple[DirectComparison, ...]:
    """The edges of the network graph.

    Parameters
    ----------
    data : NetworkData
        The network.

    Returns
    -------
    tuple of DirectComparison
        In alphabetical order.
    """
    found: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for study in data.studies:
        for pair in combinations(sorted(study.treatments), 2):
            found.setdefault(pair, []).append((study.study, len(study.treatments) > 2))
    return tuple(
        DirectComparison(pair, tuple(name for name, _ in of), sum(several for _, several in of))
        for pair, of in sorted(found.items())
    )


def designs(data: NetworkData) -> tuple[Design, ...]:
    """The designs of the studies.

    Parameters
    ----------
    data : NetworkData
        The network.

    Returns
    -------
    tuple of Design
        Sorted by number of arms, then alphabetically.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for study in data.studies:
        found.setdefault(tuple(sorted(study.treatments)), []).append(study.study)
    ordered = sorted(found.items(), key=lambda item: (len(item[0]), item[0]))
    return tuple(Design(treatments, tuple(names)) for treatments, names in ordered)
