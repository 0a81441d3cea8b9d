"""Contrasts: two arms of one randomised trial, their kind and the agents added."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import pandas as pd

from trial_evidence.config.configuration import NO_AGENT, Analysis
from trial_evidence.files import records

_COUNT_WORDS = {1: "single", 2: "dual", 3: "triple"}


class Contrast(NamedTuple):
    """An experimental and a control arm of one randomised trial.

    ``added_agents`` are those of the experimental arm that the control arm lacks.
    ``changed_backbone`` is true where the experimental arm holds, in place of an antibody of the
    control arm, a conjugate made of it.
    """

    trial_id: str
    experimental_arm_id: str
    control_arm_id: str
    kind: str
    added_agents: str
    experimental_agents: str
    control_agents: str
    experimental_partner: str
    control_partner: str
    same_partner: bool
    changed_backbone: bool


def trial_contrasts(arms: pd.DataFrame, trials: pd.DataFrame, agents: pd.DataFrame) -> pd.DataFrame:
    """All contrasts of the randomised trials, each pair of arms once.

    The arm with more HER2 agents is experimental; with equal numbers the one whose antibody is
    replaced by a conjugate, then the one without chemotherapy, then the later one in the sheet.

    Parameters
    ----------
    arms : DataFrame
        As :func:`trial_evidence.extract.regimens.arm_regimens` returns them.
    trials : DataFrame
        ``trial_id`` and ``randomised``.
    agents : DataFrame
        ``agent`` and ``parent_antibody`` (empty where the agent is no conjugate).

    Returns
    -------
    DataFrame
        One row a contrast, the fields of :class:`Contrast` as columns.
    """
    randomised = set(trials.loc[trials["randomised"] == "yes", "trial_id"])
    pairs = zip(agents["agent"], agents["parent_antibody"], strict=True)
    parents = {agent: parent for agent, parent in pairs if parent}
    inside = arms[arms["trial_id"].isin(randomised)]
    contrasts = [
        contrast
        for trial_id, group in inside.groupby("trial_id", sort=False)
        for contrast in _pairs(str(trial_id), group, parents)
    ]
    return pd.DataFrame(contrasts, columns=list(Contrast._fields))


def matches(contrasts: pd.DataFrame, analysis: Analysis) -> pd.DataFrame:
    """The contrasts that an analysis takes, preferred control arms first.

    Parameters
    ----------
    contrasts : DataFrame
        Of the trials of the analysis's setting.
    analysis : Analysis
        Its ``contrast`` rule names the kind and, where stated, the control arms in order of
        preference, whether the partner is the same and whether the backbone has changed.

    Returns
    -------
    DataFrame
        The matching contrasts, ordered by trial (as in the sheet) and preference.
    """
    rule = analysis.contrast
    fits = contrasts["kind"] == rule.kind
    if rule.same_partner is not None:
        fits &= contrasts["same_partner"] == rule.same_partner
    if rule.changed_backbone is not None:
        fits &= contrasts["changed_backbone"] == rule.changed_backbone
    found = contrasts[fits]
    if rule.control is None:
        return found
    found = found[found["control_agents"].isin(rule.control)]
    orders = {"trial_id": list(found["trial_id"].unique()), "control_agents": list(rule.control)}
    return found.sort_values(list(orders), key=lambda c: c.map(orders[str(c.name)].index))


def _pairs(trial_id: str, group: pd.DataFrame, parents: Mapping[str, str]) -> Iterator[Contrast]:
    for earlier, later in combinations(records(group), 2):
        experimental, control = sorted(
            # Of arms that are alike in what they are sorted by, the later one stays in front.
            (later, earlier),
            key=lambda arm: (
                arm["n_agents"],
                sum(agent in parents for agent in arm["agent_set"]),
                arm["partner"] != "chemotherapy",
            ),
            reverse=True,
        )
        given, compared = experimental["agent_set"], control["agent_set"]
        added = [agent for agent in given if agent not in compared]
        yield Contrast(
            trial_id=trial_id,
            experimental_arm_id=experimental["arm_id"],
            control_arm_id=control["arm_id"],
            kind=_kind(experimental, control),
            added_agents="+".join(added) or NO_AGENT,
            experimental_agents="+".join(given) or NO_AGENT,
            control_agents="+".join(compared) or NO_AGENT,
            experimental_partner=experimental["partner"],
            control_partner=control["partner"],
            same_partner=experimental["partner"] == control["partner"],
            changed_backbone=any(parents.get(a) in set(compared) - set(given) for a in added),
        )


def _kind(experimental: Mapping[str, Any], control: Mapping[str, Any]) -> str:
    arms = (experimental, control)
    if "sequential" in [arm["her2_schedule"] for arm in arms]:
        return "sequential"
    if experimental["agent_set"] == control["agent_set"]:
        swapped = experimental["partner"] != "chemotherapy" and control["partner"] == "chemotherapy"
        return "chemotherapy-free" if swapped else "same HER2 regimen"
    return " v ".join(
        _COUNT_WORDS.get(arm["n_agents"], f"{arm['n_agents']} agents") for arm in arms
    )
