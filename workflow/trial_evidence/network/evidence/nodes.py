"""The nodes of a network: regimens including their partner, their names and their components."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from trial_evidence.config.configuration import NO_AGENT
from trial_evidence.extract.regimens import regimen_label
from trial_evidence.words.printed import capital

# Component of regimens whose agents are given one after the other, in addition to the agents: their
# effect need not be that of the agents given together.
SEQUENCE = "in sequence"
NO_PARTNER = "none"
# Of the node of a mixed arm: no agents follow each other.
NO_SCHEDULE = "concurrent"


class Parts(NamedTuple):
    """The parts of a regimen; ``own`` holds the label of an arm that is its own node."""

    agents: tuple[str, ...]
    schedule: str
    partner: str
    own: tuple[str, ...]


def parts_of(regimen: str) -> Parts:
    """Split a regimen id into agents, schedule, partner and own label, joined by ``|``."""
    agents, schedule, partner, *own = regimen.split("|")
    agent_set = () if agents == NO_AGENT else tuple(agents.split("+"))
    return Parts(agent_set, schedule, partner, tuple(own))


def regimen_as_node(regimen: str, own: str | None, mixed: str | None) -> str:
    """The regimen id of an arm, with its own label; of a mixed arm, only its name."""
    if mixed:
        return f"{NO_AGENT}|{NO_SCHEDULE}|{NO_PARTNER}|{mixed}"
    return f"{regimen}|{own}" if own else regimen


def is_own_node(regimen: str) -> bool:
    """Whether an arm with this id is a node of its own, or mixed."""
    return regimen.count("|") > 2


@dataclass(frozen=True)
class Node:
    """A regimen as a node of a network.

    Attributes
    ----------
    code : str
        Short name for matrices and figures, unique within its network.
    label : str
        The regimen in words.
    components : tuple of str
        Agents, then the partner, then ``in sequence`` if agents follow each other, then the label
        of an arm that is its own node; of a mixed arm only this; none for a placebo alone.
    """

    code: str
    label: str
    components: tuple[str, ...]


def component_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Names of components that differ from their ids, from the labels of the agents."""
    return {**labels, "endocrine": "endocrine therapy"}


def explained(short: str, label: str, long: str) -> str:
    """An abbreviation of a code in words, with the short name of the agent if it is another."""
    return f"{short}: {long or label}{f' ({label})' if long and label != short else ''}"


def nodes_of(
    regimens: Iterable[str], labels: Mapping[str, str], abbreviations: Mapping[str, str]
) -> dict[str, Node]:
    """Describe regimens as nodes.

    Parameters
    ----------
    regimens : iterable of str
        Agents, schedule and partner joined by ``|``.
    labels : mapping
        Agent -> short name, as given by :func:`trial_evidence.extract.regimens.agent_labels`.
    abbreviations : mapping
        Agent or partner -> abbreviation, in the order used in codes; those without one are called
        by name and come last.

    Returns
    -------
    dict
        Regimen (the id of the node: agents, schedule, partner and, for an arm that is its own
        node, its label, joined by ``|``) -> node, in alphabetical order of the regimens.
    """
    order = {name: place for place, name in enumerate(abbreviations)}
    found: dict[str, Node] = {}
    for regimen in sorted(set(regimens)):
        agent_set, schedule, partner, own = parts_of(regimen)
        partners = () if partner == NO_PARTNER else (partner,)
        sequence = (SEQUENCE,) if schedule == "sequential" else ()
        named = sorted(agent_set, key=lambda a: (order.get(a, len(order)), a))
        shown = [abbreviations.get(name, name) for name in (*named, *partners)]
        label = ", ".join([regimen_label(agent_set, schedule, partner, labels), *own])
        code = " ".join(["+".join(shown) or "placebo", *(["seq"] if sequence else []), *own])
        if own and not shown:
            code = label = capital(own[0])
        if code in {node.code for node in found.values()}:
            # Two agents may share an abbreviation by mistake; codes must still distinguish nodes.
            code = f"{code} ({regimen})"
        found[regimen] = Node(code, label, (*agent_set, *partners, *sequence, *own))
    return found
