"""The regimen of every arm: its HER2 agents and their number, schedule and partner."""

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from trial_evidence.config.configuration import NO_AGENT

# The label of an agent with its short form in brackets.
_SHORT_FORM = re.compile(r"(?P<long>.*\S)\s*\((?P<short>[^()]+)\)")
WITHOUT_AGENT = {"chemotherapy": "Chemotherapy alone", "endocrine": "Endocrine therapy alone"}
PARTNER_WORDS = {
    "chemotherapy": "with chemotherapy",
    "endocrine": "with endocrine therapy",
    "none": "alone",
}


def agent_labels(agents: pd.DataFrame) -> dict[str, str]:
    """Short names of the agents, as printed in figures.

    A label of the form ``long name (SHORT)`` gives its short form, any other is used as it is.

    Parameters
    ----------
    agents : DataFrame
        Columns ``agent`` and ``label``.

    Returns
    -------
    dict
        agent id -> label.
    """
    return {agent: short or long for agent, (long, short) in _names(agents).items()}


def spelled_out(agents: pd.DataFrame) -> dict[str, str]:
    """Agent id -> long name, for agents whose label has a short form."""
    return {agent: long for agent, (long, short) in _names(agents).items() if short}


def _names(agents: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Agent id -> long name, and the short form in brackets at its end, if there is one."""
    found = ((label, _SHORT_FORM.fullmatch(label)) for label in agents["label"])
    names = [(match["long"], match["short"]) if match else (label, "") for label, match in found]
    return dict(zip(agents["agent"], names, strict=True))


def with_labels(text: str, labels: Mapping[str, str]) -> str:
    """The text with every id (of an agent or component) replaced by its label, if it has one."""
    ids = "|".join(map(re.escape, sorted(filter(None, labels), key=len, reverse=True)))
    return re.sub(rf"(?<![\w-])(?:{ids})(?![\w-])", lambda m: labels[m[0]], text) if ids else text


def joined(agents: Iterable[str]) -> str:
    """Ids of agents joined by ``+``, as in the sheet; ``none`` for no agent."""
    return "+".join(agents) or NO_AGENT


def join_agents(agents: Iterable[str], labels: Mapping[str, str]) -> str:
    """Agents as a readable phrase: ``A + b``; ``none`` for no agent.

    Only the first name keeps its capital letter; abbreviations always keep theirs.
    """
    names = [labels.get(agent, agent) for agent in agents]
    if not names:
        return NO_AGENT
    rest = [n if n[1:] != n[1:].lower() else n[0].lower() + n[1:] for n in names[1:]]
    return " + ".join([names[0], *rest])


def arm_regimens(arms: pd.DataFrame) -> pd.DataFrame:
    """Add the regimen of every arm.

    Parameters
    ----------
    arms : DataFrame
        The sheet's arms: ``trial_id``, ``arm_id``, ``agents`` (joined by ``+``, empty for none),
        ``her2_schedule``, ``partner``.

    Returns
    -------
    DataFrame
        The arms with ``agent_set`` (tuple in alphabetical order), ``n_agents`` and ``regimen``
        (the same for all arms with the same agents, schedule and partner).
    """
    sets = [tuple(sorted(filter(None, cell.split("+")))) for cell in arms["agents"]]
    given = pd.Series([joined(agents) for agents in sets], arms.index, dtype="str")
    return arms.assign(
        agent_set=pd.Series(sets, index=arms.index, dtype=object),
        n_agents=[len(agents) for agents in sets],
        regimen=given + "|" + arms["her2_schedule"] + "|" + arms["partner"],
    )


def regimen_label(
    agent_set: Iterable[str], schedule: str, partner: str, labels: Mapping[str, str]
) -> str:
    """A regimen in words: agents, "in sequence" if sequential, and the partner."""
    agents = tuple(agent_set)
    if not agents:
        # After others, a placebo or observation is not the same as without any.
        none = "No further HER2 agent" if schedule == "sequential" else "No HER2 agent"
        return WITHOUT_AGENT.get(partner, none)
    given = PARTNER_WORDS.get(partner, partner)
    if schedule == "sequential":
        given = "in sequence" if partner == "none" else f"in sequence {given}"
    return f"{join_agents(agents, labels)} {given}"
