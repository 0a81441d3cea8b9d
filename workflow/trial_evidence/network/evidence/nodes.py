"""The nodes of a network: regimens with their partner, how they are called and what is in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from trial_evidence.config.configuration import NO_AGENT
from trial_evidence.extract.regimens import regimen_label

# A regimen whose agents follow each other holds this component besides its agents: given in
# sequence they need not do what they do together.
SEQUENCE = "in sequence"
NO_PARTNER = "none"


class Parts(NamedTuple):
    """What a regimen is made of; ``own`` holds the word of an arm that is a node of its own."""

    agents: tuple[str, ...]
    schedule: str
    partner: str
    own: tuple[str, ...]


def parts_of(regimen: str) -> Parts:
    """Take a regimen apart: agents, schedule, partner and such a word are joined by ``|``."""
    agents, schedule, partner, *own = regimen.split("|")
    agent_set = () if agents == NO_AGENT else tuple(agents.split("+"))
    return Parts(agent_set, schedule, partner, tuple(own))


@dataclass(frozen=True)
class Node:
    """A regimen as a node of a network.

    Attributes
    ----------
    regimen : str
        Agents, schedule, partner and, for an arm that is a node of its own, its word, joined by
        ``|``: the node's id.
    code : str
        Short name for matrices and figures, unlike any other of its network.
    label : str
        The regimen in words.
    components : tuple of str
        Agents, then the partner, then, where agents follow each other, ``in sequence``, then the
        word of a node of its own; none for a placebo alone.
    """

    regimen: str
    code: str
    label: str
    components: tuple[str, ...]


def component_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Component -> its name, where that is not its id; from the labels of the agents."""
    return {**labels, "endocrine": "endocrine therapy"}


def nodes_of(
    regimens: Iterable[str], labels: Mapping[str, str], abbreviations: Mapping[str, str]
) -> dict[str, Node]:
    """Describe regimens as nodes.

    Parameters
    ----------
    regimens : iterable of str
        Agents, schedule and partner joined by ``|``.
    labels : mapping
        Agent -> short name, as :func:`trial_evidence.extract.regimens.agent_labels` gives them.
    abbreviations : mapping
        Agent or partner -> abbreviation, in the order in which codes list them; what has none is
        called by its name and stands last.

    Returns
    -------
    dict
        Regimen -> node, in alphabetical order of the regimens.
    """
    order = {name: place for place, name in enumerate(abbreviations)}
    found: dict[str, Node] = {}
    for regimen in sorted(set(regimens)):
        agent_set, schedule, partner, own = parts_of(regimen)
        partners = () if partner == NO_PARTNER else (partner,)
        sequence = (SEQUENCE,) if schedule == "sequential" else ()
        named = sorted(agent_set, key=lambda a: (order.get(a, len(order)), a))
        shown = [abbreviations.get(name, name) for name in (*named, *partners)]
        code = "+".join(shown) or "placebo"
        code = " ".join([code, *(["seq"] if sequence else []), *own])
        if code in {node.code for node in found.values()}:
            # Two agents may share an abbreviation by mistake; ids must still tell nodes apart.
            code = f"{code} ({regimen})"
        found[regimen] = Node(
            regimen=regimen,
            code=code,
            label=", ".join([regimen_label(agent_set, schedule, partner, labels), *own]),
            components=(*agent_set, *partners, *sequence, *own),
        )
    return found
