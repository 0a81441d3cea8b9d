"""Evidence of comparisons: of each trial the first contrast with a complete set of rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import NO_AGENT, Analysis
from trial_evidence.extract.columns import USED_COLUMNS
from trial_evidence.extract.context import Context, aside_record, both, unusable, where
from trial_evidence.extract.regimens import join_agents
from trial_evidence.extract.selection import WHOLE, Choice, Record, choose_among
from trial_evidence.files import records

NO_STANDARD_ERROR = "no interval, exact p value or events: the standard error is not known"
Records = list[dict[str, Any]]


def trial_evidence(
    context: Context, analysis: Analysis, contrasts: pd.DataFrame, levels: tuple[str, ...]
) -> tuple[Records, Records]:
    """Rows used and set aside of one trial."""
    used: Records = []
    reasons: dict[int, str] = {}
    rows = context.rows[analysis.table]
    counted = analysis.kind == "counts"
    for contrast in records(contrasts):
        candidates, choice = _choose(context, analysis, contrast, levels)
        if used:
            pair = f"{used[0]['experimental_arm_id']} v {used[0]['control_arm_id']}"
            kept_out = unusable(candidates, context.selection)
            reasons |= {
                label: kept_out.get(label, f"the trial counts once, with {pair}")
                for label in candidates
                if label not in reasons
            }
            continue
        reasons |= choice.set_aside
        if choice.taken is not None:
            taken = [rows[label] for label in choice.taken]
            reasons = {k: v for k, v in reasons.items() if k not in choice.taken}
            make = _count_records if counted else _contrast_records
            used = list(make(context, analysis, contrast, levels, taken))
    taken_rows = {row for record in used for row in record["rows"].split(";")}
    aside = [
        aside_record(context, analysis.id, levels, analysis.table, rows[label], reason)
        for label, reason in sorted(reasons.items())
        if str(rows[label]["row"]) not in taken_rows
    ]
    return used, aside


def _choose(
    context: Context, analysis: Analysis, contrast: Mapping[str, Any], levels: tuple[str, ...]
) -> tuple[dict[int, Record], Choice]:
    """Rows of a contrast that the analysis may take, and which of them it takes."""
    arms = (contrast["experimental_arm_id"], contrast["control_arm_id"])
    candidates = context.candidates(analysis, arms, levels)
    orders = context.selection.of(analysis.table)
    kept_out: dict[int, str] = {}
    if analysis.kind == "counts":
        several = ["outcome"] if len(analysis.endpoints) > 1 else []
        orders = {**dict.fromkeys(several, analysis.endpoints), **orders}
        wanted = [where({"arm_id": arm, "subgroup": level}) for level in levels for arm in arms]
        together = [*several, "definition"]
    else:
        candidates = {label: r for label, r in candidates.items() if r["control_arm_id"] in arms}
        no_error = [label for label, row in candidates.items() if np.isnan(row["vi"])]
        kept_out = dict.fromkeys(no_error, NO_STANDARD_ERROR)
        orders = {"endpoint": analysis.endpoints, **orders}
        wanted = [where({"subgroup": level}) for level in levels]
        together = ["endpoint", "assessor", "analysis", "median_followup_months"]
    kept_out |= unusable(candidates, context.selection)
    return candidates, choose_among(candidates, wanted, orders, together, kept_out)


def _shared(
    context: Context, analysis: Analysis, contrast: Mapping[str, Any], level: str, row: Record
) -> dict[str, Any]:
    """The columns that do not depend on the kind of evidence."""
    trial_id = contrast["trial_id"]
    arms = (contrast["experimental_arm_id"], contrast["control_arm_id"])
    reason = context.excluded(trial_id, arms, analysis.id, level)
    names = {
        key: join_agents(_split(contrast[f"{key}_agents"]), context.labels)
        for key in ("experimental", "control", "added")
    }
    return {
        **{k: contrast[k] for k in contrast if k in USED_COLUMNS},
        **names,
        "setting": context.setting,
        "analysis": analysis.id,
        "outcome": context.label(row["outcome"]),
        "subgroup": level,
        "trial": context.trials[trial_id]["label"],
        "year": context.years.get(row["source_id"], np.nan),
        "pooled": "no" if reason else "yes",
        "not_pooled_reason": reason or "",
    }


def _count_records(
    context: Context,
    analysis: Analysis,
    contrast: Mapping[str, Any],
    levels: tuple[str, ...],
    taken: Sequence[Record],
) -> Iterator[dict[str, Any]]:
    for position, level in enumerate(levels):
        experimental, control = taken[2 * position], taken[2 * position + 1]
        notes = [arm.get("note", "") for arm in (experimental, control)]
        for measure in analysis.measures:
            yield {
                **_shared(context, analysis, contrast, level, experimental),
                "measure": measure,
                "events_experimental": experimental["events"],
                "n_experimental": experimental["n"],
                "events_control": control["events"],
                "n_control": control["n"],
                **{c: both(experimental.get(c, ""), control.get(c, ""))
                   for c in ("definition", "population", "assessor", "verification",
                             "derivation", "source_id", "locator")},
                "note": both(*notes) if all(notes) else "".join(notes),
                "rows": both(str(experimental["row"]), str(control["row"]), ";"),
                "inverted": "no",
            }  # fmt: skip


def _contrast_records(
    context: Context,
    analysis: Analysis,
    contrast: Mapping[str, Any],
    levels: tuple[str, ...],
    taken: Sequence[Record],
) -> Iterator[dict[str, Any]]:
    for level, row in zip(levels, taken, strict=True):
        inverted = row["experimental_arm_id"] == contrast["control_arm_id"]
        sides = ("experimental", "control")
        printed = dict(zip(sides, reversed(sides) if inverted else sides, strict=True))
        counts = {
            f"{what}_{side}": row[f"{what}_{printed[side]}"]
            for what in ("events", "n")
            for side in sides
        }
        # Patients are only counted here, never weighted by: the randomised number may stand in.
        for side in sides:
            if level == WHOLE and np.isnan(counts[f"n_{side}"]):
                counts[f"n_{side}"] = context.randomised[contrast[f"{side}_arm_id"]]
        yield {
            **_shared(context, analysis, contrast, level, row),
            "measure": analysis.measures[0],
            **counts,
            **{c: row[c] for c in ("hr", "ci_low", "ci_high", "ci_level", "p_value", "vi",
                                   "se_source", "endpoint", "median_followup_months", "assessor",
                                   "verification", "derivation", "source_id", "locator", "note")},
            "yi": -row["yi"] if inverted else row["yi"],
            "analysis_cut": row["analysis"],
            "rows": str(row["row"]),
            "inverted": "yes" if inverted else "no",
        }  # fmt: skip


def _split(agents: str) -> list[str]:
    return [] if agents == NO_AGENT else agents.split("+")
