"""Contrasts between two arms of a randomised trial: their kind and the agents added."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import ANY_OTHER, Analysis
from trial_evidence.extract.regimens import arm_regimens, joined
from trial_evidence.files import Record, records, records_by
from trial_evidence.sheet import Sheet

Arm = Mapping[str, Any]
CONTRAST_COLUMNS = [
    "trial_id", "experimental_arm_id", "control_arm_id", "kind", "added_agents",
    "experimental_agents", "control_agents", "experimental_partner", "control_partner",
    "same_partner", "changed_backbone",
]  # fmt: skip
_COUNT_WORDS = {1: "single", 2: "dual", 3: "triple"}


def trial_contrasts(arms: pd.DataFrame, trials: pd.DataFrame, agents: pd.DataFrame) -> pd.DataFrame:
    """All contrasts in the randomised trials.

    The experimental arm is the one with more HER2 agents; if equal, the one with more conjugates;
    then the one without chemotherapy; then the later one in the sheet. In this last case, a second
    row has the arms ``turned``, for analyses that name the agents of the control arm.

    Parameters
    ----------
    arms : DataFrame
        As returned by :func:`trial_evidence.extract.regimens.arm_regimens`.
    trials : DataFrame
        Columns ``trial_id`` and ``randomised``.
    agents : DataFrame
        Columns ``agent`` and ``parent_antibody`` (empty if the agent is not a conjugate).

    Returns
    -------
    DataFrame
        Columns `CONTRAST_COLUMNS` and ``turned``. ``added_agents`` are the experimental arm's
        agents that the control arm lacks; ``changed_backbone`` is true if the experimental arm
        replaces an antibody of the control arm by a conjugate made from it.
    """
    randomised = set(trials.loc[trials["randomised"] == "yes", "trial_id"])
    parents = dict(zip(agents["agent"], agents["parent_antibody"], strict=True))
    inside = arms[arms["trial_id"].isin(randomised)]
    rows: list[Record] = []
    for group in records_by(inside, "trial_id").values():
        for earlier, later in combinations(group, 2):
            ranks = [_rank(arm, parents) for arm in (earlier, later)]
            arms_ordered = (earlier, later) if ranks[0] > ranks[1] else (later, earlier)
            rows.append({**_contrast(*arms_ordered, parents), "turned": False})
            if ranks[0] == ranks[1]:
                rows.append({**_contrast(earlier, later, parents), "turned": True})
    return pd.DataFrame(rows, columns=[*CONTRAST_COLUMNS, "turned"])


def contrasts_of_setting(sheet: Sheet, setting: str) -> pd.DataFrame:
    """The contrasts of one setting, as returned by `trial_contrasts`."""
    trials, arms = sheet["trials"], sheet["arms"]
    trials = trials[trials["setting"] == setting]
    arms = arms[arms["trial_id"].isin(trials["trial_id"])]
    return trial_contrasts(arm_regimens(arms), trials, sheet["agents"])


def _contrast(experimental: Arm, control: Arm, parents: Mapping[str, str]) -> Record:
    """The row of a contrast."""
    given, other = experimental["agent_set"], control["agent_set"]
    added = [agent for agent in given if agent not in other]
    replaced = set(other) - set(given)
    return {
        "trial_id": experimental["trial_id"],
        "experimental_arm_id": experimental["arm_id"],
        "control_arm_id": control["arm_id"],
        "kind": _kind(experimental, control),
        "added_agents": joined(added),
        "experimental_agents": joined(given),
        "control_agents": joined(other),
        "experimental_partner": experimental["partner"],
        "control_partner": control["partner"],
        "same_partner": experimental["partner"] == control["partner"],
        "changed_backbone": any(parents.get(agent) in replaced for agent in added),
    }


def matches(contrasts: pd.DataFrame, analysis: Analysis) -> dict[str, list[Record]]:
    """The contrasts that an analysis admits, by trial, preferred control arms first.

    Parameters
    ----------
    contrasts : DataFrame
        Contrasts of the trials in the analysis's setting, as returned by `trial_contrasts`.
    analysis : Analysis
        Its ``contrast`` rule gives the kind and, optionally, the arms in order of preference,
        whether the partner is the same and whether the backbone has changed.
    """
    rule = vars(analysis.contrast)
    # Column -> the values that the rule admits in it, in order of preference.
    orders = {f"{side}_agents": rule[side] for side in ("control", "experimental") if rule[side]}
    single = ("kind", "same_partner", "changed_backbone")
    orders |= {column: (rule[column],) for column in single if rule[column] is not None}
    found: dict[str, list[Record]] = {}
    for row in records(contrasts):
        if all(row[column] in order or ANY_OTHER in order for column, order in orders.items()):
            found.setdefault(row["trial_id"], []).append(row)
    for trial, rows in found.items():
        # Turned only if the rule asks for these agents in the control arm.
        straight = {_pair(row) for row in rows if not row["turned"]}
        found[trial] = [r for r in rows if not r["turned"] or _pair(r)[::-1] not in straight]

    def ranks(row: Record) -> list[int]:
        asked = [(row[column], order) for column, order in orders.items()]
        return [order.index(value if value in order else ANY_OTHER) for value, order in asked]

    for rows in found.values():
        rows.sort(key=ranks)
    return found


def _pair(row: Record) -> tuple[str, str]:
    return row["experimental_arm_id"], row["control_arm_id"]


def _rank(arm: Arm, parents: Mapping[str, str]) -> tuple[int, int, bool]:
    """Of two arms, the one of higher rank is experimental."""
    conjugates = sum(bool(parents.get(agent)) for agent in arm["agent_set"])
    return arm["n_agents"], conjugates, arm["partner"] != "chemotherapy"


def _kind(experimental: Arm, control: Arm) -> str:
    arms = (experimental, control)
    if "sequential" in [arm["her2_schedule"] for arm in arms]:
        return "sequential"
    if experimental["agent_set"] == control["agent_set"]:
        swapped = experimental["partner"] != "chemotherapy" and control["partner"] == "chemotherapy"
        return "chemotherapy-free" if swapped else "same HER2 regimen"
    return " v ".join(
        _COUNT_WORDS.get(arm["n_agents"], f"{arm['n_agents']} agents") for arm in arms
    )
