"""Factorial trials: arms with A, with B and with both, identified by the agents in their arms."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby


@dataclass(frozen=True)
class Arm:
    """Counts of one arm.

    Attributes
    ----------
    trial, arm : str
        Names.
    agents : tuple of str
        Agents under study; empty for none.
    schedule, partner : str
        ``concurrent`` or other, and the partner given with the agents.
    events, n : float
        Patients with a response and patients analysed.
    """

    trial: str
    arm: str
    agents: tuple[str, ...]
    schedule: str
    partner: str
    events: float
    n: float


@dataclass(frozen=True)
class FactorialTrial:
    """A trial with arms A, B and A+B, the same partner in all.

    Attributes
    ----------
    trial : str
        Name.
    first, second, both : Arm
        The single arms, in alphabetical order of their agents, and the one with the agents of both.
    neither : Arm or None
        The arm with the partner alone.
    """

    trial: str
    first: Arm
    second: Arm
    both: Arm
    neither: Arm | None

    @property
    def arms(self) -> tuple[Arm, ...]:
        """First, second, both and, if there is one, neither."""
        return (self.first, self.second, self.both, *([self.neither] if self.neither else []))


def factorial_trials(
    arms: Iterable[Arm],
) -> tuple[tuple[FactorialTrial, ...], list[tuple[str, str]]]:
    """Trials with arms A, B and A+B, identified by the agents in their arms.

    The arms have the same partner, and the agents are given concurrently. A and B are any two
    disjoint sets of agents. An arm without agents and with the same partner is the arm with
    neither.

    Parameters
    ----------
    arms : iterable of Arm
        Randomised arms with counts of one outcome, in any order.

    Returns
    -------
    trials : tuple of FactorialTrial
        Each trial once, by name. If a trial has several such sets of arms, one that includes an arm
        with neither is preferred, then the one with most patients.
    set_aside : list of (str, str)
        The others: trial and reason.
    """
    found, set_aside = [], []
    ordered = sorted(arms, key=lambda arm: (arm.trial, arm.partner, sorted(arm.agents), arm.arm))
    for trial, group in groupby(ordered, key=lambda arm: arm.trial):
        candidates = sorted(
            _factorial_sets(list(group)),
            key=lambda one: (one.neither is None, -sum(arm.n for arm in one.arms)),
        )
        found += candidates[:1]
        named = [", ".join(arm.arm for arm in one.arms) for one in candidates]
        set_aside += [
            (trial, f"arms {other}: the trial counts once, with {named[0]}") for other in named[1:]
        ]
    return tuple(found), set_aside


def _factorial_sets(arms: Sequence[Arm]) -> Iterator[FactorialTrial]:
    concurrent = [arm for arm in arms if arm.agents and arm.schedule == "concurrent"]
    for first, second in combinations(concurrent, 2):
        together, partner = {*first.agents, *second.agents}, first.partner
        if partner != second.partner or len(together) < len(first.agents) + len(second.agents):
            continue
        neither: list[Arm | None] = [
            arm for arm in arms if not arm.agents and arm.partner == partner
        ]
        for both in concurrent:
            if set(both.agents) == together and both.partner == partner:
                for none in neither or [None]:
                    yield FactorialTrial(first.trial, first, second, both, none)
