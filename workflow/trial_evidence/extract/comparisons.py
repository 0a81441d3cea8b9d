"""Comparative evidence: for each trial, the first contrast with a complete set of rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from trial_evidence.config.configuration import Analysis
from trial_evidence.extract.columns import OF_CONTRASTS, OF_COUNTS, PUBLIC, USED_COLUMNS
from trial_evidence.extract.context import Context, aside_record, unusable, where
from trial_evidence.extract.regimens import join_agents
from trial_evidence.extract.selection import Choice, choose_among
from trial_evidence.files import Record
from trial_evidence.sheet.values import ALL
from trial_evidence.words.numbers import EN_DASH

# Value of the column ``derivation`` for a number exactly as published.
REPORTED = "reported"
NO_STANDARD_ERROR = "no interval, exact p value or events from which to compute the standard error"
SIDES = ("experimental", "control")
Records = list[dict[str, Any]]


def trial_evidence(
    context: Context, analysis: Analysis, contrasts: Iterable[Record], levels: tuple[str, ...]
) -> tuple[Records, Records]:
    """Rows used and rows set aside for one trial, from its contrasts in order of preference."""
    used: Records = []
    taken: tuple[int, ...] = ()
    reasons: dict[int, str] = {}
    rows = context.rows[analysis.table]

    def left_out(contrast: Record) -> bool:
        arms = [contrast[f"{side}_arm_id"] for side in SIDES]
        of_trial = partial(context.excluded, contrast["trial_id"], arms, analysis.id)
        return any(of_trial(level) is not None for level in levels)

    # A decision on one arm leaves the trial to its other arms; if none is left, it is shown.
    for contrast in sorted(contrasts, key=left_out):
        candidates, choice = _choose(context, analysis, contrast, levels)
        if used:
            pair = f"{used[0]['experimental_arm_id']} v {used[0]['control_arm_id']}"
            once = dict.fromkeys(candidates, f"the trial counts once, with {pair}")
            reasons = once | unusable(candidates, context.selection) | reasons
            continue
        reasons |= choice.set_aside
        if choice.taken is not None:
            taken = choice.taken
            found = [rows[label] for label in taken]
            used = list(_used_records(context, analysis, contrast, levels, found))
    aside = [
        aside_record(context, analysis.id, levels, analysis.table, rows[label], reason)
        for label, reason in sorted(reasons.items())
        if label not in taken
    ]
    return used, aside


def _choose(
    context: Context, analysis: Analysis, contrast: Mapping[str, Any], levels: tuple[str, ...]
) -> tuple[dict[int, Record], Choice]:
    """Candidate rows of a contrast, and the choice made among them."""
    arms = (contrast["experimental_arm_id"], contrast["control_arm_id"])
    candidates = context.candidates(analysis, arms, levels)
    orders = context.selection.ordered(analysis.table, analysis.selection)
    kept_out: dict[int, str] = {}
    if analysis.kind == "counts":
        several = ["outcome"] if len(analysis.endpoints) > 1 else []
        orders = {**dict.fromkeys(several, analysis.endpoints), **orders}
        wanted = [where({"arm_id": arm, "subgroup": level}) for level in levels for arm in arms]
        together = [*several, "definition", *(["source_id"] if analysis.harm else [])]
    else:
        candidates = {label: r for label, r in candidates.items() if r["control_arm_id"] in arms}
        no_error = [label for label, row in candidates.items() if np.isnan(row["vi"])]
        kept_out = dict.fromkeys(no_error, NO_STANDARD_ERROR)
        orders = {"endpoint": analysis.endpoints, **orders}
        wanted = [where({"subgroup": level}) for level in levels]
        together = ["endpoint", "assessor", "analysis", "median_followup_months"]
    kept_out |= unusable(candidates, context.selection)
    return candidates, choose_among(candidates, wanted, orders, together, kept_out)


def _used_records(
    context: Context,
    analysis: Analysis,
    contrast: Mapping[str, Any],
    levels: tuple[str, ...],
    taken: Sequence[Record],
) -> Iterator[dict[str, Any]]:
    """One row per level and measure, from the two arms' counts or from one row of contrasts."""
    arms = [contrast[f"{side}_arm_id"] for side in SIDES]
    regimens = {
        side: join_agents(contrast[f"{side}_agents"].split("+"), context.labels)
        for side in (*SIDES, "added")
    }
    counted = analysis.kind == "counts"
    of_levels = zip(taken[::2], taken[1::2], strict=True) if counted else zip(taken, strict=True)
    for level, rows in zip(levels, of_levels, strict=True):
        shared = {
            **{column: contrast[column] for column in contrast if column in USED_COLUMNS},
            **regimens,
            **context.about(analysis.id, contrast["trial_id"], arms, level),
            "outcome": context.configuration.outcomes[rows[0]["outcome"]].label,
        }
        found = _counted(*rows) if counted else _contrasted(context, arms, level, *rows)
        for measure in analysis.measures:
            yield {**shared, **found, "measure": measure}


def _counted(experimental: Record, control: Record) -> dict[str, Any]:
    """The counts of two arms; where their texts differ, both, with the experimental arm's first."""
    arms = (experimental, control)
    of_sides = zip(SIDES, arms, strict=True)
    return {
        **{f"{number}_{side}": arm[number] for side, arm in of_sides for number in ("events", "n")},
        **texts_of(arms, " / "),
        "rows": ";".join(dict.fromkeys(str(arm["row"]) for arm in arms)),
        "inverted": "no",
    }


def texts_of(arms: Sequence[Record], between: str) -> dict[str, str]:
    """The texts of rows of counts, those that differ joined; an empty note is left out."""
    words = {c: dict.fromkeys(arm.get(c, "") for arm in arms) for c in (*OF_COUNTS, PUBLIC)}
    notes = filter(None, words.pop(PUBLIC))
    return {c: between.join(texts) for c, texts in words.items()} | {"note": between.join(notes)}


def _contrasted(context: Context, arms: Sequence[str], level: str, row: Record) -> dict[str, Any]:
    """A ratio of the arms, inverted if published as control versus experimental."""
    inverted = row["experimental_arm_id"] == arms[1]
    printed = reversed(SIDES) if inverted else SIDES
    counts: dict[str, float] = {}
    for side, own, arm in zip(SIDES, printed, arms, strict=True):
        n = row[f"n_{own}"]
        # n is only displayed, never used as a weight, so the number randomised can replace it.
        counted = context.randomised[arm] if level == ALL and np.isnan(n) else n
        counts |= {f"events_{side}": row[f"events_{own}"], f"n_{side}": counted}
    return {
        **{column: row[column] for column in OF_CONTRASTS},
        "note": row[PUBLIC],
        **counts,
        "yi": -row["yi"] if inverted else row["yi"],
        "analysis_cut": row["analysis"],
        "rows": str(row["row"]),
        "inverted": "yes" if inverted else "no",
        "published": "" if inverted else _published(row),
    }


def _published(row: Record) -> str:
    """Ratio and interval with the source's decimals; ``""`` unless published as such."""
    if row["derivation"] != REPORTED or row["se_source"] != "interval":
        return ""
    ratio, low, high = (row[f"{name}_printed"] for name in ("hr", "ci_low", "ci_high"))
    return f"{ratio} ({low}{EN_DASH}{high})"
