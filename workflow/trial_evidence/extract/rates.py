"""Rates of single arms: every arm that got a regimen, single-arm cohorts included."""

from typing import Any

import pandas as pd

from trial_evidence.config.configuration import RateAnalysis
from trial_evidence.extract.columns import OF_COUNTS
from trial_evidence.extract.comparisons import Records
from trial_evidence.extract.context import Context, aside_record, unusable, where
from trial_evidence.extract.regimens import regimen_label
from trial_evidence.extract.selection import WHOLE, choose_among, level_sets


def rate_evidence(context: Context, analysis: RateAnalysis) -> tuple[Records, Records]:
    """Rows used and set aside, one used row a trial, regimen and level."""
    used: Records = []
    aside: Records = []
    levels = [level for group in level_sets(analysis.effect_modifiers) for level in group]
    for _, arms in context.arms.groupby(["trial_id", "regimen"], sort=False):
        for level in levels:
            record, left = _arm_rate(context, analysis, arms, level)
            used += [record] if record else []
            aside += left
    return used, aside


def _arm_rate(
    context: Context, analysis: RateAnalysis, arms: pd.DataFrame, level: str
) -> tuple[dict[str, Any] | None, Records]:
    """Rate of one regimen in one trial; arms with the same regimen are added up."""
    first = arms.iloc[0]
    levels = [level]
    restricted = context.populations
    inside = restricted["trial_id"] == first["trial_id"]
    if level in set(restricted.loc[inside, "subgroup"]):
        levels.append(WHOLE)
    candidates = context.candidates(analysis, list(arms["arm_id"]), levels)
    kept_out = unusable(candidates, context.selection)
    usable = {row["arm_id"] for label, row in candidates.items() if label not in kept_out}
    # An arm without an admitted row is no reason to leave out the others that got the regimen.
    reported = [arm for arm in arms["arm_id"] if arm in usable]
    choice = choose_among(
        candidates,
        [where({"arm_id": arm}) for arm in reported],
        context.selection.of(analysis.table),
        ["definition"],
        kept_out,
    )
    aside = [
        aside_record(context, analysis.id, (level,), analysis.table, candidates[label], reason)
        for label, reason in choice.set_aside.items()
    ]
    if not choice.taken:
        return None, aside
    taken = pd.DataFrame([candidates[label] for label in choice.taken])
    trial_id, source = first["trial_id"], taken["source_id"].iloc[0]
    record = {
        **context.about(analysis.id, trial_id, reported, level, source),
        **{c: "; ".join(dict.fromkeys(taken[c])) for c in (*OF_COUNTS, "note")},
        "measure": "proportion",
        "regimen": first["regimen"],
        "regimen_label": regimen_label(
            first["agent_set"], first["her2_schedule"], first["partner"], context.labels
        ),
        "agents": "+".join(first["agent_set"]),
        "schedule": first["her2_schedule"],
        "partner": first["partner"],
        "arm_ids": ";".join(taken["arm_id"]),
        "events": taken["events"].sum(),
        "n": taken["n"].sum(),
        "randomised": context.trials[trial_id]["randomised"],
        "rows": ";".join(taken["row"].astype(str)),
    }
    return record, aside
