"""Which trials identify an interaction of components, and what they have to suppose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from trial_evidence.network.components.additive import Components
from trial_evidence.network.evidence.contrasts import NetworkData, StudyContrasts


@dataclass(frozen=True)
class Identification:
    """What an interaction rests on.

    Attributes
    ----------
    alone : tuple of str
        Studies that determine it by themselves: with all of the components, each of them and none.
    with_pair : bool
        Whether the studies that hold all the components determine it without any other.
    beside : tuple of (str, tuple of (str, str))
        Where they do not: each study that completes them, and the pairs of components that have to
        be additive for that.
    needed : bool
        Whether nothing else determines it: without the studies ``beside`` it cannot be estimated.
    """

    alone: tuple[str, ...]
    with_pair: bool
    beside: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    needed: bool


def identification(
    data: NetworkData, components: Components, interaction: Sequence[str]
) -> Identification:
    """Which studies identify an interaction that the whole network determines."""
    together = set(interaction)

    def held(compared: Iterable[tuple[str, ...]]) -> set[str]:
        return {c for treatments in compared for t in treatments for c in components[t]}

    # Studies that compare the same treatments tell the same.
    @cache
    def determined(compared: frozenset[tuple[str, ...]], *others: tuple[str, str]) -> bool:
        """Whether the differences between arms tell the interaction from all other terms."""
        names = held(compared)
        if not together <= names:
            return False
        pairs = [set(pair) for pair in others if set(pair) <= names]
        terms = [together, *({name} for name in names), *pairs]
        rows = [
            [(term <= set(components[t])) - (term <= set(components[base])) for term in terms]
            for base, *treatments in compared
            for t in treatments
        ]
        asked = np.eye(1, len(terms))
        return bool(np.linalg.matrix_rank(np.vstack([rows, asked])) == np.linalg.matrix_rank(rows))

    def compared(studies: Iterable[StudyContrasts]) -> frozenset[tuple[str, ...]]:
        return frozenset(study.treatments for study in studies)

    def holds(study: StudyContrasts) -> bool:
        return any(together <= set(components[t]) for t in study.treatments)

    own = compared(filter(holds, data.studies))
    rest = [study for study in data.studies if not holds(study)]
    alone = tuple(study.study for study in data.studies if determined(compared([study])))
    if determined(own):
        return Identification(alone, True, (), False)
    beside = []
    for study in rest:
        completed = own | {study.treatments}
        if determined(completed):
            pairs = [p for p in combinations(sorted(held(completed)), 2) if set(p) != together]
            supposed = tuple(p for p in pairs if not determined(completed, p))
            beside.append((study.study, supposed))
    named = {name for name, _ in beside}
    others = compared(study for study in data.studies if study.study not in named)
    return Identification(alone, False, tuple(beside), bool(beside) and not determined(others))
